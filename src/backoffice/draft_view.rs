//! A draft as its last step has left it, and what a caller sees of it.

use super::comparison::changed_fields;
use super::submission::{judged_alone, needs_second};
use super::token::{draft_name, message_name};
use super::v1::{Deficiency, Draft, DraftState, Submission};
use super::{Office, refusals};
use crate::channel::lookup::{Lookup, message_id};
use crate::crypto::digest::Digest;
use crate::door::Refusal;
use crate::store::{OpenedEvent, StoreError};
use crate::wire::ledger::v1::{DraftAction, DraftChanged, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use prost_types::Timestamp;
use tonic::Code;

/// A draft as its last step has left it.
#[derive(Debug, Clone)]
pub struct Open {
    /// Ledger index of the last step.
    pub leaf: u64,
    /// The step.
    pub change: DraftChanged,
    recorded_at: Option<Timestamp>,
}

impl Open {
    /// A draft by its identity.
    pub fn find(office: &Office, id: &[u8; 16]) -> Result<Option<Self>, Refusal> {
        let found =
            office.engine.store().find(&Lookup::Draft(*id)).map_err(|error| refusals::store(&error))?;
        Ok(found.and_then(|opened| Self::of(&opened)))
    }

    /// A draft by its last step.
    pub fn at(office: &Office, leaf: u64) -> Result<Option<Self>, Refusal> {
        let opened = office.engine.store().event(leaf).map_err(|error| refusals::store(&error))?;
        Ok(Self::of(&opened))
    }

    fn of(opened: &OpenedEvent) -> Option<Self> {
        let Some(Fact::DraftChanged(change)) = &opened.event.fact else { return None };
        Some(Self { leaf: opened.leaf, change: change.clone(), recorded_at: opened.event.recorded_at })
    }

    /// Ledger index of the event that holds the text.
    pub fn content_leaf(&self) -> u64 {
        if self.change.content_leaf == 0 { self.leaf } else { self.change.content_leaf }
    }

    /// What the next step repeats when it brings no text.
    pub fn carried_on(&self) -> DraftChanged {
        DraftChanged { content_leaf: self.content_leaf(), ..self.change.clone() }
    }

    /// The text.
    pub fn text(&self, office: &Office) -> Result<Submission, Refusal> {
        text(office, self.content_leaf())
    }

    /// The text as it was written first.
    pub fn first_text(&self, office: &Office) -> Result<Submission, Refusal> {
        let mut leaf = self.content_leaf();
        loop {
            match Self::at(office, leaf)?.map_or(0, |open| open.change.previous_content_leaf) {
                // A text stands behind the one before it: the walk ends.
                earlier if earlier != 0 && earlier < leaf => leaf = earlier,
                _ => return text(office, leaf),
            }
        }
    }

    /// The caller has seen the last step.
    pub fn must_be_at(&self, etag: &str) -> Result<(), Refusal> {
        if etag == self.etag() {
            Ok(())
        } else {
            Err(refusals::draft(crate::exchange::drafts::DraftError::Moved))
        }
    }

    /// It is neither released nor discarded.
    pub fn must_be_open(&self) -> Result<(), Refusal> {
        match self.change.action() {
            DraftAction::Released | DraftAction::Discarded => Err(Refusal::new(
                Code::FailedPrecondition,
                "DRAFT_ENDED",
                "the draft is released or discarded; write another",
            )),
            _ => Ok(()),
        }
    }

    /// It waits for a releasing officer.
    pub fn must_be_proposed(&self) -> Result<(), Refusal> {
        self.must_be_open()?;
        match self.change.action() {
            DraftAction::Proposed => Ok(()),
            _ => Err(Refusal::new(
                Code::FailedPrecondition,
                "DRAFT_NOT_PROPOSED",
                "the draft is not proposed for release, or was written anew since",
            )),
        }
    }

    fn etag(&self) -> String {
        format!("{:x}", self.leaf)
    }
}

/// A draft as it is shown; in a list without its text and what depends on it.
pub fn draft(office: &Office, open: &Open, whole: bool) -> Result<Draft, Refusal> {
    let change = &open.change;
    let id = <[u8; 16]>::try_from(change.draft_id.as_ref()).map_err(|_| refusals::draft_not_found())?;
    let mut shown = Draft {
        name: draft_name(&id),
        etag: open.etag(),
        state: state(change.action()).into(),
        version: change.version,
        authors: change.authors.clone(),
        acting_official: change.acting_official.clone(),
        updated_at: open.recorded_at,
        updated_by: change.official.clone(),
        message: released(office, change)?,
        token_audience: office.callers.now().audience().to_owned(),
        ..Draft::default()
    };
    if whole {
        let submission = open.text(office)?;
        let body = submission.body.clone().unwrap_or_default();
        shown.needs_release = needs_second(&body);
        shown.body_digest = Digest::of(&body.encode_to_vec()).to_bytes();
        if change.action() == DraftAction::Returned {
            let reason = item(office, open.leaf)?;
            shown.return_reason = String::from_utf8_lossy(&reason).into_owned();
        }
        if let Some(before) = previous(office, open)? {
            shown.changed_fields = changed_fields(&before, &submission);
        }
        let case = <[u8; 16]>::try_from(change.case_id.as_ref()).unwrap_or_default();
        let state = office.engine.state();
        let file = office.engine.case(case).map_err(|error| refusals::store(&error))?;
        shown.case_digest = file.digest().to_bytes();
        shown.release_digest =
            release_digest(&shown.name, &shown.etag, &shown.body_digest, &shown.case_digest).to_bytes();
        shown.deficiencies = judged_alone(&office.engine.core().terms, &file, &state, &body)
            .into_iter()
            .map(|lack| Deficiency {
                code: lack.code.to_owned(),
                field: lack.field,
                article: lack.article.to_owned(),
            })
            .collect();
        // What was released is a message: it is read there, for a purpose, and recorded.
        shown.submission = Some(submission).filter(|_| open.must_be_open().is_ok());
    }
    Ok(shown)
}

/// What a release is bound to.
pub fn release_digest(name: &str, etag: &str, body: &[u8], case: &[u8]) -> Digest {
    let mut preimage = Vec::new();
    for part in [b"article6/release/1".as_slice(), name.as_bytes(), etag.as_bytes(), body, case] {
        preimage.extend_from_slice(&(part.len() as u64).to_be_bytes());
        preimage.extend_from_slice(part);
    }
    Digest::of(&preimage)
}

fn state(action: DraftAction) -> DraftState {
    match action {
        DraftAction::Unspecified => DraftState::Unspecified,
        DraftAction::Created | DraftAction::Updated => DraftState::Written,
        DraftAction::Proposed => DraftState::Proposed,
        DraftAction::Returned => DraftState::Returned,
        DraftAction::Released => DraftState::Released,
        DraftAction::Discarded => DraftState::Discarded,
    }
}

fn released(office: &Office, change: &DraftChanged) -> Result<String, Refusal> {
    if change.action() != DraftAction::Released {
        return Ok(String::new());
    }
    let sealed = office.engine.store().event(change.sealed_leaf).map_err(|error| refusals::store(&error))?;
    let id = sealed.envelope.as_deref().and_then(message_id);
    Ok(id.map(|id| message_name(&id)).unwrap_or_default())
}

fn previous(office: &Office, open: &Open) -> Result<Option<Submission>, Refusal> {
    let content = Open::at(office, open.content_leaf())?;
    match content.map_or(0, |content| content.change.previous_content_leaf) {
        0 => Ok(None),
        leaf => text(office, leaf).map(Some),
    }
}

fn text(office: &Office, leaf: u64) -> Result<Submission, Refusal> {
    let text = item(office, leaf)?;
    Submission::decode(text).map_err(|_| refusals::store(&StoreError::Undecodable(leaf)))
}

fn item(office: &Office, leaf: u64) -> Result<Bytes, Refusal> {
    let store = office.engine.store();
    let item = store.event(leaf).and_then(|opened| store.item(&opened));
    let item = item.map_err(|error| refusals::store(&error))?;
    item.map(|item| item.body).ok_or_else(|| {
        Refusal::new(Code::FailedPrecondition, "CONTENT_UNAVAILABLE", "the text of the draft was erased")
    })
}
