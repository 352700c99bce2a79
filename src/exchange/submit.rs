//! A message of this Party gets its place in the chain.

use super::drafts::DraftStep;
use super::event::Attachments;
use super::writer::{Desk, Fatal};
use crate::channel::envelope::{Draft, Envelope, later};
use crate::channel::lookup::{Lookup, original};
use crate::crypto::cms;
use crate::crypto::digest::{Digest, commitment};
use crate::store::{OpenedEvent, Store, StoreError};
use crate::treaty;
use crate::wire::channel::v1::StatementType;
use crate::wire::ledger::v1::{Item, Sealed, event::Fact};
use bytes::Bytes;
use tokio::sync::oneshot;

/// Bytes that an event takes beside the content it is given: envelope, signature, event, seals, and a checkpoint
/// should its batch be split.
const OVERHEAD_BYTES: u64 = 6 << 10;

/// A message ready to be sealed.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// What the envelope will say.
    pub draft: Draft,
    /// Exact body bytes.
    pub body: Bytes,
    /// Salt of the body's commitment.
    pub body_salt: [u8; 32],
    /// What the message does to its case.
    pub effect: Bytes,
    /// It can move its case, or owe something in it: it must fit the case as it is.
    pub touches_case: bool,
    /// The draft that is released by it, in the same commit.
    pub releases: Option<Box<DraftStep>>,
}

/// Why a submission is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The client used this request_id for another message.
    #[error("this request_id was used for another message")]
    RequestIdReused,
    /// The case has moved since the message was judged: judge it again.
    #[error("the case has moved since the message was judged")]
    CaseMoved,
    /// The draft has moved since it was reviewed.
    #[error("the draft has moved since it was reviewed")]
    DraftMoved,
    /// What is in force between the Parties does not permit it.
    #[error("the agreement does not permit this now: {}", .0.explanation())]
    NotPermitted(treaty::Code),
    /// There is no space. Nothing was changed.
    #[error("there is no space left to store the message; nothing was changed")]
    NoSpace,
    /// The store is an older copy of itself.
    #[error("this store is an older copy of itself: its operator must run `article6 restore`")]
    Quarantined,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
    /// The store could not be read.
    #[error("the store cannot be read")]
    Store,
}

pub(super) struct Submit {
    pub(super) outgoing: Outgoing,
    /// The journal was searched for the message up to this index.
    pub(super) searched: u64,
    /// The message was judged in a case with all its messages up to this index; `None` for one that fits any case.
    pub(super) judged: Option<u64>,
    pub(super) reply: oneshot::Sender<Result<u64, SubmitError>>,
}

impl Submit {
    pub(super) fn bytes_max(&self) -> u64 {
        let released = self.outgoing.releases.as_ref().map_or(0, |step| step.bytes_max());
        self.outgoing.body.len() as u64 + self.outgoing.effect.len() as u64 + released + OVERHEAD_BYTES
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(SubmitError::NoSpace));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        let id = self.outgoing.draft.message_id;
        if desk.underway.holds_message(&id) {
            desk.settle()?;
        }
        let core = desk.core.clone();
        let earlier = core.store.find_from(&Lookup::Message(id), self.searched);
        if let Some(earlier) = earlier.map_err(|error| Fatal::Store(error.to_string()))? {
            let answer = repeat(&core.store, &earlier, &self.outgoing)
                .map_err(|error| Fatal::Store(error.to_string()))?;
            let _ = self.reply.send(answer);
            return Ok(());
        }
        if desk.core.quarantine.found().is_some() {
            let _ = self.reply.send(Err(SubmitError::Quarantined));
            return Ok(());
        }
        if let Some(judged) = self.judged
            && desk
                .underway
                .has_moved(core.store.reader(), &self.outgoing.draft.case_id, judged)
                .map_err(|error| Fatal::Store(error.to_string()))?
        {
            let _ = self.reply.send(Err(SubmitError::CaseMoved));
            return Ok(());
        }
        // Another case may have been given the number since: then it is durable when it is looked up.
        if original(&self.outgoing.effect).is_some() {
            desk.settle()?;
        }
        match is_numbered_anew(&core.store, &self.outgoing) {
            Ok(true) => {}
            Ok(false) => {
                let _ = self.reply.send(Err(SubmitError::NotPermitted(treaty::Code::ItemExists)));
                return Ok(());
            }
            Err(error) => return Err(Fatal::Store(error.to_string())),
        }
        if let Err(code) = permits(desk, &self.outgoing) {
            let _ = self.reply.send(Err(SubmitError::NotPermitted(code)));
            return Ok(());
        }
        let mut outgoing = self.outgoing;
        let releases = outgoing.releases.take();
        if releases.as_ref().is_some_and(|step| step.follows(desk).is_err()) {
            let _ = self.reply.send(Err(SubmitError::DraftMoved));
            return Ok(());
        }
        let leaf = seal(desk, outgoing)?;
        if let Some(mut step) = releases {
            step.change.sealed_leaf = leaf;
            step.record(desk)?;
        }
        desk.answer(move |_| {
            let _ = self.reply.send(Ok(leaf));
        });
        Ok(())
    }
}

