//! A bundle out of a store.

use super::container::pack;
use super::facts::{Base64, Disclosed, Facts, KeyFact, KeyUse, Parts, SUMMARY};
use super::summary::summary;
use super::{BundleFault, FORMAT, check, container, history};
use crate::channel::lookup::Lookup;
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::cms;
use crate::crypto::digest::Digest;
use crate::crypto::ed25519::LedgerKey;
use crate::store::{OpenedEvent, Store, StoreError};
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{Receipt, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;

/// The keys that a store's signatures are of.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Who talks to whom; `party` is whose store it is.
    pub terms: Terms,
    /// Certificates of the keys that signed this Party's envelopes.
    pub own_certificates: Vec<Certificate>,
    /// Certificates of the keys that signed the other Party's envelopes.
    pub peer_certificates: Vec<Certificate>,
    /// Ed25519 public keys of this Party's ledger.
    pub own_ledger_keys: Vec<[u8; 32]>,
    /// Ed25519 public keys of the other Party's ledger.
    pub peer_ledger_keys: Vec<[u8; 32]>,
    /// Revocation lists (PEM) as they are held now.
    pub revocation: Option<Vec<u8>>,
}

/// Which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// By its identity; one that was turned down here is known by its number alone.
    Message([u8; 16]),
    /// By its number in this Party's chain.
    Sent(u64),
    /// By its number in the other Party's chain.
    Received(u64),
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// No such message.
    #[error("the store holds no such message")]
    Unknown,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No certificate at hand verifies the signature.
    #[error(
        "no certificate at hand verifies the message's signature: its certificate was renewed since; name the earlier one \
         with --certificate"
    )]
    Certificate,
    /// The ledger key in force is not at hand.
    #[error("the ledger key in force is not configured")]
    Key,
    /// What was composed does not hold.
    #[error("the evidence does not hold; verify the store: {0}")]
    Fault(#[from] BundleFault),
}

/// Makes the bundle of a message: everything in it is verified before it is returned.
///
/// # Errors
/// [`ComposeError`]; nothing was written.
pub fn compose(
    store: &Store,
    keyring: &Keyring,
    ledger_key: &LedgerKey,
    wanted: Wanted,
) -> Result<Vec<u8>, ComposeError> {
    let opened = find(store, wanted)?.ok_or(ComposeError::Unknown)?;
    let mut parts = parts(store, keyring, &opened)?;
    let proven = check::check_parts(&parts)?;
    history::complete(store, &mut parts, &proven, Digest::of(&ledger_key.public()))?;
    let proven = check::check_parts(&parts)?;
    let mut files = parts.write();
    files.insert(SUMMARY.to_owned(), summary(&proven).into_bytes());
    let terms = &keyring.terms;
    let epoch = store.event(store.reader().head().size.saturating_sub(1))?.event.epoch;
    let signature = ledger_key.sign(container::manifest(&files).as_bytes());
    let signature = terms.vkey(epoch, ledger_key.public()).signature(&signature);
    Ok(pack(files, signature)?)
}

fn find(store: &Store, wanted: Wanted) -> Result<Option<Arc<OpenedEvent>>, StoreError> {
    store.find(&match wanted {
        Wanted::Message(id) => Lookup::Message(id),
        Wanted::Sent(sequence) => Lookup::Sealed(sequence),
        Wanted::Received(sequence) => Lookup::Consumed(sequence),
    })
}

fn parts(store: &Store, keyring: &Keyring, opened: &OpenedEvent) -> Result<Parts, ComposeError> {
    let terms = &keyring.terms;
    let own = matches!(opened.event.fact, Some(Fact::Sealed(_)));
    let envelope = opened.envelope.as_deref().ok_or(ComposeError::Unknown)?;
    let (envelope_bytes, signature) = (opened.record.envelope.clone(), opened.record.signature.clone());
    let certificates = if own { &keyring.own_certificates } else { &keyring.peer_certificates };
    let told = history::certificates(store, &envelope.signing_key_id)?;
    let signer = signer(certificates.iter().chain(&told), envelope, &envelope_bytes, &signature)?;
    let bracket = Bracket::around(store, opened.leaf)?;
    let record = disclose(store, opened.leaf, bracket.after.as_deref())?;
    let receipt = match &opened.event.fact {
        Some(Fact::Sealed(sealed)) => acknowledged(store, sealed.sequence)?,
        _ => Some(store.disclose(opened.leaf)?.0),
    };
    let before = match &bracket.before {
        Some(before) => {
            let note = before.record.notes.first().cloned().unwrap_or_default();
            let (size, checkpoint) = end(store, opened.leaf, bracket.after.as_deref())?;
            let (event, salt) = (before.record.event.clone(), before.record.salt.clone());
            Some((store.disclosure(before.leaf, event, salt, size, checkpoint)?, note))
        }
        None => None,
    };
    let item = store.item(opened)?;
    let facts = Facts {
        format: FORMAT.to_owned(),
        exporter: terms.party.clone(),
        counterparty: terms.counterparty.clone(),
        environment: terms.environment_name().to_owned(),
        agreement: terms.agreement.clone(),
        body_salt: item.as_ref().map(|item| Base64(item.salt.clone())),
        record: disclosed(&record),
        receipt: receipt.as_ref().map(disclosed),
        before: before.as_ref().map(|(before, _)| disclosed(before)),
        keys: keys(keyring, own, &signer),
    };
    Ok(Parts {
        facts,
        envelope: envelope_bytes,
        body: item.map(|item| item.body),
        signature,
        signer: signer.to_pem(),
        record,
        receipt,
        before,
        revocation: keyring.revocation.clone(),
    })
}

