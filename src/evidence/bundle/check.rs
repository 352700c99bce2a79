//! What the files of a bundle prove, verified from the first byte; nothing is believed because somebody wrote it there.

use super::container::{MANIFEST, note, unpack};
use super::facts::{BEFORE, BODY, CHECKPOINT, ENVELOPE, FACTS, Parts, RECEIPT, RECORD, SIGNATURE, SIGNER};
use super::keys::Keys;
use super::{BundleFault, broken};
use crate::channel::envelope::STATEMENT;
use crate::channel::receipt::{SentEnvelope, read_event};
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::cms;
use crate::crypto::digest::{Digest, commitment};
use crate::ledger::note::{Note, Vkey};
use crate::ledger::tlog_proof::TlogProof;
use crate::ledger::{Checkpoint, Cosigner, leaf_hash};
use crate::wire::channel::v1::{Envelope, Environment};
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
    let keys = Keys::read(&parts.facts)?;
    let signed = |(key, name): ([u8; 32], &str)| manifest.verify(&Vkey::of(name, key)).is_ok();
    let exporter = proven.terms.party.as_str();
    let named = manifest.signatures().iter().map(|line| line.name.as_str());
    let mut named = named.filter(|name| proven.terms.epoch_in(name, exporter).is_some());
    let name = named.next().ok_or(BundleFault::Manifest)?;
    if !keys.ledger(exporter).any(|key| signed((key, name))) {
        return Err(broken(MANIFEST, "it is not signed by a ledger key of who exported it"));
    }
    Ok(proven)
}

/// Verifies everything but the archive itself.
///
/// # Errors
/// The first thing that does not hold.
pub(super) fn check_parts(parts: &Parts) -> Result<Proven, BundleFault> {
    let keys = Keys::read(&parts.facts)?;
    let terms = terms(parts)?;
    let envelope = Envelope::decode(parts.envelope.clone()).map_err(|_| BundleFault::File(ENVELOPE))?;
    check_place(&terms, &envelope)?;
    let signing_key = check_signature(parts, &keys, &envelope)?;
    check_body(parts, &envelope)?;
    let sent = SentEnvelope {
        sequence: envelope.sequence,
        digest: Digest::of(&parts.envelope),
        signature: Digest::of(&parts.signature),
    };
    let record = placed(&terms, &keys, &terms.party, RECORD, &parts.record)?;
    let own = terms.party == envelope.sender;
    let rejection = if own { sealed(&parts.record, &sent)? } else { received(RECORD, &parts.record, &sent)? };
    // What came back after a restore stands at a new place.
    if own && record.index != envelope.sealed_leaf_index && !is_recalled(&parts.record) {
        return Err(broken(RECORD, "it stands at another place than the envelope names"));
    }
    let record = Placed { rejection, ..record };
    let receipt = match &parts.receipt {
        Some(receipt) => {
            let rejection = received(RECEIPT, receipt, &sent)?;
            let placed = placed(&terms, &keys, &envelope.recipient, RECEIPT, receipt)?;
            Some(Placed { rejection, ..placed })
        }
        None => None,
    };
    if let Some(receipt) = receipt.as_ref().filter(|_| !own)
        && (receipt.leaf != record.leaf || receipt.index != record.index)
    {
        return Err(broken(RECEIPT, "it is not the record"));
    }
    let latest = cosigned(&terms, &keys, &checkpoint_of(RECORD, &parts.record)?);
    let earliest = before(&terms, &keys, parts, &record)?;
    if let (Some(earliest), Some(latest)) = (earliest, latest)
        && earliest.at > latest.at
    {
        return Err(broken(BEFORE, "it was cosigned after what follows it"));
    }
    Ok(Proven {
        envelope_digest: sent.digest,
        body: parts.body.clone(),
        keys: keys.listed(),
        introductions: keys.introductions,
        terms,
        envelope,
        signing_key,
        record,
        receipt,
        earliest,
        latest,
    })
}

fn terms(parts: &Parts) -> Result<Terms, BundleFault> {
    let environment = match parts.facts.environment.as_str() {
        "PRODUCTION" => Environment::Production,
        "TEST" => Environment::Test,
        _ => return Err(BundleFault::File(FACTS)),
    };
    let (party, counterparty) = (parts.facts.exporter.clone(), parts.facts.counterparty.clone());
    Ok(Terms { environment, agreement: parts.facts.agreement.clone(), party, counterparty })
}

fn check_place(terms: &Terms, envelope: &Envelope) -> Result<(), BundleFault> {
    let Terms { party, counterparty, .. } = terms;
    let between = [(&envelope.sender, &envelope.recipient), (&envelope.recipient, &envelope.sender)];
    let wrong = [
        ("statement", envelope.statement != STATEMENT),
        ("environment", Environment::try_from(envelope.environment) != Ok(terms.environment)),
        ("agreement", envelope.agreement_id != terms.agreement),
        ("Parties", party == counterparty || !between.contains(&(party, counterparty))),
    ];
    match wrong.into_iter().find(|(_, wrong)| *wrong) {
        Some((what, _)) => Err(broken(ENVELOPE, format!("it names another {what}"))),
        None => Ok(()),
    }
}

