//! The text for people: what the bundle proves and how to check that without this program.

use super::check::Proven;
use super::claim::time;
use crate::wire::channel::v1::StatementType;
use std::fmt::Write as _;
use uuid::Uuid;

/// The summary of what was found when the bundle was made.
pub fn summary(proven: &Proven) -> String {
    let envelope = &proven.envelope;
    let id = |bytes: &[u8]| Uuid::from_slice(bytes).map(|id| id.to_string()).unwrap_or_default();
    let what = match StatementType::try_from(envelope.statement_type) {
        Ok(StatementType::Service) => "a statement of the daemons",
        Ok(StatementType::Test) => "a test",
        _ => "a message of the agreement",
    };
    let mut text = format!(
        "Evidence of {what}, {} to {}, number {}, under {} ({}).\nmessage {}\ncase    {}\nsealed  {} (sender's clock)\nsha256  {}\n\nWhat is proven, if the keys are theirs:\n",
        envelope.sender,
        envelope.recipient,
        envelope.sequence,
        envelope.agreement_id,
        proven.terms.environment_name(),
        id(&envelope.message_id),
        id(&envelope.case_id),
        time(envelope.signed_at.map_or(0, |at| u64::try_from(at.seconds).unwrap_or(0))),
        proven.envelope_digest,
    );
    // Writing to a `String` cannot fail.
    for claim in proven.claims() {
        let _ = writeln!(text, "- {}", claim.sentence);
    }
    text += "\nWhat is not:\n";
    for gap in proven.gaps() {
        let _ = writeln!(text, "- {gap}");
    }
    let mut keys: Vec<_> = proven.claims().into_iter().map(|claim| (claim.party, claim.key)).collect();
    keys.sort_unstable();
    keys.dedup();
    text += "\nKeys it rests on; compare them with what each Party says of itself:\n";
    for (party, key) in keys {
        let _ = writeln!(text, "- {party} sha256:{key}");
    }
    text += "\nTo check: article6 verify FILE --trust PARTY=sha256:HEX\nor: openssl cms -verify -binary -cades -inform DER -in signature.p7s -content envelope.bin -certfile signer.pem -CAfile signer.pem -partial_chain -purpose any -out /dev/null\n";
    text
}
