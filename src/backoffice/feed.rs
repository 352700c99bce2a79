//! The feed: what arrived and what became of what was sent, from a cursor on, in the order of the journal.
//!
//! An item's place is the ledger index of the event that makes it, so it never changes, survives restarts, and needs no
//! bookkeeping. Nobody waits for a slow reader.

use super::caller::Reading;
use super::token::Cursors;
use super::v1::{FeedKind, Message, WatchMessagesResponse};
use super::view::View;
use super::{Office, refusals};
use crate::channel::lookup::Lookup;
use crate::door::{Draining, Refusal};
use crate::exchange::cases::revised_by;
use crate::exchange::readers::Following;
use crate::limits;
use crate::store::{OpenedEvent, StoreError};
use crate::wire::channel::v1::StatementType;
use crate::wire::ledger::v1::event::Fact;
use prost::Message as _;
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::Status;

/// Events looked at before the feed shows how far it has come.
const EVENTS_PER_STEP: u64 = 4096;

/// A feed being streamed.
pub struct Feed {
    /// What it reads.
    pub office: Office,
    /// Cursors of this ledger.
    pub cursors: Cursors,
    /// The next ledger index to look at.
    pub position: u64,
    /// The right to read content; without it messages are shown without.
    pub reading: Option<Reading>,
    /// Kinds to stream.
    pub kinds: Vec<FeedKind>,
}

struct Item {
    next_leaf: u64,
    kind: FeedKind,
    message: Message,
    content_leaf: u64,
}

type Out = mpsc::Sender<Result<WatchMessagesResponse, Status>>;

impl Feed {
    /// Streams until the caller goes away or the daemon drains.
    pub async fn run(mut self, out: Out, draining: Draining) {
        let streamed = tokio::select! {
            streamed = self.stream(&out) => streamed,
            () = draining.begun() => Err(refusals::stopping()),
            () = out.closed() => return,
        };
        if let Err(refusal) = streamed {
            let _ = out.send(Err(refusal.status())).await;
        }
    }

    async fn stream(&mut self, out: &Out) -> Result<(), Refusal> {
        let mut progress = self.office.engine.progress();
        let mut following = None;
        loop {
            progress.borrow_and_update();
            let items = self.page().map_err(|error| refusals::store(&error))?;
            if items.is_empty() && self.position < self.office.engine.state().size() {
                continue;
            }
            if items.is_empty() {
                following = self.follow(following);
                tokio::select! {
                    changed = progress.changed() => changed.map_err(|_| refusals::stopping())?,
                    () = tokio::time::sleep(limits::FEED_HEARTBEAT) => {
                        let cursor = self.cursors.encode(self.position);
                        self.send(out, WatchMessagesResponse { cursor, ..WatchMessagesResponse::default() }).await?;
                    }
                }
                continue;
            }
            let recorded = self.note_read(&items, following.as_deref()).await?;
            for Item { next_leaf, kind, message, .. } in items {
                let cursor = self.cursors.encode(next_leaf);
                self.send(out, WatchMessagesResponse { cursor, kind: kind.into(), message: Some(message) })
                    .await?;
            }
            if let Some(following) = &following {
                following.took(recorded);
            }
        }
    }

    /// What arrives while the feed waits for it is recorded as read when it arrives.
    fn follow(&self, following: Option<Arc<Following>>) -> Option<Arc<Following>> {
        // What may be withheld is not recorded as read before that is known.
        let readable = |reading: &&Reading| reading.caller.cleared && !reading.depends_on_case();
        let reading = self.reading.as_ref().filter(|_| self.wants(FeedKind::Received)).filter(readable)?;
        let current = following.filter(|following| !following.has_ended());
        Some(current.unwrap_or_else(|| self.office.engine.core().readers.follow(reading.fact())))
    }

    /// Records the reading of items whose content is about to leave, and returns for how many that was done when they
    /// arrived.
    async fn note_read(&self, items: &[Item], following: Option<&Following>) -> Result<u64, Refusal> {
        let Some(reading) = &self.reading else { return Ok(0) };
        let is_recorded = |item: &&Item| {
            let followed = following.filter(|_| item.kind == FeedKind::Received);
            followed.is_some_and(|following| following.has_recorded(item.content_leaf))
        };
        let read = items.iter().filter(|item| item.message.content.is_some() || is_recorded(item));
        let leaves: Vec<u64> = read.filter(|item| !is_recorded(item)).map(|item| item.content_leaf).collect();
        let recorded = items.iter().filter(is_recorded).count() as u64;
        self.office.note_read(reading, leaves).await?;
        Ok(recorded)
    }

    async fn send(&self, out: &Out, item: WatchMessagesResponse) -> Result<(), Refusal> {
        out.send(Ok(item)).await.map_err(|_| refusals::stopping())
    }

    /// The next items, as many as fit a page, and moves on.
    fn page(&mut self) -> Result<Vec<Item>, StoreError> {
        let size = self.office.engine.state().size();
        let end = size.min(self.position + EVENTS_PER_STEP);
        let (mut items, mut bytes) = (Vec::new(), 0);
        while self.position < end && items.len() < limits::FEED_PAGE && bytes < limits::FEED_PAGE_BYTES {
            let opened = self.office.engine.store().event(self.position)?;
            self.position += 1;
            // What it revised comes before it, with the cursor before it: a stream that breaks between shows all again.
            for item in self.revised(&opened)?.into_iter().chain(self.item(&opened)?) {
                bytes += item.message.encoded_len();
                items.push(item);
            }
        }
        Ok(items)
    }

    fn item(&self, opened: &OpenedEvent) -> Result<Option<Item>, StoreError> {
        let sealed;
        let (kind, shown) = match &opened.event.fact {
            Some(Fact::Received(_)) => (FeedKind::Received, opened),
            Some(Fact::Acknowledged(event)) => {
                match self.office.engine.store().find(&Lookup::Sealed(event.sequence))? {
                    Some(found) => sealed = found,
                    None => return Ok(None),
                }
                (FeedKind::Outcome, sealed.as_ref())
            }
            _ => return Ok(None),
        };
        let treaty = shown.envelope.as_ref().map(|envelope| envelope.statement_type);
        if treaty != Some(StatementType::Treaty.into()) || !self.wants(kind) {
            return Ok(None);
        }
        let message = self.office.view(shown, self.view_of(shown)?)?;
        Ok(message.map(|message| Item {
            next_leaf: opened.leaf + 1,
            kind,
            message,
            content_leaf: shown.leaf,
        }))
    }

    /// How much of a message is shown: one whose content may not be read for this purpose is shown without it.
    fn view_of(&self, opened: &OpenedEvent) -> Result<View, StoreError> {
        let Some(reading) = &self.reading else { return Ok(View::Basic) };
        Ok(if self.office.withheld(reading, opened)?.is_some() { View::Basic } else { View::Full })
    }

    /// Messages shown before that are crossed now, or are so no longer, because of this event.
    fn revised(&self, opened: &OpenedEvent) -> Result<Vec<Item>, StoreError> {
        if !self.wants(FeedKind::Revised) {
            return Ok(Vec::new());
        }
        let (store, state) = (self.office.engine.store(), self.office.engine.state());
        let mut items = Vec::new();
        for leaf in revised_by(store, &state, opened)? {
            let opened = store.event(leaf)?;
            let message = self.office.view(&opened, self.view_of(&opened)?)?;
            items.extend(message.map(|message| Item {
                next_leaf: opened.leaf,
                kind: FeedKind::Revised,
                message,
                content_leaf: leaf,
            }));
        }
        Ok(items)
    }

    fn wants(&self, kind: FeedKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}
