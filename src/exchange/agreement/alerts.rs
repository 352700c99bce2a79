//! What is accepted all the same, and told: to operations staff by numbers, to officials with the message.

use super::Agreement;
use super::judge::{day, instant, is_kind, speaks};
use crate::rules::Violation;
use crate::store::OpenedEvent;
use crate::treaty::Code;
use crate::wire::assistance::v1::Kind;
use crate::wire::channel::v1::{Envelope, StatementType};
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
}

/// What a message that was received lacks in view of what is in force: the signatures of the heads, without which a statement
/// changes nothing (Articles 6.1 and 11), or a directive that lets information be given without a request (Article 2.1).
pub fn deficiency(agreement: &Agreement, opened: &OpenedEvent) -> Option<Violation> {
    let envelope = opened.envelope.as_deref()?;
    let signed_on = day(instant(envelope.signed_at.unwrap_or_default()));
    let enabled = || agreement.accords.shared(signed_on).spontaneous_information_enabled;
    let unsigned = !opened.record.head_signed;
    let (code, field) = match () {
        () if unsigned && is_kind(envelope, Kind::DesignationNotice) => {
            (Code::DesignationSignature, "designation_notice.signature")
        }
        () if unsigned && is_kind(envelope, Kind::Accord) => (Code::AccordSignatures, "accord.signatures"),
        () if is_kind(envelope, Kind::SpontaneousInformation) && !enabled() => {
            (Code::KindNotEnabled, "spontaneous_information")
        }
        () => return None,
    };
    Some(Violation {
        code: code.name(),
        field: field.to_owned(),
        article: code.article(),
        description: code.explanation(),
    })
}
