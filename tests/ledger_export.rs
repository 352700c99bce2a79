//! What a daemon hands out of its ledger is checked with an implementation that is not ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::parties::{Office, Parties, serve, until};
use tlog_tiles::{Checkpoint, Hash, Tile, TileHashReader, TileReader};

/// Tiles in a folder, by the names of C2SP tlog-tiles.
struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let name = |tile: &Tile| {
            // The crate writes the height into the name, as the format's ancestor does.
            tile.path().replacen("tile/8/", "tile/", 1)
        };
        Ok(tiles.iter().map(|tile| std::fs::read(self.0.join(name(tile))).unwrap()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn export(home: &Path, to: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_article6"))
        .args(["ledger", "export"])
        .arg(to)
        .arg("--config")
        .arg(home)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The text of a signed note, without its signatures.
fn checkpoint(path: &Path) -> (Checkpoint, String) {
    let note = std::fs::read_to_string(path).unwrap();
    let (text, _) = note.rsplit_once("\n\n").unwrap();
    (Checkpoint::from_bytes(format!("{text}\n").as_bytes()).unwrap(), note)
}

/// Every entry of the folder is in the tree that its checkpoint signs, and the cosigned tree is a prefix of it.
fn check(folder: &Path) -> u64 {
    let (head, _) = checkpoint(&folder.join("checkpoint"));
    let tiles = Folder(folder.to_owned());
    let reader = TileHashReader::new(head.size(), *head.hash(), &tiles);
    let mut entries = Vec::new();
    for bundle in 0..head.size().div_ceil(256) {
        let width = (head.size() - 256 * bundle).min(256);
        let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
        entries.extend(std::fs::read(folder.join(format!("tile/entries/{bundle:03}{partial}"))).unwrap());
    }
    assert_eq!(entries.len() as u64, 34 * head.size());
    for (leaf, entry) in (0..).zip(entries.chunks(34)) {
        assert_eq!(entry[..2], [0, 32]);
        let proof = tlog_tiles::prove_record(head.size(), leaf, &reader).unwrap();
        tlog_tiles::check_record(
            &proof,
            head.size(),
            *head.hash(),
            leaf,
            tlog_tiles::record_hash(&entry[2..]),
        )
        .unwrap();
    }
    let (cosigned, note) = checkpoint(&folder.join("checkpoint.cosigned"));
    let (_, signatures) = note.rsplit_once("\n\n").unwrap();
    assert_eq!(signatures.lines().count(), 2, "the ledger's signature and the other Party's cosignature");
    let proof = tlog_tiles::prove_tree(head.size(), cosigned.size(), &reader).unwrap();
    let root: Hash = *cosigned.hash();
    tlog_tiles::check_tree(&proof, head.size(), *head.hash(), cosigned.size(), root).unwrap();
    head.size()
}

#[tokio::test(flavor = "multi_thread")]
async fn public_tools_check_an_exported_ledger() {
    let parties = Parties::new();
    let exported = parties.dir.path().join("exported");
    let mut sizes = Vec::new();
    for round in 0..2 {
        let (us, kz) = (serve(&parties.us), serve(&parties.kz));
        let mut office = Office::open(&parties.us).await;
        for number in 0..80 {
            office.submit(&format!("{round}-{number}"), 0).await.unwrap();
        }
        until(&parties.us, "delivered and cosigned", |status| {
            let witness = status.witness.as_ref().unwrap();
            status.acknowledged_sequence == 80 * (round + 1)
                && witness.cosigned_size + 4 >= status.ledger_size
        })
        .await;
        us.stop().unwrap();
        kz.stop().unwrap();
        export(&parties.us.config(), &exported);
        sizes.push(check(&exported));
    }
    assert!(sizes[0] < sizes[1] && sizes[1] > 256, "{sizes:?}");
    let canary = b"Consultation";
    for file in ["checkpoint", "tile/entries/000"] {
        let bytes = std::fs::read(exported.join(file)).unwrap();
        assert!(!bytes.windows(canary.len()).any(|window| window == canary));
    }
}

#[test]
fn both_parties_read_the_same_words_to_each_other() {
    let parties = Parties::new();
    let show = |home: &article6::commands::homes::Home| {
        let output = Command::new(env!("CARGO_BIN_EXE_article6"))
            .args(["trust", "show", "--config"])
            .arg(home.config())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (own, theirs) = text.split_once("Keys of ").unwrap().1.split_once("Keys of ").unwrap();
        let keys = |part: &str| part.split_once("\n\n").unwrap().1.to_owned();
        (keys(own), keys(theirs))
    };
    let (us, kz) = (show(&parties.us), show(&parties.kz));
    assert_eq!(us.0, kz.1);
    assert_eq!(us.1, kz.0);
    assert_ne!(us.0, us.1);
    assert_eq!(us.0.matches("sha256:").count(), 3);
}
