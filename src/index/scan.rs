//! Looking through messages, newest first.

use super::IndexError;
use super::rows::{self, BLOCK, Direction, HANDED_OVER, MESSAGE, REJECTED, Row, case_key, key, list_key};

/// What is known of a message beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// The other Party rejected it.
    pub rejected: bool,
    /// It was taken over on its own.
    pub handed_over: bool,
}

/// Which messages to look through, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scan {
    /// Only this case.
    pub case: Option<[u8; 16]>,
    /// Only messages that the other Party rejected.
    pub rejected_only: bool,
    /// Only messages that opened a case which stands on this list.
    pub list: Option<u8>,
    /// Ledger indexes from this one on.
    pub from: u64,
    /// Ledger indexes before this one.
    pub before: u64,
    /// Most messages to return.
    pub limit: usize,
    /// Most rows to look at.
    pub budget: usize,
}

/// A page of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Messages that match, newest first.
    pub rows: Vec<(Row, Flags)>,
    /// Ledger index before which the scan goes on; `None` when it is done.
    pub next_before: Option<u64>,
}

impl Scan {
    pub(super) fn run(
        self,
        db: &sled::Db,
        mut matches: impl FnMut(&Row, Flags) -> bool,
    ) -> Result<Page, IndexError> {
        let mut page = Page { rows: Vec::new(), next_before: None };
        let Some(last) = self.before.checked_sub(1).filter(|last| *last >= self.from) else {
            return Ok(page);
        };
        let mut looked_at = 0;
        for entry in db.range(self.key(self.from / BLOCK)..=self.key(last / BLOCK)).rev() {
            let (found, value) = entry?;
            let block = Block::read(db, rows::block(&found)?)?;
            let chosen = if self.is_narrow() { rows::decode_marks(&found, &value)? } else { u32::MAX };
            for row in block.rows.iter().rev() {
                if !(self.from..self.before).contains(&row.leaf) || chosen & rows::mark(row.leaf) == 0 {
                    continue;
                }
                if page.rows.len() == self.limit || looked_at == self.budget {
                    page.next_before = Some(row.leaf + 1);
                    return Ok(page);
                }
                looked_at += 1;
                let flags = block.flags(row);
                if matches(row, flags) {
                    page.rows.push((row.clone(), flags));
                }
            }
        }
        Ok(page)
    }

    /// Whether the entries looked through are marks.
    fn is_narrow(&self) -> bool {
        self.case.is_some() || self.list.is_some() || self.rejected_only
    }

    fn key(&self, block: u64) -> Vec<u8> {
        match (self.case, self.list) {
            (Some(case), _) => case_key(&case, block),
            (None, Some(list)) => list_key(list, block),
            (None, None) if self.rejected_only => key(REJECTED, block),
            (None, None) => key(MESSAGE, block),
        }
    }
}

/// A block as it is read.
struct Block {
    rows: Vec<Row>,
    rejected: u32,
    handed_over: u32,
}

impl Block {
    fn read(db: &sled::Db, block: u64) -> Result<Self, IndexError> {
        let rows = db.get(key(MESSAGE, block))?.ok_or(IndexError::Damaged)?;
        let marks = |kind| {
            let key = key(kind, block);
            db.get(&key)?.map_or(Ok(0), |marks| rows::decode_marks(&key, &marks))
        };
        Ok(Self {
            rows: rows::decode_rows(block, &rows)?,
            rejected: marks(REJECTED)?,
            handed_over: marks(HANDED_OVER)?,
        })
    }

    fn flags(&self, row: &Row) -> Flags {
        let mark = rows::mark(row.leaf);
        Flags {
            rejected: row.direction == Direction::Sent && self.rejected & mark != 0,
            handed_over: row.direction == Direction::Received && self.handed_over & mark != 0,
        }
    }
}
