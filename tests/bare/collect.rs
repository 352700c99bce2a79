//! What is signed and hashed in a store, as its events tell it.

use super::{Bare, Item};
use anyhow::Context as _;
use article6::config::Settings;
use article6::crypto::digest::{Digest, commitment};
use article6::disk::Disk;
use article6::evidence::Keys;
use article6::exchange::start::open_for_reading;
use article6::journal::frame::{Frame, parse};
use article6::journal::segment;
use article6::ledger::{Checkpoint, Note, TlogProof, leaf_hash};
use article6::store::{OpenedEvent, Store};
use article6::wire::ledger::v1::{Receipt, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

impl Bare {
    /// Reads a stopped daemon's store.
    pub fn of(
        disk: &Arc<dyn Disk>,
        settings: &Settings,
        keys: &Keys,
        own_ledger_key: [u8; 32],
    ) -> anyhow::Result<Self> {
        let (store, ..) = open_for_reading(disk, &settings.store, &settings.terms)?;
        let head = store.reader().head();
        let mut bare = Self { root: Some(head.root), ..Self::default() };
        let mut receipted = BTreeSet::new();
        for leaf in 0..head.size {
            bare.event(&store, &*store.event(leaf)?, keys, own_ledger_key, &mut receipted)?;
        }
        bare.checkpoints(&settings.store.paths.data.join("journal"), keys, own_ledger_key)?;
        Ok(bare)
    }

    fn event(
        &mut self,
        store: &Store,
        opened: &OpenedEvent,
        keys: &Keys,
        own_ledger_key: [u8; 32],
        receipted: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let record = &opened.record;
        self.leaves.push(opened.commitment());
        self.commitment(&record.salt, &record.event, opened.commitment());
        let peer_key = *keys.peer_ledger_keys.first().context("a key of the other ledger")?;
        let (own, peer) = (keys.terms.vkey(1, own_ledger_key), keys.terms.peer_vkey(1, peer_key));
        if let Some(envelope) = &opened.envelope {
            let all = keys.own_certificates.iter().chain(&keys.peer_certificates);
            let mut all = all.filter(|it| it.key_id().as_bytes().as_slice() == envelope.signing_key_id);
            let certificate = all.next().context("a known key")?;
            self.digest(&record.envelope);
            self.digest(&record.signature);
            self.items.push(Item::Message(
                record.envelope.clone(),
                record.signature.clone(),
                Arc::new(certificate.clone()),
            ));
            if let Some(item) = store.item(opened)? {
                let committed = Digest::from_slice(&envelope.body_commitment).context("a digest")?;
                self.commitment(&item.salt, &item.body, committed);
            }
        }
        match &opened.event.fact {
            Some(Fact::Acknowledged(_)) => {
                self.digest(&record.receipt);
                let checkpoint = self.receipt(&Receipt::decode(record.receipt.clone())?)?;
                // Many receipts rest on one checkpoint, which need be checked once.
                let notes = record.notes.iter().cloned().chain([checkpoint]);
                let notes = notes.filter(|note| receipted.insert(note.clone()));
                self.items.extend(notes.map(|note| Item::Note(note, peer.clone())));
            }
            Some(Fact::Witnessed(_)) => {
                self.items.extend(record.notes.iter().map(|note| Item::Note(note.clone(), peer.clone())));
            }
            Some(Fact::Cosigned(_)) => {
                let cosigner = keys.terms.peer_cosigner(1, peer_key);
                let cosigned = |note: &String| Item::Cosigned(note.clone(), own.clone(), cosigner.clone());
                self.items.extend(record.notes.iter().map(cosigned));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the checkpoint that the receipt rests on.
    fn receipt(&mut self, receipt: &Receipt) -> anyhow::Result<String> {
        let proof = TlogProof::parse(&receipt.tlog_proof)?;
        let salt = receipt.salt.as_ref().try_into()?;
        let committed = commitment(salt, &receipt.event);
        self.commitment(&receipt.salt, &receipt.event, committed);
        let note = Note::parse(&proof.checkpoint)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let leaf = leaf_hash(&committed);
        self.items.push(Item::Inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root));
        Ok(proof.checkpoint)
    }

    /// The checkpoints at the ends of batches.
    fn checkpoints(&mut self, journal: &Path, keys: &Keys, own: [u8; 32]) -> anyhow::Result<()> {
        let vkey = keys.terms.vkey(1, own);
        for entry in std::fs::read_dir(journal)? {
            let bytes = std::fs::read(entry?.path())?;
            let mut at = segment::HEADER_BYTES;
            while let Ok((frame, len)) = parse(bytes.get(at..).unwrap_or_default()) {
                if let Frame::Checkpoint { note, .. } = frame {
                    self.items.push(Item::Note(note, vkey.clone()));
                }
                at += len;
            }
        }
        Ok(())
    }

    fn commitment(&mut self, salt: &[u8], content: &Bytes, committed: Digest) {
        self.items.push(Item::Commitment(salt.to_vec(), content.clone(), committed));
    }

    fn digest(&mut self, bytes: &Bytes) {
        self.items.push(Item::Digest(bytes.clone(), Digest::of(bytes)));
    }
}
