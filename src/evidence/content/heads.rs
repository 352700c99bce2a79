//! Heads and receipts: what each Party's ledger says of itself and of the other, put aside to be verified.

use super::Contents;
use crate::channel::state::PeerHead;
use crate::crypto::digest::Digest;
use crate::evidence::report::Fault;
use crate::evidence::signatures::Job;
use crate::ledger::Vkey;
use crate::store::OpenedEvent;
use crate::wire::ledger::v1::{Acknowledged, Cosigned, Event, Receipt};
use bytes::Bytes;
use prost::Message as _;

impl Contents<'_> {
    /// The keys of a Party's ledger in an epoch.
    pub(super) fn peer_vkeys(&self, epoch: u32) -> Vec<Vkey> {
        self.peer_ledger_keys.iter().map(|key| self.keys.terms.peer_vkey(epoch, *key)).collect()
    }

    /// A head of the other Party's ledger is what its signed checkpoint says.
    pub(super) fn check_head(
        &mut self,
        leaf: u64,
        offset: u64,
        (size, root): (u64, &[u8]),
        epoch: u32,
        notes: &[String],
    ) -> Result<(), Fault> {
        let root = Digest::from_slice(root).ok_or(Fault::PeerHead)?;
        for note in notes {
            let (note, vkeys) = (note.clone(), self.peer_vkeys(epoch));
            self.jobs.push((leaf, offset, Job::Head { note, size, root, vkeys, cosigned: None }));
        }
        Ok(())
    }

    /// A head of this ledger is what its checkpoint says, and the other Party cosigned it at the time recorded.
    pub(super) fn check_cosigned(
        &mut self,
        leaf: u64,
        offset: u64,
        event: &Cosigned,
        opened: &OpenedEvent,
    ) -> Result<(), Fault> {
        let root = Digest::from_slice(&event.root).ok_or(Fault::PeerHead)?;
        let note = opened.record.notes.first().cloned().ok_or(Fault::Stored("note"))?;
        let terms = &self.keys.terms;
        let own = self.founded_with.iter().chain(&self.own_ledger_keys);
        let vkeys: Vec<Vkey> = own.map(|key| terms.vkey(opened.event.epoch, *key)).collect();
        if vkeys.is_empty() {
            return Ok(());
        }
        let epoch = self.state.as_ref().map_or(1, |state| state.peer_epoch().max(1));
        let cosigners = self.peer_ledger_keys.iter().map(|key| terms.peer_cosigner(epoch, *key)).collect();
        let cosigned = Some((cosigners, event.cosigned_at));
        self.jobs.push((leaf, offset, Job::Head { note, size: event.size, root, vkeys, cosigned }));
        Ok(())
    }

    pub(super) fn check_receipt(
        &mut self,
        leaf: u64,
        offset: u64,
        event: &Acknowledged,
        receipt: &Bytes,
    ) -> Result<(), Fault> {
        if event.receipt_digest != Digest::of(receipt).as_bytes().as_slice() {
            return Err(Fault::Digest("receipt"));
        }
        let receipt = Receipt::decode(receipt.clone()).map_err(|_| Fault::Undecodable("receipt"))?;
        let disclosed = Event::decode(receipt.event.clone()).map_err(|_| Fault::Undecodable("receipt"))?;
        let root = Digest::from_slice(&event.peer_root).ok_or(Fault::PeerHead)?;
        let receipt_epoch = disclosed.epoch;
        let now = (self.peer.0.max(receipt_epoch), PeerHead { size: event.peer_size, root });
        let before = std::mem::replace(&mut self.peer, now);
        let shrank =
            now.1.size < before.1.size || (now.1.size == before.1.size && now.1.root != before.1.root);
        // A restored ledger begins a new epoch, and may be shorter than the one before it.
        if now.0 < before.0 || (now.0 == before.0 && shrank) {
            return Err(Fault::PeerHead);
        }
        // The envelope is unknown only behind damage, which is reported where it is.
        let Some(sent) = self.sent.remove(&event.sequence) else { return Ok(()) };
        if event.envelope_digest != sent.digest.as_bytes().as_slice() {
            return Err(Fault::Digest("envelope"));
        }
        let (terms, keys) = (self.keys.terms.clone(), self.peer_ledger_keys.clone());
        let peer = (receipt_epoch, now.1);
        let job = Job::Receipt { receipt, sent, peer, rejection: event.rejection, terms, keys };
        self.jobs.push((leaf, offset, job));
        Ok(())
    }
}
