//! What follows for a message from what is in force.
//!
//! The sender's daemon refuses before it seals. The receiver turns a message down only for who speaks (Article 6.1), by a
//! rule that both sides decide alike: the list in force at the message's place in its sender's chain, at the time at which it
//! was signed. Everything else alerts.

use super::{Agreement, Heads};
use crate::channel::envelope::{Draft, later};
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::Digest;
use crate::exchange::cases::CaseFile;
use crate::rules::Violation;
use crate::store::OpenedEvent;
use crate::treaty::Code;
use crate::treaty::calendar::{Occasion, Phase, permits};
use crate::treaty::case::Act;
use crate::treaty::designations::{Designations, Objection};
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{DesignationScope, Effect, Kind};
use crate::wire::channel::v1::{Envelope, Environment, StatementType};
use crate::wire::ledger::v1::RejectionReason;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use prost::Message as _;
use prost_types::Timestamp as WireTime;
use std::sync::atomic::{AtomicU64, Ordering};

/// Messages since the start that were accepted with an alert.
#[derive(Debug, Default)]
pub struct Alerts {
    directives: AtomicU64,
    designations: AtomicU64,
}

impl Alerts {
    /// Messages stated under other directives than are in force here (Article 11).
    pub fn directives(&self) -> u64 {
        self.directives.load(Ordering::Relaxed)
    }

    /// Messages whose official had been designated when they were signed, and was not any more when they arrived.
    pub fn designations(&self) -> u64 {
        self.designations.load(Ordering::Relaxed)
    }
}

impl Agreement {
    /// Where the agreement stands.
    pub fn phase(&self, at: Timestamp) -> Phase {
        self.dates.phase(at)
    }

    /// Whether this Party may seal a message now.
    ///
    /// # Errors
    /// Why not, with the paragraph on which that rests.
    pub fn permits(
        &self,
        (terms, heads): (&Terms, &Heads),
        state: &State,
        now: WireTime,
        (draft, effect, body): (&Draft, &[u8], &[u8]),
    ) -> Result<(), Code> {
        if draft.statement_type != StatementType::Treaty {
            return Ok(());
        }
        let at = instant(state.sealed().signed_at.map_or(now, |before| later(before, now)));
        let effect = Effect::decode(effect).unwrap_or_default();
        self.permits_act(terms, at, &effect)?;
        if effect.kind() == Kind::DesignationNotice {
            return self.permits_list(terms, heads, &effect, body);
        }
        let strict = is_strict(terms, &heads.own);
        speaks(&self.own, strict, (&draft.acting_official, &draft.releasing_official), at)
            .map_err(Objection::code)
    }

    fn permits_act(&self, terms: &Terms, at: Timestamp, effect: &Effect) -> Result<(), Code> {
        // A body that says nothing of a known kind moves nothing; it is not for this to judge.
        let Some(act) = Act::of(effect) else { return Ok(()) };
        let shared = self.accords.shared(day(at));
        let occasion = Occasion {
            phase: self.phase(at),
            rehearsal: terms.environment != Environment::Production,
            undated: self.dates.is_empty(),
            completion: shared.wind_down_completion,
        };
        permits(occasion, act)?;
        if act == Act::Spontaneous && !shared.spontaneous_information_enabled {
            return Err(Code::KindNotEnabled);
        }
        if self.held && (act.supplies() || act == Act::Spontaneous) {
            return Err(Code::ReleaseHeld);
        }
        Ok(())
    }

    /// A list rests on the head's signature and on no list before it: else nobody could state one when all have expired.
    fn permits_list(&self, terms: &Terms, heads: &Heads, effect: &Effect, body: &[u8]) -> Result<(), Code> {
        if heads.own.is_empty() {
            return Ok(());
        }
        if !heads.signed(terms, &terms.party, body) {
            return Err(Code::DesignationSignature);
        }
        match &effect.detail {
            Some(Detail::Designation(list)) if list.list_version <= self.own.version() => {
                Err(Code::ListVersion)
            }
            _ => Ok(()),
        }
    }

    /// Whether a written confirmation comes in time: after the end only an oral request of before is confirmed (Article 12.3).
    ///
    /// # Errors
    /// [`Code::AgreementCeased`].
    pub fn confirms_in_time(&self, file: &CaseFile, effect: &[u8], now: WireTime) -> Result<(), Code> {
        let effect = Effect::decode(effect).unwrap_or_default();
        let (Some(Act::Confirmation), Some(end)) = (Act::of(&effect), self.dates.ceases_at()) else {
            return Ok(());
        };
        let opened = file.filed.first().map(|filed| instant(filed.signed_at));
        let in_time = file.case.state().is_some() && opened.is_some_and(|at| at < end);
        if self.phase(instant(now)) != Phase::Ceased || in_time { Ok(()) } else { Err(Code::AgreementCeased) }
    }

