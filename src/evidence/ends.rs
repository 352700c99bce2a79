//! How segments end: closed ones with a footer, the open one with zeros.

use super::report::{Fault, VerifyError, at};
use super::scan::{Kind, Scanner};
use super::tree::Grown;
use super::walk::{Batch, Current, Walk};
use crate::journal::frame::FrameError;

impl Walk<'_> {
    /// The end of a closed segment: its footer against its frames.
    pub(super) fn close(&mut self, current: &mut Current, offset: u64) {
        self.unfinished(current, offset);
        let Some(footer) = current.footer.take() else {
            return;
        };
        let is_sound = self.findings.count() == current.damages_before;
        let lacking = footer.events().saturating_sub(current.frames.events);
        if is_sound && lacking > 0 {
            self.findings.damage(Some(self.ledger.size), &current.name, offset, Fault::Lacking(lacking));
            self.lose();
        } else if is_sound {
            current.frames.root = self.ledger.root();
            if self.ledger.frontier.is_none() {
                // The tree before the segment is not known: its own hashes are all there is to go on.
                current.frames.nodes = footer.nodes();
            }
            for (offset, fault) in footer.check(&current.frames, self.contents.as_ref()) {
                self.findings.damage(None, &current.name, offset, fault);
            }
        }
        if let Some(contents) = &mut self.contents {
            contents.resume(footer.snapshot());
        }
        if self.ledger.frontier.is_none() {
            let leaves = footer.leaves(current.frames.first_leaf, 0);
            let grown = current.start.as_ref().and_then(|start| Grown::of(start, leaves));
            match grown.filter(|grown| grown.root() == footer.root()) {
                Some(grown) => self.ledger.accept(grown),
                None => self.ledger.size = current.frames.first_leaf.saturating_add(footer.events()),
            }
        }
    }

    /// Events without a checkpoint at the end of what was read.
    fn unfinished(&mut self, current: &mut Current, offset: u64) {
        let Some(first) = current.batch.events.first().map(|event| event.0) else { return };
        let leaf = self.ledger.size;
        if !current.batch.is_broken {
            self.findings.damage(Some(leaf), &current.name, first, Fault::Unfinished);
        }
        self.batch(current, None);
        current.frames.end = offset;
    }

    /// The end of the open segment: nothing but zeros, or what a crash may have left behind the head.
    pub(super) fn check_tail(
        &mut self,
        current: &mut Current,
        offset: u64,
        len: u64,
    ) -> Result<(), VerifyError> {
        let beyond = current.head_at.is_some_and(|head_at| offset >= head_at);
        if beyond {
            current.batch = Batch::default();
        } else {
            self.unfinished(current, offset);
        }
        if let Some(head) = self.heads.first().filter(|head| head.size < self.ledger.size) {
            let more = self.ledger.size - head.size;
            self.findings.note(format!(
                "{more} event(s) stand behind the last commit that the head file knows, as a crash leaves them; the daemon keeps them"
            ));
        }
        // Behind a place where the reading had to end nothing can be said. A roll that was cut short leaves a part of
        // its footer, which is noted.
        if current.is_rolling || (current.head_at.is_some() && !beyond) {
            return Ok(());
        }
        let start = if beyond { current.frames.end } else { offset };
        let mut scanner = Scanner::new(current.file.clone(), start, len);
        let failed = at(&current.path);
        let Some(nonzero) = scanner.first_nonzero(start, len).map_err(&failed)? else { return Ok(()) };
        let begun = scanner.next().map_err(&failed)?;
        let begun =
            begun.is_some_and(|piece| !matches!(piece.kind, Kind::Lost(error) if error != FrameError::Cut));
        if beyond && begun {
            self.findings.note(format!(
                "an unfinished batch stands behind the last commit, at byte {start} of {}, as a crash leaves it; the daemon clears it",
                current.name.display()
            ));
        } else {
            self.findings.damage(Some(self.ledger.size), &current.name, nonzero, Fault::Tail);
        }
        Ok(())
    }
}
