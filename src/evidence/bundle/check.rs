//! What the files of a bundle prove, verified from the first byte; nothing is believed because somebody wrote it there.

use super::container::{MANIFEST, note, unpack};
use super::facts::{BODY, ENVELOPE, FACTS, Parts, RECEIPT, RECORD, SIGNER};
use super::keys::Keys;
use super::placed::{Place, before, placed};
use super::{BundleFault, broken, envelopes, notes};
use crate::channel::receipt::{SentEnvelope, read_event};
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::{Digest, commitment};
use crate::ledger::Checkpoint;
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{Event, Receipt, RejectionReason, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use prost_types::Timestamp;

/// What a sound bundle proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// Who talks to whom; `party` exported the bundle.
    pub terms: Terms,
    /// The envelope.
    pub envelope: Envelope,
    /// SHA-256 of its bytes.
    pub envelope_digest: Digest,
    /// The body's bytes; `None` where they are no longer held.
    pub body: Option<Bytes>,
    /// The key that signed the envelope.
    pub signing_key: Digest,
    /// The exporter's own record.
    pub record: Placed,
    /// The recipient's receipt.
    pub receipt: Option<Placed>,
    /// The record was made after this, by the counterparty's clock.
    pub earliest: Option<Cosigned>,
    /// The record was made before this, by the counterparty's clock.
    pub latest: Option<Cosigned>,
    /// Keys, each with the one that introduced it.
    pub introductions: Vec<(Digest, Digest)>,
    /// The keys that are listed, each with the Party it is said to be of.
    pub keys: Vec<(String, Digest)>,
}

/// An event and its place in a ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Whose ledger.
    pub party: String,
    /// The key that signed the ledger.
    pub key: Digest,
    /// Index of the event.
    pub index: u64,
    /// Hash of the event's leaf.
    pub leaf: Digest,
    /// The signed checkpoint the proof ends with.
    pub checkpoint: Checkpoint,
    /// By the clock of who keeps the ledger.
    pub recorded_at: Timestamp,
    /// Why the message was turned down; `None` where it was sealed or stored.
    pub rejection: Option<RejectionReason>,
}

impl Placed {
    /// The key that signed, and whose it must be.
    pub fn holder(&self) -> (&str, Digest) {
        (&self.party, self.key)
    }
}

/// A cosignature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosigned {
    /// Seconds since 1970, by the clock of who cosigned.
    pub at: u64,
    /// The key that cosigned.
    pub key: Digest,
}

/// Verifies an archive.
///
/// # Errors
/// The first thing that does not hold.
pub fn check(archive: &[u8]) -> Result<Proven, BundleFault> {
    let files = unpack(archive)?;
    let manifest = note(&files)?;
    let parts = Parts::read(files)?;
    let proven = check_parts(&parts)?;
    let keys = Keys::read(&proven.terms, &parts.facts)?;
    let lines = notes::lines(&proven.terms, &keys, MANIFEST, &manifest)?;
    if lines.iter().any(|line| line.party == proven.terms.party && line.cosigned_at.is_none()) {
        Ok(proven)
    } else {
        Err(broken(MANIFEST, "it is not signed by a ledger key of who exported it"))
    }
}