    /// Why a message of the other Party is turned down; `None` for one that is not.
    pub(in crate::exchange) fn objection(
        &self,
        terms: &Terms,
        heads: &Heads,
        envelope: &Envelope,
        body: Option<&[u8]>,
    ) -> Option<RejectionReason> {
        if envelope.statement_type != i32::from(StatementType::Treaty) {
            return None;
        }
        if is_kind(envelope, Kind::DesignationNotice) {
            // Content that its sender has erased can be judged no more, and changes nothing.
            let forged = !heads.peer.is_empty()
                && body.is_some_and(|body| !heads.signed(terms, &envelope.sender, body));
            return forged.then_some(RejectionReason::DesignationSignature);
        }
        let officials = (envelope.acting_official.as_str(), envelope.releasing_official.as_str());
        let at = instant(envelope.signed_at.unwrap_or_default());
        speaks(&self.peer, is_strict(terms, &heads.peer), officials, at).err().map(rejection)
    }

    /// Tells of what is accepted all the same: another set of directives, a designation that has ended meanwhile.
    pub(in crate::exchange) fn alert(&self, alerts: &Alerts, envelope: &Envelope, now: WireTime) {
        if envelope.statement_type != i32::from(StatementType::Treaty) {
            return;
        }
        let sequence = envelope.sequence;
        let signed_at = instant(envelope.signed_at.unwrap_or_default());
        let ours = self.accords.digest(day(signed_at)).map(|digest| digest.to_bytes()).unwrap_or_default();
        if ours != envelope.directives {
            alerts.directives.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                code = "DIRECTIVES_DIFFER",
                sequence,
                "a message was stated under other directives than are in force here; it is accepted"
            );
        }
        let officials = (envelope.acting_official.as_str(), envelope.releasing_official.as_str());
        if self.peer.version() > 0
            && !is_kind(envelope, Kind::DesignationNotice)
            && speaks(&self.peer, false, officials, instant(now)).is_err()
        {
            alerts.designations.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                code = "DESIGNATION_ENDED_MEANWHILE",
                sequence,
                "an official's designation held when a message was signed and does not now; the message is accepted"
            );
        }
    }

    /// Digest of the directives in force at an instant, as an envelope states it.
    pub fn directives(&self, at: WireTime) -> Option<Digest> {
        self.accords.digest(day(instant(at)))
    }
}

/// What a recorded statement lacks in the signatures of the heads (Articles 6.1 and 11): it changes nothing.
pub fn deficiencies(opened: &OpenedEvent) -> Option<Violation> {
    let envelope = opened.envelope.as_deref()?;
    let (code, field) = match () {
        () if is_kind(envelope, Kind::DesignationNotice) => {
            (Code::DesignationSignature, "designation_notice.signature")
        }
        () if is_kind(envelope, Kind::Accord) => (Code::AccordSignatures, "accord.signatures"),
        () => return None,
    };
    let lacking = !opened.record.head_signed;
    lacking.then(|| Violation {
        code: code.name(),
        field: field.to_owned(),
        article: code.article(),
        description: code.explanation(),
    })
}

/// Whether the officials of a message speak for their Party. Before the first list of a Party anybody does, unless `strict`.
fn speaks(
    list: &Designations,
    strict: bool,
    (acting, releasing): (&str, &str),
    at: Timestamp,
) -> Result<(), Objection> {
    if list.version() == 0 {
        return if strict { Err(Objection::NotListed) } else { Ok(()) };
    }
    list.judge(acting, at, DesignationScope::Requests)?;
    if releasing.is_empty() { Ok(()) } else { list.judge(releasing, at, DesignationScope::Release) }
}

/// With legal effect, and where a list can be told from a forged one, nobody speaks before the first.
fn is_strict(terms: &Terms, heads: &[crate::crypto::Certificate]) -> bool {
    terms.environment == Environment::Production && !heads.is_empty()
}

fn rejection(objection: Objection) -> RejectionReason {
    match objection {
        Objection::NotListed => RejectionReason::OfficialNotListed,
        Objection::NotYetValid => RejectionReason::OfficialNotYetValid,
        Objection::Expired => RejectionReason::OfficialExpired,
        Objection::Revoked => RejectionReason::OfficialRevoked,
        Objection::OutOfScope => RejectionReason::OfficialOutOfScope,
    }
}

fn is_kind(envelope: &Envelope, kind: Kind) -> bool {
    i32::try_from(envelope.kind) == Ok(kind.into())
}

/// A time that no calendar has is the beginning of all: nothing holds then.
fn instant(at: WireTime) -> Timestamp {
    Timestamp::new(at.seconds, at.nanos).unwrap_or(Timestamp::MIN)
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
