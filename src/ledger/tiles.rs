//! The ledger as static files (C2SP tlog-tiles): hash tiles of height 8 and bundles of entries. Both hold commitments
//! alone, so that anyone may have them.

use super::proof::Nodes;
use crate::crypto::Digest;

/// Hashes or entries in a full tile.
pub const TILE_WIDTH: u64 = 256;
/// Tree levels in a tile.
const TILE_HEIGHT: u8 = 8;

/// A hash tile or, at level `None`, a bundle of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Level of the tile; `None` for entries.
    pub level: Option<u8>,
    /// Place in its level, from 0.
    pub index: u64,
    /// Hashes or entries in it, 1 to [`TILE_WIDTH`].
    pub width: u64,
}

/// All tiles of a ledger of `size` leaves, the partial ones at the right edge included.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    let entries = level(None, size);
    let hashes = (0_u8..7).flat_map(move |tile_level| {
        level(Some(tile_level), size >> (u32::from(tile_level) * u32::from(TILE_HEIGHT)))
    });
    entries.chain(hashes)
}

fn level(level: Option<u8>, nodes: u64) -> impl Iterator<Item = Tile> {
    (0..nodes.div_ceil(TILE_WIDTH)).map(move |index| Tile {
        level,
        index,
        width: TILE_WIDTH.min(nodes - index * TILE_WIDTH),
    })
}

impl Tile {
    /// Where it stands below the folder of the log: `tile/L/N` or `tile/entries/N`, with `.p/W` for a partial one.
    pub fn path(&self) -> String {
        let level = self.level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        match self.is_full() {
            true => format!("tile/{level}/{number}"),
            false => format!("tile/{level}/{number}.p/{}", self.width),
        }
    }

    /// Whether it never changes again.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Its first leaf or node, at its own level of the tree.
    fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    /// The bytes of a hash tile, from the tree's nodes.
    ///
    /// # Errors
    /// Whatever keeps a node from being had.
    pub fn hashes<N: Nodes>(&self, nodes: &N) -> Result<Vec<u8>, N::Error> {
        let tree_level = self.level.unwrap_or(0) * TILE_HEIGHT;
        let mut bytes = Vec::new();
        for place in self.first()..self.first() + self.width {
            bytes.extend_from_slice(nodes.node(tree_level, place)?.as_bytes());
        }
        Ok(bytes)
    }

    /// The bytes of a bundle of entries, each behind its length in two bytes, from the leaves' commitments.
    ///
    /// # Errors
    /// Whatever keeps a commitment from being had.
    pub fn entries<E>(&self, mut commitment: impl FnMut(u64) -> Result<Digest, E>) -> Result<Vec<u8>, E> {
        let mut bytes = Vec::new();
        for leaf in self.first()..self.first() + self.width {
            bytes.extend_from_slice(&32_u16.to_be_bytes());
            bytes.extend_from_slice(commitment(leaf)?.as_bytes());
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Memory;
    use super::*;
    use std::collections::HashMap;
    use tlog_tiles::{Hash, TileHashReader, TileReader};

    /// Tiles by level, place and width, as an implementation that is not ours asks for them.
    struct Files(HashMap<(u8, u64, u32), Vec<u8>>);

    impl TileReader for Files {
        fn height(&self) -> u8 {
            TILE_HEIGHT
        }

        fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
            Ok(tiles
                .iter()
                .map(|tile| self.0[&(tile.level(), tile.level_index(), tile.width())].clone())
                .collect())
        }

        fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
    }

    #[test]
    fn another_implementation_proves_every_kind_of_leaf_from_the_tiles() {
        for size in [1, 2, 255, 256, 257, 600, 65_536, 70_000] {
            let tree = Memory::of_size(size);
            let files = tiles(size).filter_map(|tile| {
                let key = (tile.level?, tile.index, u32::try_from(tile.width).unwrap());
                Some((key, tile.hashes(&tree).unwrap()))
            });
            let files = Files(files.collect());
            let root = Hash(*tree.root().as_bytes());
            let reader = TileHashReader::new(size, root, &files);
            for leaf in [0, size / 2, size - 1] {
                let proof = tlog_tiles::prove_record(size, leaf, &reader).unwrap();
                let hash = Hash(*super::super::testing::leaf(leaf).as_bytes());
                tlog_tiles::check_record(&proof, size, root, leaf, hash).unwrap();
            }
            let proof = tlog_tiles::prove_tree(size, size / 2 + 1, &reader).unwrap();
            let old = Hash(*Memory::of_size(size / 2 + 1).root().as_bytes());
            tlog_tiles::check_tree(&proof, size, root, size / 2 + 1, old).unwrap();
        }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |level, index, width| Tile { level, index, width }.path();
        assert_eq!(tile(Some(0), 0, 256), "tile/0/000");
        assert_eq!(tile(Some(1), 1_234_067, 256), "tile/1/x001/x234/067");
        assert_eq!(tile(Some(2), 5, 112), "tile/2/005.p/112");
        assert_eq!(tile(None, 1_000, 256), "tile/entries/x001/000");
        let all: Vec<String> = tiles(70_000).map(|tile| tile.path()).collect();
        assert!(all.contains(&"tile/0/273.p/112".to_owned()) && all.contains(&"tile/1/001.p/17".to_owned()));
        assert!(all.contains(&"tile/2/000.p/1".to_owned()) && !all.contains(&"tile/3/000.p/1".to_owned()));
    }

    #[test]
    fn entries_stand_behind_their_lengths() {
        let tile = Tile { level: None, index: 1, width: 2 };
        let bytes = tile.entries(|leaf| Ok::<_, ()>(Digest::of(&leaf.to_be_bytes()))).unwrap();
        assert_eq!(bytes.len(), 2 * 34);
        assert_eq!(bytes[..2], [0, 32]);
        assert_eq!(bytes[2..34], *Digest::of(&256u64.to_be_bytes()).as_bytes());
    }
}
