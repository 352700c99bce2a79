//! Two different messages at one place of a chain.

use super::{ProofFault, Proven, Statement, bytes};
use crate::crypto::certificate::Certificate;
use crate::crypto::cms;
use crate::wire::channel::v1::Envelope;
use prost::Message as _;

/// Checks that the certificate's key signed both, and that both claim one place.
pub(super) fn verify(certificate: &str, statements: &[Statement; 2]) -> Result<Proven, ProofFault> {
    let certificate = Certificate::from_der(&bytes(certificate)?).map_err(|_| ProofFault::Certificate)?;
    let [one, other] = statements;
    let (one, other) = (signed(&certificate, one)?, signed(&certificate, other)?);
    let place = |envelope: &Envelope| {
        (
            envelope.environment,
            envelope.agreement_id.clone(),
            envelope.sender.clone(),
            envelope.recipient.clone(),
            envelope.epoch,
            envelope.sequence,
        )
    };
    if one.0 == other.0 || place(&one.1) != place(&other.1) {
        return Err(ProofFault::NoContradiction);
    }
    let Envelope { sender, recipient, sequence, agreement_id, .. } = &one.1;
    Ok(Proven {
        fingerprint: certificate.key_id(),
        sentence: format!(
            "{sender} signed two different messages to {recipient} as number {sequence} under {agreement_id}."
        ),
    })
}

fn signed(certificate: &Certificate, statement: &Statement) -> Result<(Vec<u8>, Envelope), ProofFault> {
    let envelope = bytes(&statement.envelope)?;
    cms::verify(&bytes(&statement.signature)?, certificate, &envelope)?;
    let fields = Envelope::decode(envelope.as_slice()).map_err(|_| ProofFault::Format)?;
    Ok((envelope, fields))
}
