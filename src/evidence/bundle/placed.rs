//! Events and their places in ledgers, under checkpoints that are signed and cosigned.

use super::check::{Cosigned, Placed};
use super::facts::{BEFORE, CHECKPOINT, Parts};
use super::keys::Keys;
use super::notes::{Head, head};
use super::{BundleFault, broken};
use crate::channel::terms::Terms;
use crate::crypto::digest::{Digest, commitment};
use crate::ledger::leaf_hash;
use crate::ledger::note::Vkey;
use crate::ledger::tlog_proof::TlogProof;
use crate::wire::ledger::v1::{Event, Receipt, event::Fact};
use prost::Message as _;

/// An event's place, and who cosigned the checkpoint that it is proven under.
#[derive(Debug)]
pub(super) struct Place {
    pub placed: Placed,
    pub cosigned: Vec<Cosigned>,
}

/// Verifies that an event stands in a Party's ledger.
pub(super) fn placed(
    terms: &Terms,
    keys: &Keys,
    party: &str,
    file: &'static str,
    disclosed: &Receipt,
) -> Result<Place, BundleFault> {
    let event = Event::decode(disclosed.event.clone()).map_err(|_| broken(file, "its event is malformed"))?;
    let recorded_at = event.recorded_at.ok_or_else(|| broken(file, "its event has no time"))?;
    let salt: &[u8; 32] =
        disclosed.salt.as_ref().try_into().map_err(|_| broken(file, "its salt is malformed"))?;
    let leaf = leaf_hash(&commitment(salt, &disclosed.event));
    let proof = TlogProof::parse(&disclosed.tlog_proof).map_err(|error| broken(file, error))?;
    let Head { checkpoint, epoch, key, cosigned } = head(terms, keys, party, file, &proof.checkpoint)?;
    if event.epoch > epoch {
        return Err(broken(file, "its event is of a later epoch than the ledger"));
    }
    proof.verify(&leaf, &Vkey::of(&checkpoint.origin, key)).map_err(|error| broken(file, error))?;
    let (party, key, index) = (party.to_owned(), Digest::of(&key), proof.index);
    let placed = Placed { party, key, index, leaf, checkpoint, recorded_at, rejection: None };
    Ok(Place { placed, cosigned })
}

/// The time that the record was made after, by the counterparty's clock.
pub(super) fn before(
    terms: &Terms,
    keys: &Keys,
    parts: &Parts,
    record: &Placed,
) -> Result<Option<Cosigned>, BundleFault> {
    let Some((disclosed, checkpoint)) = &parts.before else { return Ok(None) };
    let place = placed(terms, keys, &terms.party, BEFORE, disclosed)?.placed;
    if place.index >= record.index || checkpoint_of(disclosed)? != checkpoint_of(&parts.record)? {
        return Err(broken(BEFORE, "it is not before the record in the same tree"));
    }
    let event = Event::decode(disclosed.event.clone()).ok().and_then(|event| event.fact);
    let Some(Fact::Cosigned(event)) = event else { return Err(broken(BEFORE, "it is no cosignature")) };
    let head = head(terms, keys, &terms.party, CHECKPOINT, checkpoint)?;
    if head.checkpoint.size != event.size
        || event.root != head.checkpoint.root.as_bytes().as_slice()
        || event.size > place.index
    {
        return Err(broken(CHECKPOINT, "it is not the head that was cosigned"));
    }
    let cosigned = head.cosigned.into_iter().find(|cosigned| cosigned.at == event.cosigned_at);
    cosigned
        .map(Some)
        .ok_or_else(|| broken(CHECKPOINT, "the counterparty did not cosign it at the time recorded"))
}

fn checkpoint_of(disclosed: &Receipt) -> Result<String, BundleFault> {
    let proof = TlogProof::parse(&disclosed.tlog_proof).map_err(|error| broken(BEFORE, error))?;
    Ok(proof.checkpoint)
}
