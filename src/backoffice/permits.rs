//! Whether content may be read for what it is read for (Articles 3 and 4).
//!
//! What the other Party supplied may be used for all purposes of the agreement (3.1). Another use needs its consent for that
//! item; a condition accepted before the item was supplied can exclude its use as evidence (4); confidential content is for
//! officials who are cleared (3.2). This Party's own messages are its own.

use super::Office;
use super::caller::Reading;
use crate::channel::lookup::case_id;
use crate::crypto::digest::Digest;
use crate::door::Refusal;
use crate::exchange::cases::{REVISED_MAX, effect_of};
use crate::store::{OpenedEvent, StoreError};
use crate::treaty::case::Case;
use crate::wire::assistance::v1::{ConditionKind, Purpose};
use crate::wire::ledger::v1::{Read, event::Fact};
use tonic::Code;

/// Why content is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// The other Party has not consented to this use of this item.
    Consent,
    /// It was supplied under the condition that it is not used as evidence.
    NoEvidence,
    /// It is confidential and the official is not cleared.
    Confidential,
}

impl Office {
    /// Why the content of a message may not be read; `None` where it may.
    pub fn withheld(&self, reading: &Reading, opened: &OpenedEvent) -> Result<Option<Withheld>, StoreError> {
        if reading.purpose == Purpose::Other && !reading.caller.for_other {
            return Ok(Some(Withheld::Consent));
        }
        let Some(envelope) = opened.envelope.as_deref() else { return Ok(None) };
        let Some(case) = case_id(envelope) else { return Ok(None) };
        let supplied = matches!(opened.event.fact, Some(Fact::Received(_)));
        let (stated, purpose) = (effect_of(opened, envelope).confidential, reading.purpose);
        let judicial = matches!(purpose, Purpose::JudicialProceeding | Purpose::AdministrativeProceeding);
        // Most content can be read by everybody here for every purpose of the agreement: then the case is not asked.
        if reading.caller.cleared && (!supplied || !(judicial || purpose == Purpose::Other)) {
            return Ok(None);
        }
        let file = self.engine.case(case)?;
        let item = Digest::of(&opened.record.envelope);
        if !reading.caller.cleared && file.case.is_confidential(&item, stated) {
            return Ok(Some(Withheld::Confidential));
        }
        let consented = || {
            let today = self.today();
            file.case.consents_to(&item).any(|until| until.is_empty() || *until >= *today)
        };
        Ok(match purpose {
            _ if !supplied => None,
            Purpose::Other => (!consented()).then_some(Withheld::Consent),
            Purpose::JudicialProceeding => {
                let excludes = |case: &Case| {
                    let mut kinds = case.accepted_conditions().values();
                    kinds.any(|kind| *kind == i32::from(ConditionKind::NoEvidenceUse))
                };
                // In a case that somebody floods a condition binds what came before it, too.
                let long = file.entries.len() > REVISED_MAX;
                let excluded = excludes(&file.case) && (long || excludes(&file.before(opened.leaf)));
                (excluded && !consented()).then_some(Withheld::NoEvidence)
            }
            _ => None,
        })
    }

    /// The same as a refusal. That content was withheld is recorded as its reading would be, before it is told.
    pub async fn may_read(&self, reading: &Reading, opened: &OpenedEvent) -> Result<(), Refusal> {
        let withheld = self.withheld(reading, opened).map_err(|error| super::refusals::store(&error))?;
        let Some(refusal) = withheld.map(Withheld::refusal) else { return Ok(()) };
        let withheld = refusal.reason.to_owned();
        self.note(Read { leaves: vec![opened.leaf], withheld, ..reading.fact() }).await?;
        Err(refusal)
    }

    /// The day, by this daemon's clock in UTC.
    fn today(&self) -> String {
        let seconds = self.engine.core().clock.now().seconds;
        jiff::Timestamp::from_second(seconds)
            .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
            .unwrap_or_default()
    }
}

impl Withheld {
    fn refusal(self) -> Refusal {
        let (reason, article, text) = match self {
            Self::Consent => (
                "CONSENT_REQUIRED",
                "3.1",
                "use for other purposes needs the supplying Party's express consent for this item, and a RELEASING_OFFICER \
                 who reads under it",
            ),
            Self::NoEvidence => (
                "NO_EVIDENCE_USE",
                "4",
                "this was supplied under the accepted condition that it is not used as evidence; the supplying Party can \
                 consent to it",
            ),
            Self::Confidential => (
                "CLEARANCE_REQUIRED",
                "3.2",
                "this is confidential: the official is not cleared for confidential content",
            ),
        };
        Refusal::new(Code::PermissionDenied, reason, text).metadata("article", article)
    }
}
