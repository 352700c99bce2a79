//! Signed notes: which lines are of listed keys, and that each of those verifies.

use super::check::Cosigned;
use super::keys::Keys;
use super::{BundleFault, broken};
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::crypto::ed25519;
use crate::ledger::note::{Note, NoteError, Vkey};
use crate::ledger::{Checkpoint, Cosigner};

/// A signature line of a listed key.
#[derive(Debug)]
pub(super) struct Line {
    pub party: String,
    pub name: String,
    pub key: [u8; 32],
    /// When it cosigned; `None` for a signature of the note itself.
    pub cosigned_at: Option<u64>,
}

/// The lines of listed keys, in the order that the keys are listed in. Lines of other keys are passed over, as signed-note
/// asks; one of a listed key that does not verify shows that somebody tampered with the note.
pub(super) fn lines(
    terms: &Terms,
    keys: &Keys,
    file: &'static str,
    note: &Note,
) -> Result<Vec<Line>, BundleFault> {
    let wrong = || broken(file, "a signature line of a listed key does not verify");
    let mut found: Vec<Line> = Vec::new();
    for (party, key) in keys.ledgers() {
        for line in note.signatures().iter().filter(|line| terms.epoch_in(&line.name, party).is_some()) {
            let name = line.name.as_str();
            let own = |cosigned_at| Line { party: party.to_owned(), name: name.to_owned(), key, cosigned_at };
            if line.key_id == Vkey::of(name, key).key_id() {
                if !ed25519::verify(&key, note.text().as_bytes(), &line.signature) {
                    return Err(wrong());
                }
                if found.iter().any(|it| it.cosigned_at.is_none() && it.key == key && it.name == name) {
                    return Err(broken(file, "it is signed twice by the same key"));
                }
                found.push(own(None));
            }
            match Cosigner::of(name, key).verify(line, note.text()) {
                Ok(at) => found.push(own(Some(at))),
                Err(NoteError::Unsigned) => {}
                Err(_) => return Err(wrong()),
            }
        }
    }
    Ok(found)
}

/// A signed checkpoint of a Party's ledger.
#[derive(Debug)]
pub(super) struct Head {
    pub checkpoint: Checkpoint,
    /// The epoch that its origin names.
    pub epoch: u32,
    /// The key that signed it.
    pub key: [u8; 32],
    /// The other Party's cosignatures.
    pub cosigned: Vec<Cosigned>,
}

/// Verifies a checkpoint of a Party's ledger.
pub(super) fn head(
    terms: &Terms,
    keys: &Keys,
    party: &str,
    file: &'static str,
    raw: &str,
) -> Result<Head, BundleFault> {
    let note = Note::parse(raw).map_err(|error| broken(file, error))?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| broken(file, error))?;
    let epoch = terms.epoch_in(&checkpoint.origin, party);
    let epoch = epoch.ok_or_else(|| broken(file, "it is of another ledger"))?;
    let lines = lines(terms, keys, file, &note)?;
    let own =
        |line: &&Line| line.party == party && line.name == checkpoint.origin && line.cosigned_at.is_none();
    let key = lines.iter().find(own).map(|line| line.key);
    let key = key.ok_or_else(|| broken(file, "it is not signed by a listed key of the ledger"))?;
    let of_other = lines.iter().filter(|line| line.party != party);
    let cosigned = of_other
        .filter_map(|line| Some(Cosigned { at: line.cosigned_at?, key: Digest::of(&line.key) }))
        .collect();
    Ok(Head { checkpoint, epoch, key, cosigned })
}
