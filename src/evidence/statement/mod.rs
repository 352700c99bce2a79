//! The periodic reconciliation: what one Party's ledger says of a period, signed, and held against the other's.
//!
//! Format `article6/statement/1`: a signed note (C2SP signed-note) of the ledger's key, named by the ledger's origin. Its text
//! is the line `article6/statement/1` and a line of JSON: [`Statement`]. Times are RFC 3339, by the clock of who signs. A
//! second signature, of the other Party's ledger key under its own origin, says that its ledger agrees with what is stated;
//! where it does not, that Party signs an `article6/disagreement/1` instead.

mod differences;
mod signed;

pub use signed::Signed;

use crate::channel::terms::Terms;
use crate::crypto::ed25519::LedgerKey;
use crate::ledger::note::{Note, NoteError, Vkey};
use crate::store::{Store, StoreError};
use crate::wire::channel::v1::StatementType;
use crate::wire::ledger::v1::{Event, RejectionReason, event::Fact};
use base64::engine::{Engine as _, general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The format's name.
const FORMAT: &str = "article6/statement/1";
/// Most bytes of a statement that is read.
pub const STATEMENT_BYTES_MAX: usize = 64 << 10;

/// What one Party's ledger says of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Who signs.
    pub party: String,
    /// The other Party.
    pub counterparty: String,
    /// PRODUCTION or TEST.
    pub environment: String,
    /// The agreement.
    pub agreement: String,
    /// The Ed25519 key that signs, in base64: the reader must know whose it is.
    pub key: String,
    /// From this time on.
    pub from: Timestamp,
    /// Up to but without this time.
    pub to: Timestamp,
    /// Messages sealed in the period.
    pub sent: Sent,
    /// Messages of the other Party recorded in the period.
    pub received: Received,
    /// The ledger as it is now: events and root hash (hexadecimal).
    pub ledger: Head,
    /// The other Party's ledger as accepted last.
    pub peer_ledger: Head,
}

/// Messages sealed in a period; numbers are of the chain, statements of the daemons included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// How many.
    pub count: u64,
    /// The first number; 0 for none.
    pub first: u64,
    /// The last number; 0 for none.
    pub last: u64,
    /// Of the agreement.
    pub treaty: u64,
    /// With a receipt by now.
    pub receipted: u64,
    /// Turned down by the other Party, of those.
    pub rejected: u64,
    /// Without a receipt by now.
    pub open: u64,
}

/// Messages of the other Party recorded in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// How many.
    pub count: u64,
    /// The first number; 0 for none.
    pub first: u64,
    /// The last number; 0 for none.
    pub last: u64,
    /// Of the agreement, and not turned down.
    pub treaty: u64,
    /// Turned down here.
    pub rejected: u64,
}

/// A head of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Number of events.
    pub size: u64,
    /// Root hash, hexadecimal.
    pub root: String,
}

/// Why a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// Not of this format.
    #[error("not a statement of the format {FORMAT}")]
    Format,
    /// Not signed by a key that is trusted.
    #[error("the statement is not signed by a trusted key of the other Party's ledger: {0}")]
    Signature(#[from] NoteError),
}

/// What a ledger says of the period from `from` on, up to `to`.
///
/// # Errors
/// [`StoreError`] when the journal cannot be read.
pub fn statement(
    store: &Store,
    terms: &Terms,
    period: (Timestamp, Timestamp),
    acknowledged: u64,
    peer_ledger: Head,
    key: &[u8; 32],
) -> Result<Statement, StoreError> {
    let (mut sent, mut received) = (Sent::default(), Received::default());
    let head = store.reader().head();
    for leaf in 0..head.size {
        let opened = store.event(leaf)?;
        let within = recorded_at(&opened.event).is_some_and(|at| period.0 <= at && at < period.1);
        let treaty = opened.envelope.as_ref().is_some_and(|envelope| {
            StatementType::try_from(envelope.statement_type) == Ok(StatementType::Treaty)
        });
        match &opened.event.fact {
            Some(Fact::Sealed(event)) if within => {
                extend(&mut sent.count, &mut sent.first, &mut sent.last, event.sequence);
                sent.treaty += u64::from(treaty);
                sent.receipted += u64::from(event.sequence <= acknowledged);
            }
            Some(Fact::Acknowledged(event)) if event.rejection() != RejectionReason::Unspecified => {
                let of_period = sent.first > 0 && (sent.first..=sent.last).contains(&event.sequence);
                sent.rejected += u64::from(of_period);
            }
            Some(Fact::Received(event)) if within => {
                extend(&mut received.count, &mut received.first, &mut received.last, event.sequence);
                received.treaty += u64::from(treaty);
            }
            Some(Fact::Rejected(event)) if within => {
                extend(&mut received.count, &mut received.first, &mut received.last, event.sequence);
                received.rejected += 1;
            }
            _ => {}
        }
    }
    sent.open = sent.count - sent.receipted;
    Ok(Statement {
        party: terms.party.clone(),
        counterparty: terms.counterparty.clone(),
        environment: terms.environment_name().to_owned(),
        agreement: terms.agreement.clone(),
        key: STANDARD.encode(key),
        from: period.0,
        to: period.1,
        sent,
        received,
        ledger: Head { size: head.size, root: head.root.to_string() },
        peer_ledger,
    })
}

fn recorded_at(event: &Event) -> Option<Timestamp> {
    let at = event.recorded_at?;
    Timestamp::new(at.seconds, at.nanos).ok()
}

fn extend(count: &mut u64, first: &mut u64, last: &mut u64, sequence: u64) {
    *count += 1;
    *first = if *first == 0 { sequence } else { sequence.min(*first) };
    *last = sequence.max(*last);
}

impl Statement {
    /// The signed text.
    ///
    /// # Errors
    /// [`StatementFault::Format`] where it cannot be written.
    pub fn sign(&self, key: &LedgerKey, vkey: &Vkey) -> Result<String, StatementFault> {
        let json = serde_json::to_string(self).map_err(|_| StatementFault::Format)?;
        let text = format!("{FORMAT}\n{json}\n");
        let signature = vkey.signature(&key.sign(text.as_bytes()));
        Ok(Note::new(text, vec![signature])?.encode())
    }

    /// Reads a statement that one of the keys signed.
    ///
    /// # Errors
    /// [`StatementFault`].
    pub fn read(text: &str, vkeys: &[Vkey]) -> Result<Self, StatementFault> {
        let note = Note::parse(text)?;
        let verified = vkeys.iter().map(|vkey| note.verify(vkey)).reduce(Result::or);
        verified.unwrap_or(Err(NoteError::Unsigned))?;
        Self::parse(&note)
    }

    fn parse(note: &Note) -> Result<Self, StatementFault> {
        let json = note.text().strip_prefix(FORMAT).and_then(|rest| rest.strip_prefix('\n'));
        serde_json::from_str(json.ok_or(StatementFault::Format)?).map_err(|_| StatementFault::Format)
    }
}
