//! From a journal event to the message a caller sees.

use super::caller::Reading;
use super::code_lists::warnings;
use super::domestic::Marked;
use super::token::{case_name, message_name};
use super::v1::{self, DeliveryState, Direction, DocumentState, DocumentStatus, Message};
use super::{Office, case_view, refusals};
use crate::channel::lifecycle::{Happening, Inbound, Outbound, Step};
use crate::channel::lookup::{Lookup, case_id};
use crate::channel::state::State;
use crate::crypto::digest::Digest;
use crate::door::Refusal;
use crate::exchange::agreement;
use crate::exchange::cases::{CaseFile, REVISED_MAX, effect_of, touches_case};
use crate::rules::Violation;
use crate::store::{OpenedEvent, StoreError};
use crate::treaty;
use crate::treaty::case::lacks;
use crate::wire::assistance::v1::{Body, Effect};
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{Event, Item, Read, Receipt, RejectionReason, event::Fact};
use prost::Message as _;
use std::sync::Arc;

/// How much of a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Everything but content and receipt.
    Basic,
    /// Everything.
    Full,
}

impl Office {
    /// The message that an event records; `None` for events that are no message, or no longer.
    pub fn view(&self, opened: &OpenedEvent, view: View) -> Result<Option<Message>, StoreError> {
        let Some((direction, sequence)) = recorded(&opened.event) else { return Ok(None) };
        let Some(envelope) = &opened.envelope else { return Ok(None) };
        let state = self.engine.state();
        // What a restore gave up was sealed anew, or came back: it is shown at its new place alone.
        if state.epoch() > 1 && direction == Direction::Sent {
            let valid = self.engine.store().find(&Lookup::Sealed(sequence))?;
            if sequence > state.sealed().sequence || valid.is_none_or(|valid| valid.leaf != opened.leaf) {
                return Ok(None);
            }
        }
        let item = match needs_content(opened, direction, view) {
            true => self.engine.store().item(opened)?,
            false => None,
        };
        let mut delivery = match direction {
            Direction::Sent => self.sent(&state, opened, sequence)?,
            _ => self.received(&state, opened)?,
        };
        let file = self.case_file(opened, envelope)?;
        let (body, mut deficiencies) = match (direction, &item) {
            (_, None) => (None, Vec::new()),
            (Direction::Received, Some(item)) => treaty::examine(&item.body),
            (_, Some(item)) => (Body::decode(item.body.clone()).ok(), Vec::new()),
        };
        if let (Some(file), Some(body), Direction::Received) = (&file, &body, direction) {
            deficiencies.extend(lacking(file, opened.leaf, body));
        }
        let mut message = describe(envelope, direction, sequence, opened);
        let received = body.as_ref().filter(|_| direction == Direction::Received);
        message.warnings = received.map(|body| warnings("", body)).unwrap_or_default();
        let step = file.as_ref().and_then(|file| file.step_of(opened.leaf));
        message.case_effect = step.map(|step| case_view::effect(&step));
        message.sender_service = self.service_names(envelope);
        if direction == Direction::Received {
            let marked = self.marking(opened, envelope, file.as_deref());
            (message.marking, message.marking_unmapped) = (marked.marking, marked.unmapped);
        }
        message.documents = body.as_ref().map(documents).unwrap_or_default();
        let lacking = || agreement::deficiency(&self.engine.agreement(), opened);
        let lacking = (direction == Direction::Received).then(lacking).flatten();
        message.deficiencies = deficiencies
            .into_iter()
            .chain(lacking)
            .map(|lack| v1::Deficiency {
                code: lack.code.to_owned(),
                field: lack.field,
                article: lack.article.to_owned(),
            })
            .collect();
        match view {
            View::Full => message.content = Some(content(opened, item, body)),
            View::Basic => delivery.receipt = None,
        }
        message.delivery = Some(delivery);
        Ok(Some(message))
    }

