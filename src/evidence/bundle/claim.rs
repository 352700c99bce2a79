//! What a sound bundle proves, in sentences that stand alone; and on whose key each of them rests.

use super::check::{Placed, Proven};
use crate::crypto::digest::Digest;
use crate::wire::ledger::v1::RejectionReason;
use jiff::Timestamp;

/// One thing that is proven, if the key is whose the reader believes it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Stable name of the kind of claim.
    pub code: &'static str,
    /// In words.
    pub sentence: String,
    /// Whose signature it rests on.
    pub party: String,
    /// Fingerprint of the key.
    pub key: Digest,
}

impl Proven {
    /// Everything that is proven, in the order it happened.
    pub fn claims(&self) -> Vec<Claim> {
        let envelope = &self.envelope;
        let claim =
            |code, sentence: String, party: &str, key| Claim { code, sentence, party: party.to_owned(), key };
        let (sender, recipient, number) = (&envelope.sender, &envelope.recipient, envelope.sequence);
        let mut claims = vec![claim(
            "SIGNED",
            format!(
                "{sender} signed this message to {recipient} as its number {number} under {}.",
                envelope.agreement_id
            ),
            sender,
            self.signing_key,
        )];
        let (code, content) = match &self.body {
            Some(_) => ("CONTENT", "The enclosed content is exactly what was signed."),
            None => ("CONTENT_UNAVAILABLE", "The content is no longer held; only its digest is proven."),
        };
        claims.push(claim(code, content.to_owned(), sender, self.signing_key));
        let own = self.terms.party == *sender;
        if own {
            let place = place(&self.record);
            let sentence = format!("{sender} recorded the sealing in its ledger: {place}.");
            claims.push(claim("SEALED", sentence, sender, self.record.key));
        }
        if let Some(receipt) = self.receipt.as_ref().or(if own { None } else { Some(&self.record) }) {
            claims.push(receipted(recipient, receipt));
        }
        let what = if own { "sealing" } else { "arrival" };
        let (exporter, other) = (&self.terms.party, &self.terms.counterparty);
        if let Some(earliest) = self.earliest {
            let sentence = format!(
                "{exporter} recorded the {what} after {}, by the clock of {other}, which had cosigned an earlier state then.",
                time(earliest.at)
            );
            claims.push(claim("RECORDED_AFTER", sentence, other, earliest.key));
        }
        if let Some(latest) = self.latest {
            let sentence = format!(
                "{exporter} recorded the {what} before {}, by the clock of {other}, which cosigned a state that contains it then.",
                time(latest.at)
            );
            claims.push(claim("RECORDED_BEFORE", sentence, other, latest.key));
        }
        claims
    }

    /// What the bundle does not prove although one might think so.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        let other = &self.terms.counterparty;
        if self.receipt.is_none() && self.terms.party == self.envelope.sender {
            gaps.push(format!("There is no receipt: that {other} holds the message is not proven."));
        }
        if self.latest.is_none() {
            gaps.push(format!(
                "{other} has not cosigned a state that contains the record: it may have been made later."
            ));
        }
        if self.earliest.is_none() {
            gaps.push(format!("{other} had cosigned nothing before: the record may have been made earlier."));
        }
        gaps.push("Neither clock says when a person acted, only when the daemons recorded it.".to_owned());
        gaps
    }
}

fn receipted(recipient: &str, receipt: &Placed) -> Claim {
    let place = place(receipt);
    let (code, sentence) = match receipt.rejection {
        None => ("RECEIVED", format!("{recipient} recorded that it holds the message: {place}.")),
        Some(reason) => {
            let reason = words(reason);
            (
                "REJECTED",
                format!("{recipient} recorded that it turned the message down, because {reason}: {place}."),
            )
        }
    };
    Claim { code, sentence, party: recipient.to_owned(), key: receipt.key }
}

fn place(placed: &Placed) -> String {
    format!(
        "event {} of {}, by its own clock at {}",
        placed.index,
        placed.checkpoint.size,
        time(u64::try_from(placed.recorded_at.seconds).unwrap_or(0))
    )
}

/// A time for people and machines (RFC 3339).
pub fn time(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| format!("second {seconds}"), |at| at.to_string())
}

/// Why a message was turned down, as the end of a sentence.
pub fn words(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::Unspecified => "of a reason it did not state",
        RejectionReason::BodyMismatch => "the content was not what was signed (BODY_MISMATCH)",
        RejectionReason::BodyTooLarge => "the content was too long (BODY_TOO_LARGE)",
        RejectionReason::MessageIdReused => "its identifier belonged to another message (MESSAGE_ID_REUSED)",
        RejectionReason::PeerSequenceImpossible => {
            "it named messages as seen that cannot have been (PEER_SEQUENCE_IMPOSSIBLE)"
        }
        RejectionReason::TimeRanBackwards => "its time lay before its predecessor's (TIME_RAN_BACKWARDS)",
        RejectionReason::EnvelopeMalformed => "a field was missing or out of bounds (ENVELOPE_MALFORMED)",
        RejectionReason::ServiceRefused => "it says of the daemons what cannot be (SERVICE_REFUSED)",
        RejectionReason::OfficialNotListed => {
            "its official was not on the sender's list of designated officials (OFFICIAL_NOT_LISTED)"
        }
        RejectionReason::OfficialExpired => "its official's designation had ended (OFFICIAL_EXPIRED)",
        RejectionReason::OfficialRevoked => "its official's designation was revoked (OFFICIAL_REVOKED)",
        RejectionReason::OfficialNotYetValid => {
            "its official's designation had not begun (OFFICIAL_NOT_YET_VALID)"
        }
        RejectionReason::OfficialOutOfScope => {
            "its official was designated for something else (OFFICIAL_OUT_OF_SCOPE)"
        }
        RejectionReason::DesignationSignature => {
            "its list of officials lacked the head's valid signature (DESIGNATION_SIGNATURE)"
        }
        RejectionReason::StatementUnknown => "the kind of statement was not known (STATEMENT_UNKNOWN)",
    }
}
