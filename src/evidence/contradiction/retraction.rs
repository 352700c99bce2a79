//! A cosigner that takes back what it had seen: a smaller checkpoint of one ledger, cosigned at a later time.
//!
//! That one of the two statements is false is proven; why is not. A clock that was set back while a daemon was stopped
//! lets it state an early time for a larger checkpoint, too.

use super::{ProofFault, Proven};
use crate::crypto::digest::Digest;
use crate::ledger::{Checkpoint, Cosigner, Note, NoteError};
use jiff::Timestamp;

/// The note with the key's cosignature as its only signature; what the ledger signed is not what is proven.
pub(super) fn cosigned_alone(key: &[u8; 32], note: &str) -> Option<String> {
    let note = Note::parse(note).ok()?;
    let mut lines = note.signatures().iter();
    let line = lines.find(|line| Cosigner::of(&line.name, *key).verify(line, note.text()).is_ok())?;
    Some(Note::new(note.text().to_owned(), vec![line.clone()]).ok()?.encode())
}

/// Checks that `key` cosigned the first note, and at a later time the second, smaller one.
pub(super) fn verify(key: [u8; 32], notes: &[String; 2]) -> Result<Proven, ProofFault> {
    let [larger, smaller] = notes;
    let (larger, smaller) = (Note::parse(larger)?, Note::parse(smaller)?);
    let (seen, shown) = (Checkpoint::parse(larger.text())?, Checkpoint::parse(smaller.text())?);
    // The name is of one epoch: a daemon that was put back from a backup cosigns under another, and may know less.
    let (before, after) = match (larger.signatures(), smaller.signatures()) {
        ([one], [other]) => {
            let cosigner = Cosigner::of(&one.name, key);
            let times = (cosigner.verify(one, larger.text()), cosigner.verify(other, smaller.text()));
            times.0.and_then(|before| times.1.map(|after| (before, after)))
        }
        _ => Err(NoteError::Unsigned),
    }
    .map_err(|_| ProofFault::Uncosigned)?;
    if seen.origin != shown.origin || shown.size >= seen.size || after <= before {
        return Err(ProofFault::NoContradiction);
    }
    Ok(Proven {
        fingerprint: Digest::of(&key),
        sentence: format!(
            "The ledger {} was cosigned with {} events at {}, and with {} events, as the most that was seen of it, at {}.",
            seen.origin,
            seen.size,
            time(before)?,
            shown.size,
            time(after)?
        ),
    })
}

fn time(seconds: u64) -> Result<Timestamp, ProofFault> {
    let seconds = i64::try_from(seconds).map_err(|_| ProofFault::Format)?;
    Timestamp::from_second(seconds).map_err(|_| ProofFault::Format)
}