/// Whether the original that a message sends, if it sends one, has a number that no message of any case has used before
/// (Article 8.2).
pub(super) fn is_numbered_anew(store: &Store, outgoing: &Outgoing) -> Result<bool, StoreError> {
    let Some(item) = original(&outgoing.effect) else { return Ok(true) };
    Ok(store.find(&Lookup::Original(item))?.is_none())
}

/// Judged at the message's place in the chain: the list and the directives in force here are those that the other Party judges
/// it by.
pub(super) fn permits(desk: &Desk, outgoing: &Outgoing) -> Result<(), treaty::Code> {
    let core = &desk.core;
    let heads = core.heads.load();
    let message = (&outgoing.draft, outgoing.effect.as_ref(), outgoing.body.as_ref());
    desk.agreement().permits((&core.terms, &heads), &desk.state, core.clock.now(), message)
}

/// Gives a message its place in the chain; returns its ledger index.
pub(super) fn seal(desk: &mut Desk, outgoing: Outgoing) -> Result<u64, Fatal> {
    let core = desk.core.clone();
    let leaf = desk.next_leaf();
    let Outgoing { mut draft, body, body_salt, effect, .. } = outgoing;
    let now = core.clock.now();
    if draft.statement_type == StatementType::Treaty {
        let signed_at = desk.state.sealed().signed_at.map_or(now, |before| later(before, now));
        draft.directives = desk.agreement().directives(signed_at);
    }
    let id = draft.message_id;
    let keys = core.keys.load();
    let signing_key = keys.signing(desk.keys()).map_err(|missing| Fatal::Store(missing.to_string()))?;
    let envelope = Envelope::compose(&core.terms, &desk.state, &signing_key.key_id(), leaf, now, draft);
    let signature = cms::sign(signing_key, envelope.bytes(), envelope.signing_time())
        .map_err(|error| Fatal::Store(error.to_string()))?;
    let fact = Fact::Sealed(Sealed {
        sequence: envelope.fields().sequence,
        envelope_digest: envelope.digest().to_bytes(),
        signature_digest: Digest::of(&signature).to_bytes(),
        recalled: false,
    });
    let item = Item { salt: Bytes::copy_from_slice(&body_salt), body, document_salts: Vec::new() };
    let attachments = Attachments {
        envelope: envelope.bytes().clone(),
        signature: signature.into(),
        effect,
        item: Some(item),
        ..Attachments::default()
    };
    desk.record(fact, Some(envelope.shared()), attachments)?;
    desk.underway.message(id, leaf);
    Ok(leaf)
}

/// The answer to a submission whose message is already there: the same message, unless the content is another.
pub(super) fn repeat(
    store: &Store,
    earlier: &OpenedEvent,
    outgoing: &Outgoing,
) -> Result<Result<u64, SubmitError>, StoreError> {
    let is_sealed = matches!(earlier.event.fact, Some(Fact::Sealed(_)));
    let Some(envelope) = earlier.envelope.as_ref().filter(|_| is_sealed) else {
        return Ok(Err(SubmitError::RequestIdReused));
    };
    let draft = &outgoing.draft;
    let mut same = envelope.case_id == draft.case_id.as_slice()
        && envelope.kind == draft.kind
        && envelope.statement_type == i32::from(draft.statement_type)
        && envelope.in_reply_to == draft.in_reply_to.as_ref().map_or(&[][..], |id| id.as_slice())
        && envelope.acting_official == draft.acting_official
        && envelope.releasing_official == draft.releasing_official
        && envelope.language == draft.language;
    // An erased body can no longer be compared; the identity of the request then decides alone.
    if let Some(item) = store.item(earlier)?
        && let Ok(salt) = <&[u8; 32]>::try_from(item.salt.as_ref())
    {
        same = same && commitment(salt, &outgoing.body).as_bytes().as_slice() == envelope.body_commitment;
    }
    Ok(if same { Ok(earlier.leaf) } else { Err(SubmitError::RequestIdReused) })
}
