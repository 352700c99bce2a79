//! The state of the channel: a fold over this daemon's events.
//!
//! Normal work and recovery apply the same events through the same function. The state's size does not grow with
//! history.

mod setback;
mod snapshot;

use super::envelope::order;
use super::keys::Keys;
use crate::crypto::digest::Digest;
use crate::wire::channel::v1 as wire;
use crate::wire::ledger::v1::{DraftAction, Event, OperatorAction, event::Fact};
use prost_types::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The end of one direction's chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainEnd {
    /// Highest sequence; 0 before the first.
    pub sequence: u64,
    /// Digest of that envelope; zero before the first.
    pub digest: Digest,
    /// signed_at of that envelope.
    pub signed_at: Option<Timestamp>,
}

/// A head that one Party has and the other knows: of the other Party's ledger as last accepted here, or of this ledger
/// as last cosigned there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerHead {
    /// Leaves; 0 before the first.
    pub size: u64,
    /// Root hash; zero before the first.
    pub root: Digest,
}

/// State of the channel after some number of events.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    size: u64,
    epoch: u32,
    last_recorded_at: Option<Timestamp>,
    sealed: ChainEnd,
    acknowledged: u64,
    consumed: ChainEnd,
    consumed_peer_sequence_seen: u64,
    peer_epoch: u32,
    peer_head: PeerHead,
    cursors: BTreeMap<String, u64>,
    cosigned: PeerHead,
    material_size: u64,
    held: bool,
    overdue: u64,
    complaint_answered: u64,
    configuration: Digest,
    clock_skewed: bool,
    degraded_since: Option<Timestamp>,
    keys: Keys,
    restoring: bool,
    /// Open drafts with the ledger index of their last event. Shared: the state is copied with every commit.
    drafts: Arc<BTreeMap<[u8; 16], u64>>,
}

/// Why an event cannot follow the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The event has no fact, or one that this software does not know.
    #[error("the event holds no fact known here")]
    UnknownFact,
    /// The first event is not the founding, or a later one is.
    #[error("a ledger is founded by its first event and no other")]
    Founding,
    /// A sequence number is skipped or repeated.
    #[error("the event breaks a sequence")]
    Sequence,
    /// The envelope the event speaks of is missing or another.
    #[error("the event is not about the envelope stored with it")]
    Envelope,
    /// A head is missing, or does not go beyond the one before it.
    #[error("the event's head does not follow the one before it")]
    Head,
    /// The event was recorded before the one before it.
    #[error("the event was recorded before its predecessor")]
    Time,
    /// The epoch changes without a restore, or falls.
    #[error("the event's epoch does not follow from the one before it")]
    Epoch,
    /// A key comes into use twice, or goes out of use without having been in it.
    #[error("the event does not follow from the keys in use")]
    Key,
}

impl Default for State {
    fn default() -> Self {
        let end = ChainEnd { sequence: 0, digest: Digest::ZERO, signed_at: None };
        Self {
            size: 0,
            epoch: 1,
            last_recorded_at: None,
            sealed: end,
            acknowledged: 0,
            consumed: end,
            consumed_peer_sequence_seen: 0,
            peer_epoch: 0,
            peer_head: PeerHead { size: 0, root: Digest::ZERO },
            cursors: BTreeMap::new(),
            cosigned: PeerHead { size: 0, root: Digest::ZERO },
            material_size: 0,
            held: false,
            overdue: 0,
            complaint_answered: 0,
            configuration: Digest::ZERO,
            clock_skewed: false,
            degraded_since: None,
            keys: Keys::default(),
            restoring: false,
            drafts: Arc::default(),
        }
    }
}

