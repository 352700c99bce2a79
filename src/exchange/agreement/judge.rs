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
use crate::treaty::Code;
use crate::treaty::calendar::{Occasion, Phase, permits};
use crate::treaty::case::Act;
use crate::treaty::designations::{Designations, Objection};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{Body, DesignationScope, Effect, Kind, NonExecutionGround};
use crate::wire::channel::v1::{Envelope, Environment, StatementType};
use crate::wire::ledger::v1::RejectionReason;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use prost::Message as _;
use prost_types::Timestamp as WireTime;

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
        self.permits_act(terms, at, &effect, body)?;
        if effect.kind() == Kind::DesignationNotice {
            return self.permits_list(terms, heads, &effect, body);
        }
        let strict = is_strict(terms, &heads.own);
        speaks(&self.own, strict, (&draft.acting_official, &draft.releasing_official), at)
            .and_then(|()| self.sends(at, &effect, body))
            .map_err(Objection::code)
    }

    fn permits_act(&self, terms: &Terms, at: Timestamp, effect: &Effect, body: &[u8]) -> Result<(), Code> {
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
        let ended = occasion.phase == Phase::Ceased && !occasion.completion;
        if ended && act == Act::NonExecution && !is_ceased_ground(body) {
            return Err(Code::CeasedGroundRequired);
        }
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

    /// Digest of the directives in force at an instant, as an envelope states it.
    pub fn directives(&self, at: WireTime) -> Option<Digest> {
        self.accords.digest(day(instant(at)))
    }
}

/// Whether the officials of a message speak for their Party. Before the first list of a Party anybody does, unless `strict`.
pub(super) fn speaks(
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

/// Whether a request is not executed because the agreement has ceased.
fn is_ceased_ground(body: &[u8]) -> bool {
    match Body::decode(body).ok().and_then(|body| body.content) {
        Some(Content::NonExecutionNotice(it)) => {
            it.grounds().any(|it| it == NonExecutionGround::AgreementCeased)
        }
        _ => false,
    }
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

pub(super) fn is_kind(envelope: &Envelope, kind: Kind) -> bool {
    i32::try_from(envelope.kind) == Ok(kind.into())
}

/// A time that no calendar has is the beginning of all: nothing holds then.
pub(super) fn instant(at: WireTime) -> Timestamp {
    Timestamp::new(at.seconds, at.nanos).unwrap_or(Timestamp::MIN)
}

pub(super) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