/// Verifies everything but the archive itself.
///
/// # Errors
/// The first thing that does not hold.
pub(super) fn check_parts(parts: &Parts) -> Result<Proven, BundleFault> {
    let terms = parts.facts.terms()?;
    let keys = Keys::read(&terms, &parts.facts)?;
    let certificate = signer(&parts.signer)?;
    let (envelope, signing_key) =
        envelopes::signed(&terms, &keys, &parts.envelope, &parts.signature, &certificate)?;
    if !keys.is_introduced_before(&signing_key, envelope.sequence) {
        return Err(broken(ENVELOPE, "its key was introduced only after it"));
    }
    check_body(parts, &envelope)?;
    let sent = SentEnvelope {
        sequence: envelope.sequence,
        digest: Digest::of(&parts.envelope),
        signature: Digest::of(&parts.signature),
    };
    let own = terms.party == envelope.sender;
    let Place { placed: record, cosigned } = placed(&terms, &keys, &terms.party, RECORD, &parts.record)?;
    let rejection = if own { sealed(&parts.record, &sent)? } else { received(RECORD, &parts.record, &sent)? };
    // What came back after a restore stands at a new place.
    if own && record.index != envelope.sealed_leaf_index && !is_recalled(&parts.record) {
        return Err(broken(RECORD, "it stands at another place than the envelope names"));
    }
    let record = Placed { rejection, ..record };
    let receipt = match &parts.receipt {
        Some(receipt) => {
            let rejection = received(RECEIPT, receipt, &sent)?;
            let place = placed(&terms, &keys, &envelope.recipient, RECEIPT, receipt)?;
            Some(Placed { rejection, ..place.placed })
        }
        None => None,
    };
    if let Some(receipt) = receipt.as_ref().filter(|_| !own)
        && (receipt.leaf != record.leaf || receipt.index != record.index)
    {
        return Err(broken(RECEIPT, "it is not the record"));
    }
    let earliest = before(&terms, &keys, parts, &record)?;
    let latest = cosigned.into_iter().min_by_key(|cosigned| cosigned.at);
    if let (Some(earliest), Some(latest)) = (earliest, latest)
        && earliest.at > latest.at
    {
        return Err(broken(RECORD, "it was cosigned before what stands before it"));
    }
    Ok(Proven {
        envelope_digest: sent.digest,
        body: parts.body.clone(),
        keys: keys.listed(),
        introductions: keys.introductions(),
        terms,
        envelope,
        signing_key,
        record,
        receipt,
        earliest,
        latest,
    })
}

/// The certificate in `signer.pem`. Nothing else may stand in the file: what is there is read by other programs too.
fn signer(pem: &str) -> Result<Certificate, BundleFault> {
    let certificate = Certificate::from_pem(pem.as_bytes()).ok();
    certificate.filter(|certificate| certificate.to_pem() == pem).ok_or(BundleFault::File(SIGNER))
}

fn check_body(parts: &Parts, envelope: &Envelope) -> Result<(), BundleFault> {
    let (Some(body), Some(salt)) = (&parts.body, &parts.facts.body_salt) else { return Ok(()) };
    let salt: &[u8; 32] = salt.0.as_ref().try_into().map_err(|_| BundleFault::File(FACTS))?;
    if commitment(salt, body).as_bytes().as_slice() == envelope.body_commitment {
        Ok(())
    } else {
        Err(broken(BODY, "it is not the body that was signed"))
    }
}

fn sealed(record: &Receipt, sent: &SentEnvelope) -> Result<Option<RejectionReason>, BundleFault> {
    let event = Event::decode(record.event.clone()).ok().and_then(|event| event.fact);
    let Some(Fact::Sealed(sealed)) = event else { return Err(broken(RECORD, "it is no sealing")) };
    let same = sealed.sequence == sent.sequence
        && sealed.envelope_digest == sent.digest.as_bytes().as_slice()
        && sealed.signature_digest == sent.signature.as_bytes().as_slice();
    if same { Ok(None) } else { Err(broken(RECORD, "it is about another envelope")) }
}

fn is_recalled(record: &Receipt) -> bool {
    let event = Event::decode(record.event.clone()).ok().and_then(|event| event.fact);
    matches!(event, Some(Fact::Sealed(sealed)) if sealed.recalled)
}

fn received(
    file: &'static str,
    disclosed: &Receipt,
    sent: &SentEnvelope,
) -> Result<Option<RejectionReason>, BundleFault> {
    read_event(&disclosed.event, sent)
        .map(|receipted| receipted.rejection)
        .map_err(|error| broken(file, error))
}
