//! Signatures and receipts, each of which can be verified on its own.

use super::report::Fault;
use crate::channel::envelope::EnvelopeError;
use crate::channel::proof_check::Checker;
use crate::channel::receipt::SentEnvelope;
use crate::channel::state::PeerHead;
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::cms;
use crate::crypto::digest::Digest;
use crate::ledger::Cosigner;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::{Note, NoteError, Vkey};
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::Receipt;
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;

/// Something to be verified on its own.
#[derive(Debug)]
pub(super) enum Job {
    /// A checkpoint of the store's ledger.
    Checkpoint {
        /// Signed checkpoint.
        note: String,
        /// Keys of which one must have signed it.
        vkeys: Vec<Vkey>,
    },
    /// An envelope's signature.
    Envelope {
        /// Exact bytes of the envelope.
        bytes: Bytes,
        /// The signature.
        signature: Bytes,
        /// Certificates of the Party's keys.
        certificates: Arc<Vec<Certificate>>,
    },
    /// A signed note that an event about a head rests on.
    Head {
        /// The note.
        note: String,
        /// Leaves of the head.
        size: u64,
        /// Root of the head.
        root: Digest,
        /// Keys of whose ledger it is a checkpoint of.
        vkeys: Vec<Vkey>,
        /// Who must have cosigned it, with one of these keys, and the time that must be stated.
        cosigned: Option<(Vec<Cosigner>, u64)>,
    },
    /// A receipt of the other Party.
    Receipt {
        /// The receipt.
        receipt: Receipt,
        /// What it must be for.
        sent: SentEnvelope,
        /// The other Party's epoch, and its ledger as accepted with the receipt.
        peer: (u32, PeerHead),
        /// Why it turned the message down, as recorded.
        rejection: i32,
        /// Who talks to whom.
        terms: Terms,
        /// Keys of the other Party's ledger.
        keys: Arc<Vec<[u8; 32]>>,
    },
}

/// What receipts of one epoch under the same keys are checked with.
struct Shared {
    epoch: u32,
    keys: Arc<Vec<[u8; 32]>>,
    checker: Checker,
}

/// Verifies everything, and returns what failed with its ledger index and offset.
pub(super) fn verify(jobs: &[(u64, u64, Job)]) -> Vec<(u64, u64, Fault)> {
    // Receipts of one epoch under the same keys share the checkpoint that was verified last.
    let mut checker: Option<Shared> = None;
    let mut failed = Vec::new();
    for (leaf, offset, job) in jobs {
        let verified = match job {
            Job::Checkpoint { note, vkeys } => verify_note(note, vkeys).map(drop),
            Job::Envelope { bytes, signature, certificates } => {
                verify_envelope(bytes, signature, certificates)
            }
            Job::Head { note, size, root, vkeys, cosigned } => {
                verify_head(note, (*size, root), vkeys, cosigned.as_ref())
            }
            Job::Receipt { receipt, sent, peer, rejection, terms, keys } => {
                let epoch = peer.0;
                let checker = match &mut checker {
                    Some(it) if it.epoch == epoch && Arc::ptr_eq(&it.keys, keys) => &mut it.checker,
                    other => {
                        let vkeys = keys.iter().map(|key| terms.peer_vkey(epoch, *key)).collect();
                        let checker = Checker::new(vkeys, Vec::new());
                        &mut other.insert(Shared { epoch, keys: keys.clone(), checker }).checker
                    }
                };
                verify_receipt(checker, receipt, sent, &peer.1, *rejection)
            }
        };
        failed.extend(verified.err().map(|fault| (*leaf, *offset, fault)));
    }
    failed
}

/// A checkpoint that one of the keys signed.
fn verify_note(note: &str, vkeys: &[Vkey]) -> Result<Checkpoint, Fault> {
    let verified = vkeys.iter().map(|vkey| Checkpoint::verify(note, vkey)).reduce(Result::or);
    verified.unwrap_or(Err(NoteError::Unsigned.into())).map_err(Fault::Checkpoint)
}

fn verify_head(
    note: &str,
    (size, root): (u64, &Digest),
    vkeys: &[Vkey],
    cosigned: Option<&(Vec<Cosigner>, u64)>,
) -> Result<(), Fault> {
    let checkpoint = verify_note(note, vkeys)?;
    if checkpoint.size != size || checkpoint.root != *root {
        return Err(Fault::PeerHead);
    }
    let Some((cosigners, time)) = cosigned else { return Ok(()) };
    let note = Note::parse(note).map_err(|error| Fault::Checkpoint(error.into()))?;
    let stated = cosigners.iter().map(|cosigner| cosigner.cosigned_at(&note)).reduce(Result::or);
    let stated =
        stated.unwrap_or(Err(NoteError::Unsigned)).map_err(|error| Fault::Checkpoint(error.into()))?;
    if stated == *time { Ok(()) } else { Err(Fault::Digest("cosignature's time")) }
}

/// A renewed certificate names the same key; the signature names the certificate of its time.
fn verify_envelope(bytes: &Bytes, signature: &[u8], certificates: &[Certificate]) -> Result<(), Fault> {
    let undecodable = |_| Fault::Signature(EnvelopeError::Undecodable);
    let key = Envelope::decode(bytes.clone()).map_err(undecodable)?.signing_key_id;
    let mut last = EnvelopeError::UnknownKey;
    for certificate in certificates.iter().filter(|it| it.key_id().as_bytes().as_slice() == key) {
        match cms::verify(signature, certificate, bytes) {
            Ok(_) => return Ok(()),
            Err(error) => last = EnvelopeError::Signature(error),
        }
    }
    Err(Fault::Signature(last))
}

fn verify_receipt(
    checker: &mut Checker,
    receipt: &Receipt,
    sent: &SentEnvelope,
    peer: &PeerHead,
    rejection: i32,
) -> Result<(), Fault> {
    let (receipted, checkpoint) = checker.receipt(receipt, sent).map_err(Fault::Receipt)?;
    if receipted.rejection.map_or(0, i32::from) != rejection {
        return Err(Fault::Digest("rejection"));
    }
    // The head accepted with a receipt extends the receipt's own checkpoint, or is it.
    let contradicts =
        checkpoint.size > peer.size || (checkpoint.size == peer.size && checkpoint.root != peer.root);
    if contradicts { Err(Fault::PeerHead) } else { Ok(()) }
}
