//! Statements as files that somebody else can read: by the key that they state themselves, and with the other Party's
//! signature beside it.

use super::{FORMAT, STATEMENT_BYTES_MAX, Statement, StatementFault};
use crate::crypto::digest::Digest;
use crate::crypto::ed25519::LedgerKey;
use crate::ledger::checkpoint::{Checkpoint, with_signature};
use crate::ledger::note::{Note, NoteError, NoteSignature, Vkey};
use base64::engine::{Engine as _, general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// The name of the format of a disagreement.
const DISAGREEMENT: &str = "article6/disagreement/1";

/// A statement whose own signature holds: what is said is said by who has the key. Whose key it is others must tell.
#[derive(Debug, Clone)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// Fingerprint of the key that signed it.
    pub fingerprint: Digest,
    key: [u8; 32],
    origin: String,
    note: Note,
}

impl Signed {
    /// Whether a file may be one.
    pub fn is_named_so(file: &[u8]) -> bool {
        file.len() <= STATEMENT_BYTES_MAX && file.starts_with(format!("{FORMAT}\n").as_bytes())
    }

    /// Reads a statement and checks its signature with the key that it states.
    ///
    /// # Errors
    /// [`StatementFault`].
    pub fn open(text: &str) -> Result<Self, StatementFault> {
        let note = Note::parse(text)?;
        let statement = Statement::parse(&note)?;
        let key: [u8; 32] = STANDARD
            .decode(&statement.key)
            .ok()
            .and_then(|key| key.try_into().ok())
            .ok_or(StatementFault::Format)?;
        let own = ledger_of(&statement, &statement.party);
        let line = line_of(&note, &own, &key).ok_or(NoteError::Unsigned)?;
        Ok(Self { fingerprint: Digest::of(&key), origin: line.name.clone(), statement, key, note })
    }

    /// The key that signed it.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Whether who stated `other` signed this statement of the other Party, too.
    pub fn is_countersigned(&self, other: &Self) -> bool {
        let ledger = ledger_of(&self.statement, &self.statement.counterparty);
        other.statement.party == self.statement.counterparty
            && line_of(&self.note, &ledger, &other.key).is_some()
    }

    /// The head of the Party's own ledger that it states.
    pub fn head(&self) -> Option<Checkpoint> {
        let root = Digest::from_hex(&self.statement.ledger.root)?;
        Some(Checkpoint { origin: self.origin.clone(), size: self.statement.ledger.size, root })
    }

    /// The same statement with a further signature: who signs it says that its own ledger agrees.
    ///
    /// # Errors
    /// [`StatementFault`].
    pub fn countersign(&self, key: &LedgerKey, vkey: &Vkey) -> Result<String, StatementFault> {
        let signature = vkey.signature(&key.sign(self.note.text().as_bytes()));
        Ok(with_signature(&self.note.encode(), signature)?)
    }

    /// What is signed instead where the two ledgers differ.
    ///
    /// # Errors
    /// [`StatementFault`].
    pub fn disagree(
        &self,
        ours: &Statement,
        differences: &[String],
        key: &LedgerKey,
        vkey: &Vkey,
    ) -> Result<String, StatementFault> {
        let theirs = Digest::of(self.note.text().as_bytes()).to_string();
        let told = Disagreement { theirs, ours: ours.clone(), differences: differences.to_vec() };
        let json = serde_json::to_string(&told).map_err(|_| StatementFault::Format)?;
        let text = format!("{DISAGREEMENT}\n{json}\n");
        let signature = vkey.signature(&key.sign(text.as_bytes()));
        Ok(Note::new(text, vec![signature])?.encode())
    }
}

/// The text of a disagreement behind its first line: JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Disagreement {
    /// SHA-256 of the signed text of the other Party's statement, hexadecimal.
    theirs: String,
    /// This Party's statement of the same period.
    ours: Statement,
    /// In what they differ.
    differences: Vec<String>,
}

/// How the origins of a Party's ledger begin, whatever its epoch.
fn ledger_of(statement: &Statement, party: &str) -> String {
    format!("article6/{}/{}/{party}/", statement.environment, statement.agreement)
}

/// The line of this key for a ledger, if its signature holds.
fn line_of<'a>(note: &'a Note, ledger: &str, key: &[u8; 32]) -> Option<&'a NoteSignature> {
    let mut lines = note.signatures().iter().filter(|line| line.name.starts_with(ledger));
    lines.find(|line| note.verify(&Vkey::of(&line.name, *key)).is_ok())
}
