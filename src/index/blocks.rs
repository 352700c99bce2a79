//! The blocks that a batch of changes touches, each read once and written once.

use super::rows::{self, BLOCK, HANDED_OVER, MESSAGE, REJECTED, Row, case_key, key, list_key};
use super::{Change, IndexError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Lists that a case may stand on.
const LISTS: u8 = 16;

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
                self.mark(case_key(&row.case_id, row.leaf / BLOCK), row.leaf, true)?;
                self.messages(row.leaf / BLOCK)?.insert(row.leaf, row.clone());
                Ok(())
            }
            Change::Rejected(leaf) => self.mark(key(REJECTED, leaf / BLOCK), *leaf, true),
            Change::HandedOver(leaf) => self.mark(key(HANDED_OVER, leaf / BLOCK), *leaf, true),
            Change::Case(leaf, lists) => (0..LISTS).try_for_each(|list| {
                self.mark(list_key(list, leaf / BLOCK), *leaf, lists & (1 << list) != 0)
            }),
        }
    }

    pub(super) fn into_batch(self) -> sled::Batch {
        let mut batch = sled::Batch::default();
        for (block, rows) in &self.messages {
            batch.insert(key(MESSAGE, *block), rows::encode_rows(*block, rows.values()));
        }
        for (key, marks) in self.marks {
            match rows::encode_marks(&key, marks) {
                _ if marks == 0 => batch.remove(key),
                value => batch.insert(key, value),
            }
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

    fn mark(&mut self, key: Vec<u8>, leaf: u64, marked: bool) -> Result<(), IndexError> {
        let mark = rows::mark(leaf);
        let set = |marks: u32| if marked { marks | mark } else { marks & !mark };
        match self.marks.entry(key) {
            Entry::Occupied(mut known) => *known.get_mut() = set(*known.get()),
            Entry::Vacant(new) => {
                let stored = self.db.get(new.key())?;
                let marks = stored.map_or(Ok(0), |stored| rows::decode_marks(new.key(), &stored))?;
                // What is not marked and was not is no entry to write.
                if set(marks) != marks {
                    new.insert(set(marks));
                }
            }
        }
        Ok(())
    }
}
