//! The blocks that a batch of changes touches, each read once and written once.

use super::rows::{self, BLOCK, HANDED_OVER, MESSAGE, REJECTED, Row, case_key, key};
use super::{Change, IndexError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Changes being gathered.
pub(super) struct Blocks<'a> {
    db: &'a sled::Db,
    messages: BTreeMap<u64, BTreeMap<u64, Row>>,
    marks: BTreeMap<Vec<u8>, u32>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(db: &'a sled::Db) -> Self {
        Self { db, messages: BTreeMap::new(), marks: BTreeMap::new() }
    }

    /// The same change twice is the same as once.
    pub(super) fn change(&mut self, change: &Change) -> Result<(), IndexError> {
        match change {
            Change::Message(row) => {
                self.mark(case_key(&row.case_id, row.leaf / BLOCK), row.leaf)?;
                self.messages(row.leaf / BLOCK)?.insert(row.leaf, row.clone());
                Ok(())
            }
            Change::Rejected(leaf) => self.mark(key(REJECTED, leaf / BLOCK), *leaf),
            Change::HandedOver(leaf) => self.mark(key(HANDED_OVER, leaf / BLOCK), *leaf),
        }
    }

    pub(super) fn into_batch(self) -> sled::Batch {
        let mut batch = sled::Batch::default();
        for (block, rows) in &self.messages {
            batch.insert(key(MESSAGE, *block), rows::encode_rows(*block, rows.values()));
        }
        for (key, marks) in self.marks {
            let value = rows::encode_marks(&key, marks);
            batch.insert(key, value);
        }
        batch
    }

    fn messages(&mut self, block: u64) -> Result<&mut BTreeMap<u64, Row>, IndexError> {
        Ok(match self.messages.entry(block) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let stored = self.db.get(key(MESSAGE, block))?;
                let rows = stored.map_or(Ok(Vec::new()), |stored| rows::decode_rows(block, &stored))?;
                new.insert(rows.into_iter().map(|row| (row.leaf, row)).collect())
            }
        })
    }

    fn mark(&mut self, key: Vec<u8>, leaf: u64) -> Result<(), IndexError> {
        match self.marks.entry(key) {
            Entry::Occupied(mut known) => *known.get_mut() |= rows::mark(leaf),
            Entry::Vacant(new) => {
                let stored = self.db.get(new.key())?;
                let marks = stored.map_or(Ok(0), |stored| rows::decode_marks(new.key(), &stored))?;
                new.insert(marks | rows::mark(leaf));
            }
        }
        Ok(())
    }
}