    /// What the sender's service was called when it signed.
    fn service_names(&self, envelope: &Envelope) -> Vec<v1::ServiceName> {
        let signed = envelope.signed_at.and_then(|at| jiff::Timestamp::from_second(at.seconds).ok());
        let Some(day) = signed.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date()) else {
            return Vec::new();
        };
        let names = self.domestic.names_on(&envelope.sender, day).into_iter();
        names
            .map(|(language, name)| v1::ServiceName { language: language.into(), name: name.into() })
            .collect()
    }

    /// How a received message is marked here, as its supplier asks for confidentiality now.
    pub fn marking(&self, opened: &OpenedEvent, envelope: &Envelope, file: Option<&CaseFile>) -> Marked {
        let effect = effect_of(opened, envelope);
        let item = Digest::of(&opened.record.envelope);
        let confidential =
            file.map_or(effect.confidential, |file| file.case.is_confidential(&item, effect.confidential));
        self.domestic.marking(effect.kind().as_str_name().trim_start_matches("KIND_"), confidential)
    }

    /// The case of a message that can move it.
    fn case_file(
        &self,
        opened: &OpenedEvent,
        envelope: &Envelope,
    ) -> Result<Option<Arc<CaseFile>>, StoreError> {
        let case = case_id(envelope).filter(|_| touches_case(&effect_of(opened, envelope)));
        case.map(|case| self.engine.case(case)).transpose()
    }

    /// The message as it was sealed: what a submission is answered with, however late it is repeated.
    pub fn as_sealed(&self, leaf: u64) -> Result<Message, Refusal> {
        let opened = self.engine.store().event(leaf).map_err(|error| refusals::store(&error))?;
        let message = self.view(&opened, View::Basic).map_err(|error| refusals::store(&error))?;
        let mut message = message.ok_or_else(refusals::message_not_found)?;
        let since = opened.event.recorded_at;
        // What it does to its case may be revised by what arrives.
        message.case_effect = None;
        message.delivery =
            Some(v1::Delivery { state: DeliveryState::Queued.into(), since, ..v1::Delivery::default() });
        Ok(message)
    }

    /// Records that content is read, before it leaves.
    pub async fn note_read(&self, reading: &Reading, leaves: Vec<u64>) -> Result<(), Refusal> {
        if leaves.is_empty() {
            return Ok(());
        }
        self.note(Read { leaves, ..reading.fact() }).await
    }

    /// Records a reading, or that it was denied.
    pub(super) async fn note(&self, read: Read) -> Result<(), Refusal> {
        if self.engine.core().quarantine.found().is_some() {
            return Err(refusals::quarantined());
        }
        if !self.reads.admits(&read.client) {
            return Err(refusals::too_many_reads());
        }
        self.engine.note(Fact::Read(read)).await.map_err(refusals::note)
    }

    fn sent(&self, state: &State, opened: &OpenedEvent, sequence: u64) -> Result<v1::Delivery, StoreError> {
        if sequence > state.acknowledged() {
            return Ok(self.undelivered(opened));
        }
        let found = self.engine.store().find(&Lookup::Acknowledged(sequence))?;
        let Some((found, Some(Fact::Acknowledged(event)))) =
            found.map(|found| (found.clone(), found.event.fact.clone()))
        else {
            return Ok(self.undelivered(opened));
        };
        let receipt = Receipt::decode(found.record.receipt.clone()).ok();
        let delivered_at =
            receipt.as_ref().and_then(|receipt| Event::decode(receipt.event.clone()).ok()?.recorded_at);
        let happening = match event.rejection() {
            RejectionReason::Unspecified => Happening::ReceiptAccepted,
            _ => Happening::RejectionAccepted,
        };
        let Step::Moves(now) = Outbound::Queued.step(happening) else { return Ok(self.undelivered(opened)) };
        Ok(v1::Delivery {
            state: shown_sent(now).into(),
            is_terminal: now.is_terminal(),
            since: found.event.recorded_at,
            rejection: event.rejection,
            receipt,
            delivered_at,
            ..v1::Delivery::default()
        })
    }

    fn undelivered(&self, opened: &OpenedEvent) -> v1::Delivery {
        let health = self.delivery.borrow();
        let now = self.engine.core().clock.now();
        let overdue = |since: &prost_types::Timestamp| {
            now.seconds - since.seconds > i64::try_from(self.stalled_after.as_secs()).unwrap_or(i64::MAX)
        };
        // Delivery fails for all messages together; a message is stalled for no longer than it is there.
        let failing = health.failing_since.filter(|_| !health.open);
        let since = failing.map(|since| {
            opened.event.recorded_at.map_or(since, |at| crate::channel::envelope::later(since, at))
        });
        match since.filter(overdue) {
            Some(since) => v1::Delivery {
                state: DeliveryState::Stalled.into(),
                since: Some(since),
                stalled_reason: health.reason.clone(),
                ..v1::Delivery::default()
            },
            None => v1::Delivery {
                state: DeliveryState::Queued.into(),
                since: opened.event.recorded_at,
                ..v1::Delivery::default()
            },
        }
    }

    fn received(&self, state: &State, opened: &OpenedEvent) -> Result<v1::Delivery, StoreError> {
        let alone = self.engine.store().find_from(&Lookup::HandedOver(opened.leaf), opened.leaf)?;
        if let Some(event) = alone {
            return Ok(retrieved(event.event.recorded_at));
        }
        if opened.leaf < state.handed_over() {
            return Ok(retrieved(None));
        }
        Ok(v1::Delivery {
            state: DeliveryState::Delivered.into(),
            since: opened.event.recorded_at,
            ..v1::Delivery::default()
        })
    }
}