/// The counterparty's cosignatures on both sides of an event.
struct Bracket {
    /// The last `Cosigned` event before it.
    before: Option<Arc<OpenedEvent>>,
    /// The first `Cosigned` event over a tree that contains it.
    after: Option<Arc<OpenedEvent>>,
}

impl Bracket {
    fn around(store: &Store, leaf: u64) -> Result<Self, StoreError> {
        let mut found = store.named(&Lookup::Cosigned)?;
        found.sort_unstable();
        let at = found.partition_point(|cosigned| *cosigned < leaf);
        let (earlier, later) = found.split_at_checked(at).unwrap_or_default();
        let mut bracket = Self { before: None, after: None };
        for candidate in earlier.iter().rev() {
            let opened = store.event(*candidate)?;
            if matches!(opened.event.fact, Some(Fact::Cosigned(_))) {
                bracket.before = Some(opened);
                break;
            }
        }
        for candidate in later {
            let opened = store.event(*candidate)?;
            if matches!(&opened.event.fact, Some(Fact::Cosigned(event)) if event.size > leaf) {
                bracket.after = Some(opened);
                break;
            }
        }
        Ok(bracket)
    }
}

/// The tree that an event is proven in: the first that the counterparty cosigned, else that of the commit.
fn end(store: &Store, leaf: u64, after: Option<&OpenedEvent>) -> Result<(u64, String), StoreError> {
    let cosigned = after.and_then(|after| match &after.event.fact {
        Some(Fact::Cosigned(event)) => Some((event.size, after.record.notes.first().cloned()?)),
        _ => None,
    });
    Ok(match cosigned {
        Some(cosigned) => cosigned,
        None => {
            let end = store.reader().commit_end(leaf)?;
            (end.size, end.note)
        }
    })
}

fn disclose(store: &Store, leaf: u64, after: Option<&OpenedEvent>) -> Result<Receipt, StoreError> {
    let (size, checkpoint) = end(store, leaf, after)?;
    let opened = store.event(leaf)?;
    store.disclosure(leaf, opened.record.event.clone(), opened.record.salt.clone(), size, checkpoint)
}

fn acknowledged(store: &Store, sequence: u64) -> Result<Option<Receipt>, StoreError> {
    let Some(found) = store.find(&Lookup::Acknowledged(sequence))? else { return Ok(None) };
    let receipt = Receipt::decode(found.record.receipt.clone());
    receipt.map(Some).map_err(|_| StoreError::Undecodable(found.leaf))
}

fn signer<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
    envelope: &Envelope,
    bytes: &Bytes,
    signature: &[u8],
) -> Result<Certificate, ComposeError> {
    let of_key =
        |certificate: &&Certificate| certificate.key_id().as_bytes().as_slice() == envelope.signing_key_id;
    let mut candidates = certificates.filter(of_key);
    let fits = candidates.find(|certificate| cms::verify(signature, certificate, bytes).is_ok());
    fits.cloned().ok_or(ComposeError::Certificate)
}

fn keys(keyring: &Keyring, own: bool, signer: &Certificate) -> Vec<KeyFact> {
    let Terms { party, counterparty, .. } = &keyring.terms;
    let fact = |party: &str, used_for, key: &[u8]| KeyFact {
        party: party.to_owned(),
        used_for,
        key: Base64(Bytes::copy_from_slice(key)),
        introduced: None,
    };
    let sender = if own { party } else { counterparty };
    let mut keys = vec![fact(sender, KeyUse::Signing, signer.spki_der())];
    for (party, ledger_keys) in [(party, &keyring.own_ledger_keys), (counterparty, &keyring.peer_ledger_keys)]
    {
        for key in ledger_keys.iter().map(|key| fact(party, KeyUse::Ledger, key)) {
            // One that is configured and was introduced too is one key.
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

fn disclosed(receipt: &Receipt) -> Disclosed {
    Disclosed { event: Base64(receipt.event.clone()), salt: Base64(receipt.salt.clone()) }
}