fn check_signature(parts: &Parts, keys: &Keys, envelope: &Envelope) -> Result<Digest, BundleFault> {
    let certificate =
        Certificate::from_pem(parts.signer.as_bytes()).map_err(|_| BundleFault::File(SIGNER))?;
    // Nothing else may stand in the file: what is there is read by other programs too.
    if certificate.to_pem() != parts.signer {
        return Err(BundleFault::File(SIGNER));
    }
    let key = certificate.key_id();
    if envelope.signing_key_id != key.as_bytes().as_slice() || !keys.is_signing(&envelope.sender, &key) {
        return Err(broken(SIGNER, "it is not of the key that the envelope names"));
    }
    cms::verify(&parts.signature, &certificate, &parts.envelope).map_err(|error| broken(SIGNATURE, error))?;
    Ok(key)
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

/// Verifies that an event stands in a Party's ledger.
fn placed(
    terms: &Terms,
    keys: &Keys,
    party: &str,
    file: &'static str,
    disclosed: &Receipt,
) -> Result<Placed, BundleFault> {
    let event = Event::decode(disclosed.event.clone()).map_err(|_| broken(file, "its event is malformed"))?;
    let recorded_at = event.recorded_at.ok_or_else(|| broken(file, "its event has no time"))?;
    let salt: &[u8; 32] =
        disclosed.salt.as_ref().try_into().map_err(|_| broken(file, "its salt is malformed"))?;
    let leaf = leaf_hash(&commitment(salt, &disclosed.event));
    let proof = TlogProof::parse(&disclosed.tlog_proof).map_err(|error| broken(file, error))?;
    let origin = origin(&proof.checkpoint).ok_or_else(|| broken(file, "its checkpoint is malformed"))?;
    let epoch = terms.epoch_in(&origin, party).filter(|epoch| *epoch >= event.epoch);
    epoch.ok_or_else(|| broken(file, "it is of another ledger"))?;
    let mut last = broken(file, "no ledger key of the Party is listed");
    for key in keys.ledger(party) {
        match proof.verify(&leaf, &Vkey::of(&origin, key)) {
            Ok(checkpoint) => {
                let (party, key, index) = (party.to_owned(), Digest::of(&key), proof.index);
                return Ok(Placed { party, key, index, leaf, checkpoint, recorded_at, rejection: None });
            }
            Err(error) => last = broken(file, error),
        }
    }
    Err(last)
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

fn before(
    terms: &Terms,
    keys: &Keys,
    parts: &Parts,
    record: &Placed,
) -> Result<Option<Cosigned>, BundleFault> {
    let Some((disclosed, checkpoint)) = &parts.before else { return Ok(None) };
    let place = placed(terms, keys, &terms.party, BEFORE, disclosed)?;
    if place.index >= record.index
        || checkpoint_of(BEFORE, disclosed)? != checkpoint_of(RECORD, &parts.record)?
    {
        return Err(broken(BEFORE, "it is not before the record in the same tree"));
    }
    let event = Event::decode(disclosed.event.clone()).ok().and_then(|event| event.fact);
    let Some(Fact::Cosigned(event)) = event else { return Err(broken(BEFORE, "it is no cosignature")) };
    let origin = origin(checkpoint).filter(|origin| terms.epoch_in(origin, &terms.party).is_some());
    let origin = origin.ok_or(BundleFault::File(CHECKPOINT))?;
    let verified = keys
        .ledger(&terms.party)
        .find_map(|key| Checkpoint::verify(checkpoint, &Vkey::of(&origin, key)).ok());
    let verified = verified.ok_or_else(|| broken(CHECKPOINT, "it is not signed by the ledger's key"))?;
    if verified.size != event.size
        || event.root != verified.root.as_bytes().as_slice()
        || event.size > place.index
    {
        return Err(broken(CHECKPOINT, "it is not the head that was cosigned"));
    }
    match cosigned(terms, keys, checkpoint) {
        Some(cosigned) if cosigned.at == event.cosigned_at => Ok(Some(cosigned)),
        _ => Err(broken(CHECKPOINT, "the counterparty did not cosign it at the time recorded")),
    }
}

/// The counterparty's cosignature on a signed checkpoint.
fn cosigned(terms: &Terms, keys: &Keys, checkpoint: &str) -> Option<Cosigned> {
    let note = Note::parse(checkpoint).ok()?;
    let named =
        note.signatures().iter().filter(|line| terms.epoch_in(&line.name, &terms.counterparty).is_some());
    named.into_iter().find_map(|line| {
        keys.ledger(&terms.counterparty).find_map(|key| {
            let at = Cosigner::of(&line.name, key).verify(line, note.text()).ok()?;
            Some(Cosigned { at, key: Digest::of(&key) })
        })
    })
}

fn checkpoint_of(file: &'static str, disclosed: &Receipt) -> Result<String, BundleFault> {
    let proof = TlogProof::parse(&disclosed.tlog_proof).map_err(|error| broken(file, error))?;
    Ok(proof.checkpoint)
}

fn origin(checkpoint: &str) -> Option<String> {
    Some(Checkpoint::parse(Note::parse(checkpoint).ok()?.text()).ok()?.origin)
}
