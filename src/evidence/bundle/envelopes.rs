//! Signed envelopes: the message itself and those that introduced keys.

use super::facts::{ENVELOPE, SIGNATURE, SIGNER};
use super::keys::Keys;
use super::{BundleFault, broken};
use crate::channel::envelope::STATEMENT;
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::cms;
use crate::crypto::digest::Digest;
use crate::wire::channel::v1::{Envelope, Environment};
use bytes::Bytes;
use prost::Message as _;

/// Verifies an envelope between the two Parties and its signature; returns it with the key that signed.
pub(super) fn signed(
    terms: &Terms,
    keys: &Keys,
    bytes: &Bytes,
    signature: &[u8],
    certificate: &Certificate,
) -> Result<(Envelope, Digest), BundleFault> {
    let envelope = Envelope::decode(bytes.clone()).map_err(|_| BundleFault::File(ENVELOPE))?;
    check_place(terms, &envelope)?;
    let key = certificate.key_id();
    if envelope.signing_key_id != key.as_bytes().as_slice() || !keys.is_signing(&envelope.sender, &key) {
        return Err(broken(SIGNER, "it is not of the key that the envelope names"));
    }
    cms::verify(signature, certificate, bytes).map_err(|error| broken(SIGNATURE, error))?;
    Ok((envelope, key))
}

fn check_place(terms: &Terms, envelope: &Envelope) -> Result<(), BundleFault> {
    let Terms { party, counterparty, .. } = terms;
    let between = [(&envelope.sender, &envelope.recipient), (&envelope.recipient, &envelope.sender)];
    let wrong = [
        ("statement", envelope.statement != STATEMENT),
        ("environment", Environment::try_from(envelope.environment) != Ok(terms.environment)),
        ("agreement", envelope.agreement_id != terms.agreement),
        ("Parties", !between.contains(&(party, counterparty))),
    ];
    match wrong.into_iter().find(|(_, wrong)| *wrong) {
        Some((what, _)) => Err(broken(ENVELOPE, format!("it names another {what}"))),
        None => Ok(()),
    }
}
