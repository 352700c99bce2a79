//! Signatures and receipts, verified on all cores.

use super::Keys;
use super::report::Fault;
use crate::channel::envelope::EnvelopeError;
use crate::channel::proof_check::Checker;
use crate::channel::receipt::SentEnvelope;
use crate::channel::state::PeerHead;
use crate::crypto::cms;
use crate::crypto::digest::Digest;
use crate::ledger::Cosigner;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::{Note, Vkey};
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::Receipt;
use bytes::Bytes;
use prost::Message as _;
use std::thread;

/// Something to be verified on its own.
#[derive(Debug)]
pub(super) enum Job {
    /// A checkpoint of the store's ledger.
    Checkpoint {
        /// Signed checkpoint.
        note: String,
        /// Key that must have signed it.
        vkey: Vkey,
    },
    /// An envelope's signature.
    Envelope {
        /// Exact bytes of the envelope.
        bytes: Bytes,
        /// The signature.
        signature: Bytes,
        /// Of this Party; otherwise of the other.
        own: bool,
    },
    /// A signed note that an event about a head rests on.
    Head {
        /// The note.
        note: String,
        /// Leaves of the head.
        size: u64,
        /// Root of the head.
        root: Digest,
        /// Whose ledger it is a checkpoint of.
        vkey: Vkey,
        /// Who must have cosigned it, and the time that must be stated.
        cosigned: Option<(Cosigner, u64)>,
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
    },
}

/// Verifies everything, and returns what failed with its ledger index and offset, in no particular order.
pub(super) fn verify(jobs: &[(u64, u64, Job)], keys: Option<&Keys>) -> Vec<(u64, u64, Fault)> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len().div_ceil(32)).max(1);
    if workers == 1 {
        return verify_some(jobs, keys);
    }
    thread::scope(|scope| {
        let chunks = jobs.chunks(jobs.len().div_ceil(workers));
        let running: Vec<_> =
            chunks.map(|chunk| (chunk, scope.spawn(move || verify_some(chunk, keys)))).collect();
        // A worker that was cut short has verified nothing: its share is done again here.
        running
            .into_iter()
            .flat_map(|(chunk, it)| it.join().unwrap_or_else(|_| verify_some(chunk, keys)))
            .collect()
    })
}

fn verify_some(jobs: &[(u64, u64, Job)], keys: Option<&Keys>) -> Vec<(u64, u64, Fault)> {
    let mut checker: Option<(u32, Checker)> = None;
    let mut failed = Vec::new();
    for (leaf, offset, job) in jobs {
        let verified = match (job, keys) {
            (Job::Checkpoint { note, vkey }, _) => {
                Checkpoint::verify(note, vkey).map(drop).map_err(Fault::Checkpoint)
            }
            (Job::Envelope { bytes, signature, own }, Some(keys)) => {
                verify_envelope(bytes, signature, *own, keys)
            }
            (Job::Head { note, size, root, vkey, cosigned }, _) => {
                verify_head(note, (*size, root), vkey, cosigned.as_ref())
            }
            (Job::Receipt { receipt, sent, peer, rejection }, Some(keys)) => {
                let epoch = peer.0;
                let checker = match &mut checker {
                    Some((of, checker)) if *of == epoch => checker,
                    other => {
                        let fresh = Checker::new(keys.terms.peer_vkey(epoch, keys.peer_ledger_key));
                        &mut other.insert((epoch, fresh)).1
                    }
                };
                verify_receipt(checker, receipt, sent, &peer.1, *rejection)
            }
            (_, None) => Ok(()),
        };
        failed.extend(verified.err().map(|fault| (*leaf, *offset, fault)));
    }
    failed
}

fn verify_head(
    note: &str,
    (size, root): (u64, &Digest),
    vkey: &Vkey,
    cosigned: Option<&(Cosigner, u64)>,
) -> Result<(), Fault> {
    let checkpoint = Checkpoint::verify(note, vkey).map_err(Fault::Checkpoint)?;
    if checkpoint.size != size || checkpoint.root != *root {
        return Err(Fault::PeerHead);
    }
    let Some((cosigner, time)) = cosigned else { return Ok(()) };
    let note = Note::parse(note).map_err(|error| Fault::Checkpoint(error.into()))?;
    let stated = cosigner.cosigned_at(&note).map_err(|error| Fault::Checkpoint(error.into()))?;
    if stated == *time { Ok(()) } else { Err(Fault::Digest("cosignature's time")) }
}

/// A renewed certificate names the same key; the signature names the certificate of its time.
fn verify_envelope(bytes: &Bytes, signature: &[u8], own: bool, keys: &Keys) -> Result<(), Fault> {
    let undecodable = |_| Fault::Signature(EnvelopeError::Undecodable);
    let key = Envelope::decode(bytes.clone()).map_err(undecodable)?.signing_key_id;
    let certificates = if own { &keys.own_certificates } else { &keys.peer_certificates };
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
