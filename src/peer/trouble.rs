//! Why a session with the other daemon ended, and the code it is told by.

use super::introduction::Mismatch;
use crate::door::DialError;
use crate::exchange::acknowledge::AcknowledgeError;
use crate::exchange::heads::HeadError;
use crate::exchange::receipts::CheckError;
use crate::store::StoreError;
use tonic::Status;
use tonic_types::StatusExt as _;

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("{}: {}", .0.code(), printable(.0.message(), 200))]
    Status(Box<Status>),
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    #[error("the other Party's proof is not accepted: {0}")]
    Proof(#[from] CheckError),
    #[error("the other daemon did not answer in time")]
    Silent,
    #[error("the other daemon answered something else than was asked")]
    Unexpected,
    #[error("the connection was closed")]
    Closed,
    #[error(
        "the other Party's ledger key was read anew and is another one: the session begins again with it"
    )]
    Rekeyed,
    #[error("{0}")]
    Acknowledge(#[from] AcknowledgeError),
    #[error("{0}")]
    Head(#[from] HeadError),
    #[error("the channel is held after a contradiction, until a person releases it")]
    Held,
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl SessionError {
    /// Stable reason code; one of our own, or the other daemon's.
    pub fn reason(&self) -> String {
        match self {
            Self::Dial(error) => error.reason().to_owned(),
            Self::Status(status) => status.get_error_details().error_info().map_or_else(
                || "PEER_UNAVAILABLE".to_owned(),
                |info| from_here(&printable(&info.reason, 60)),
            ),
            Self::Mismatch(error) => error.reason().to_owned(),
            Self::Proof(error) => error.reason().to_owned(),
            Self::Silent => "PEER_SILENT".to_owned(),
            Self::Unexpected => "PEER_ANSWER_MALFORMED".to_owned(),
            Self::Closed => "PEER_CONNECTION_CLOSED".to_owned(),
            Self::Rekeyed => "PEER_LEDGER_KEY_CHANGED".to_owned(),
            Self::Acknowledge(_) => "RECEIPT_NOT_RECORDED".to_owned(),
            Self::Head(_) => "HEAD_NOT_RECORDED".to_owned(),
            Self::Held => "CHANNEL_HELD".to_owned(),
            Self::Store(_) => "STORE_UNREADABLE".to_owned(),
        }
    }
}

/// The other daemon's reason as seen from this side: what it says of its peer is about us, and the reverse.
fn from_here(reason: &str) -> String {
    const OF_A_SIDE: [&str; 5] =
        ["CHAIN_BEHIND", "CHAIN_DIFFERS", "HEAD_UNKNOWN", "LEDGER_FORKED", "LEDGER_BEHIND"];
    match reason.split_once('_') {
        Some(("PEER", what)) if OF_A_SIDE.contains(&what) => format!("OWN_{what}"),
        Some(("OWN", what)) if OF_A_SIDE.contains(&what) => format!("PEER_{what}"),
        _ => reason.to_owned(),
    }
}

/// What the other daemon says, fit for a line of the log.
pub(super) fn printable(text: &str, chars: usize) -> String {
    text.chars().filter(|char| !char.is_control()).take(chars).collect()
}

impl From<Status> for SessionError {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}