/// What a back office is shown of a message sent.
fn shown_sent(state: Outbound) -> DeliveryState {
    match state {
        Outbound::Queued => DeliveryState::Queued,
        Outbound::Delivered => DeliveryState::Delivered,
        Outbound::Rejected => DeliveryState::Rejected,
    }
}

/// What a back office is shown of a message received.
fn shown_received(state: Inbound) -> DeliveryState {
    match state {
        Inbound::Received => DeliveryState::Delivered,
        Inbound::HandedOver => DeliveryState::Retrieved,
    }
}

/// What a message lacks in view of its case where it stands in it.
fn lacking(file: &CaseFile, leaf: u64, body: &Body) -> Vec<Violation> {
    // A case that somebody floods is not folded for each of its messages.
    if file.entries.len() > REVISED_MAX {
        return Vec::new();
    }
    let at = file.filed.iter().position(|filed| filed.leaf == leaf);
    let Some(entry) = at.and_then(|at| file.entries.get(at)) else { return Vec::new() };
    let crossed = file.step_of(leaf).is_none_or(|step| step.crossed.is_some());
    // What has no effect lacks nothing that would matter.
    if crossed { Vec::new() } else { lacks(&file.before(leaf), entry.sender, entry.recipient, body) }
}

/// Content is opened only where something of it is shown: the effect says whether there are documents to name.
fn needs_content(opened: &OpenedEvent, direction: Direction, view: View) -> bool {
    let documents = Effect::decode(opened.record.effect.clone()).map_or(1, |effect| effect.documents);
    view == View::Full || direction == Direction::Received || documents > 0
}

fn retrieved(since: Option<prost_types::Timestamp>) -> v1::Delivery {
    let now = match Inbound::Received.step(Happening::BackOfficeAcknowledged) {
        Step::Moves(now) => now,
        Step::Again | Step::Impossible => Inbound::Received,
    };
    v1::Delivery {
        state: shown_received(now).into(),
        is_terminal: now.is_terminal(),
        since,
        ..v1::Delivery::default()
    }
}

/// Direction and sequence of the message that an event records.
pub fn recorded(event: &Event) -> Option<(Direction, u64)> {
    match &event.fact {
        Some(Fact::Sealed(sealed)) => Some((Direction::Sent, sealed.sequence)),
        Some(Fact::Received(received)) => Some((Direction::Received, received.sequence)),
        _ => None,
    }
}

fn describe(envelope: &Envelope, direction: Direction, sequence: u64, opened: &OpenedEvent) -> Message {
    let id = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).ok();
    Message {
        name: id(&envelope.message_id).map(|id| message_name(&id)).unwrap_or_default(),
        case: id(&envelope.case_id).map(|id| case_name(&id)).unwrap_or_default(),
        kind: i32::try_from(envelope.kind).unwrap_or(0),
        direction: direction.into(),
        sender: envelope.sender.clone(),
        recipient: envelope.recipient.clone(),
        sequence,
        statement_type: envelope.statement_type,
        in_reply_to: id(&envelope.in_reply_to).map(|id| message_name(&id)).unwrap_or_default(),
        signed_at: envelope.signed_at,
        recorded_at: opened.event.recorded_at,
        acting_official: envelope.acting_official.clone(),
        releasing_official: envelope.releasing_official.clone(),
        language: envelope.language.clone(),
        envelope_digest: Digest::of(&opened.record.envelope).to_bytes(),
        position: opened.leaf,
        ..Message::default()
    }
}

/// Document bytes do not travel yet: every announced document is outstanding.
fn documents(body: &Body) -> Vec<DocumentStatus> {
    let outstanding = i32::from(DocumentState::Outstanding);
    treaty::documents(body)
        .iter()
        .map(|document| DocumentStatus { doc_id: document.doc_id.clone(), state: outstanding })
        .collect()
}

fn content(opened: &OpenedEvent, item: Option<Item>, body: Option<Body>) -> v1::Content {
    let unavailable = item.is_none();
    let item = item.unwrap_or_default();
    v1::Content {
        body,
        body_bytes: item.body,
        body_salt: item.salt,
        envelope: opened.record.envelope.clone(),
        signature: opened.record.signature.clone(),
        unavailable,
    }
}