impl State {
    /// Number of events folded in.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// This daemon's epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// When the last event was recorded.
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        self.last_recorded_at
    }

    /// End of the chain of sealed messages.
    pub fn sealed(&self) -> &ChainEnd {
        &self.sealed
    }

    /// Highest sealed sequence whose receipt is recorded.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// End of the other Party's chain as consumed here.
    pub fn consumed(&self) -> &ChainEnd {
        &self.consumed
    }

    /// peer_sequence_seen of the last consumed envelope.
    pub fn consumed_peer_sequence_seen(&self) -> u64 {
        self.consumed_peer_sequence_seen
    }

    /// The other Party's epoch; 0 before its first envelope.
    pub fn peer_epoch(&self) -> u32 {
        self.peer_epoch
    }

    /// The other Party's ledger head as last accepted.
    pub fn peer_head(&self) -> PeerHead {
        self.peer_head
    }

    /// This ledger's head as the other Party cosigned it last.
    pub fn cosigned(&self) -> PeerHead {
        self.cosigned
    }

    /// Whether something has happened since then that says more than a head or a cosignature. Only that is worth another
    /// exchange: two daemons that told each other of their telling would never be done.
    pub fn has_uncosigned(&self) -> bool {
        self.material_size > self.cosigned.size
    }

    /// Highest sequence that an overdue receipt was recorded for.
    pub fn overdue(&self) -> u64 {
        self.overdue
    }

    /// Digest of the configuration as recorded last; zero before the first.
    pub fn configuration(&self) -> Digest {
        self.configuration
    }

    /// The message whose receipt is overdue and whose complaint the other Party has not answered.
    pub fn open_complaint(&self) -> Option<u64> {
        let waits = self.acknowledged + 1 == self.overdue;
        (waits && self.complaint_answered < self.overdue).then_some(self.overdue)
    }

    /// Highest sequence that the answer to a complaint was recorded for.
    pub fn complaint_answered(&self) -> u64 {
        self.complaint_answered
    }

    /// Whether the other Party's clock is beyond the limit.
    pub fn is_clock_skewed(&self) -> bool {
        self.clock_skewed
    }

    /// Since when the daemon runs with a clock that is below the floor.
    pub fn degraded_since(&self) -> Option<Timestamp> {
        self.degraded_since
    }

    /// Whether a restore was begun and is not complete.
    pub fn is_restoring(&self) -> bool {
        self.restoring
    }

    /// The keys of both Parties.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether the channel is held because the other Party's ledger contradicted itself.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Everything in the feed before this ledger index was taken over by the client.
    pub fn cursor(&self, client: &str) -> u64 {
        self.cursors.get(client).copied().unwrap_or(0)
    }

    /// Everything in the feed before this ledger index was taken over by some client.
    pub fn handed_over(&self) -> u64 {
        self.cursors.values().copied().max().unwrap_or(0)
    }

    /// Drafts that are neither released nor discarded, with the ledger index of their last event.
    pub fn drafts(&self) -> &BTreeMap<[u8; 16], u64> {
        &self.drafts
    }

    /// Folds the next event in. On an error the state is unchanged.
    pub fn apply(&mut self, event: &Event, envelope: Option<&wire::Envelope>) -> Result<(), FoldError> {
        let fact = event.fact.as_ref().ok_or(FoldError::UnknownFact)?;
        if matches!(fact, Fact::Founded(_)) != (self.size == 0) {
            return Err(FoldError::Founding);
        }
        let recorded_at = event.recorded_at.ok_or(FoldError::Time)?;
        if self.last_recorded_at.is_some_and(|last| order(&last) > order(&recorded_at)) {
            return Err(FoldError::Time);
        }
        let next = if matches!(fact, Fact::Restored(restored) if !restored.complete) {
            event.epoch > self.epoch
        } else {
            event.epoch == self.epoch
        };
        if self.size > 0 && !next {
            return Err(FoldError::Epoch);
        }
        self.apply_fact(fact, envelope)?;
        self.keys.apply(fact, recorded_at, envelope)?;
        if let Fact::Degraded(degraded) = fact {
            self.degraded_since = degraded.begins.then_some(self.degraded_since.unwrap_or(recorded_at));
        }
        self.epoch = event.epoch;
        self.size += 1;
        if !matches!(fact, Fact::Witnessed(_) | Fact::Cosigned(_)) {
            self.material_size = self.size;
        }
        self.last_recorded_at = Some(recorded_at);
        Ok(())
    }

    fn apply_fact(&mut self, fact: &Fact, envelope: Option<&wire::Envelope>) -> Result<(), FoldError> {
        match fact {
            Fact::Founded(_) | Fact::Started(_) | Fact::Read(_) | Fact::Equivocation(_) => {}
            Fact::KeyIntroduced(_) | Fact::KeyRetired(_) | Fact::Degraded(_) => {}
            Fact::OrderProposed(_) | Fact::OrderDecided(_) => {}
            Fact::Restored(restored) => self.restore(restored)?,
            Fact::PeerRestored(restored) => {
                if restored.epoch <= self.peer_epoch.max(1) {
                    return Err(FoldError::Epoch);
                }
                let root = Digest::from_slice(&restored.common_root).unwrap_or(Digest::ZERO);
                self.peer_head = PeerHead { size: restored.common_size, root };
                self.peer_epoch = restored.epoch;
                self.held = true;
                if restored.revoked {
                    self.set_back_consumed(restored)?;
                }
            }
            Fact::Sealed(sealed) => {
                let envelope = envelope.ok_or(FoldError::Envelope)?;
                self.sealed = next(&self.sealed, sealed.sequence, &sealed.envelope_digest, envelope)?;
            }
            Fact::Received(received) => {
                self.consume(received.sequence, &received.envelope_digest, envelope, false)?
            }
            Fact::Rejected(rejected) => {
                self.consume(rejected.sequence, &rejected.envelope_digest, envelope, true)?
            }
            Fact::Acknowledged(acknowledged) => {
                if acknowledged.sequence != self.acknowledged + 1
                    || acknowledged.sequence > self.sealed.sequence
                {
                    return Err(FoldError::Sequence);
                }
                let root = Digest::from_slice(&acknowledged.peer_root).ok_or(FoldError::Envelope)?;
                self.acknowledged = acknowledged.sequence;
                if acknowledged.peer_size >= self.peer_head.size {
                    self.peer_head = PeerHead { size: acknowledged.peer_size, root };
                }
            }
            Fact::Witnessed(witnessed) => {
                let root = Digest::from_slice(&witnessed.root).ok_or(FoldError::Head)?;
                if witnessed.size <= self.peer_head.size {
                    return Err(FoldError::Head);
                }
                self.peer_head = PeerHead { size: witnessed.size, root };
            }
            Fact::Cosigned(cosigned) => {
                let root = Digest::from_slice(&cosigned.root).ok_or(FoldError::Head)?;
                if cosigned.size <= self.cosigned.size || cosigned.size > self.size {
                    return Err(FoldError::Head);
                }
                self.cosigned = PeerHead { size: cosigned.size, root };
            }
            Fact::Contradiction(_) => self.held = true,
            Fact::Overdue(overdue) => {
                if overdue.sequence <= self.overdue || overdue.sequence > self.sealed.sequence {
                    return Err(FoldError::Sequence);
                }
                self.overdue = overdue.sequence;
            }
            Fact::ComplaintAnswered(answered) => {
                if answered.sequence <= self.complaint_answered || answered.sequence > self.overdue {
                    return Err(FoldError::Sequence);
                }
                self.complaint_answered = answered.sequence;
            }
            Fact::ConfigurationChanged(changed) => {
                self.configuration = Digest::from_slice(&changed.digest).ok_or(FoldError::Envelope)?;
            }
            Fact::DraftChanged(changed) => {
                let id: [u8; 16] = changed.draft_id.as_ref().try_into().map_err(|_| FoldError::Envelope)?;
                let ends = [DraftAction::Released, DraftAction::Discarded].contains(&changed.action());
                let drafts = Arc::make_mut(&mut self.drafts);
                if ends {
                    drafts.remove(&id);
                } else {
                    drafts.insert(id, self.size);
                }
            }
            Fact::ClockSkew(skew) => self.clock_skewed = skew.beyond_limit,
            Fact::OperatorActed(acted) => {
                if acted.action() == OperatorAction::ReleaseChannel {
                    self.held = false;
                }
            }
            Fact::HandedOver(handed_over) => {
                if handed_over.next_leaf > 0 {
                    let cursor = self.cursors.entry(handed_over.client.clone()).or_default();
                    *cursor = handed_over.next_leaf.max(*cursor);
                }
            }
        }
        Ok(())
    }

    /// The next envelope takes its place in the chain. One that was turned down may have lied about its time or about
    /// what it has seen: then it moves nothing else.
    fn consume(
        &mut self,
        sequence: u64,
        digest: &[u8],
        envelope: Option<&wire::Envelope>,
        turned_down: bool,
    ) -> Result<(), FoldError> {
        let envelope = envelope.ok_or(FoldError::Envelope)?;
        let end = next(&self.consumed, sequence, digest, envelope)?;
        if turned_down {
            self.consumed = ChainEnd { signed_at: self.consumed.signed_at, ..end };
        } else {
            self.consumed = end;
            self.consumed_peer_sequence_seen = envelope.peer_sequence_seen;
        }
        self.peer_epoch = self.peer_epoch.max(envelope.epoch);
        Ok(())
    }
}

fn next(
    end: &ChainEnd,
    sequence: u64,
    digest: &[u8],
    envelope: &wire::Envelope,
) -> Result<ChainEnd, FoldError> {
    if sequence != end.sequence + 1
        || envelope.sequence != sequence
        || envelope.previous_digest != end.digest.as_bytes().as_slice()
    {
        return Err(FoldError::Sequence);
    }
    let digest = Digest::from_slice(digest).ok_or(FoldError::Envelope)?;
    Ok(ChainEnd { sequence, digest, signed_at: envelope.signed_at })
}
