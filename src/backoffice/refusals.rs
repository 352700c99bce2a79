//! The one table from what may go wrong to what a back office is told.

use crate::door::{FieldViolation, Refusal};
use crate::exchange::drafts::DraftError;
use crate::exchange::follow::QueryError;
use crate::exchange::local::NoteError;
use crate::exchange::orders::OrderError;
use crate::exchange::submit::SubmitError;
use crate::store::StoreError;
use crate::treaty;
use std::time::Duration;
use tonic::Code;

/// When to try again after a shortage.
const SHORTAGE_RETRY: Duration = Duration::from_secs(30);
/// When to try again after a stop.
const STOP_RETRY: Duration = Duration::from_secs(5);

/// One field of the request is wrong.
pub fn field(field: &str, reason: &'static str, description: &str) -> Refusal {
    Refusal::new(Code::InvalidArgument, reason, description).violation(FieldViolation {
        field: field.to_owned(),
        reason: reason.into(),
        description: description.to_owned(),
    })
}

/// There is no such message.
pub fn message_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "MESSAGE_NOT_FOUND", "there is no message of this name")
}

/// There is no such draft.
pub fn draft_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "DRAFT_NOT_FOUND", "there is no draft of this name")
}

/// The operating system failed.
pub fn no_randomness() -> Refusal {
    Refusal::new(Code::Internal, "NO_RANDOMNESS", "the system gave no random bytes")
}

/// The daemon is stopping.
pub fn stopping() -> Refusal {
    Refusal::new(Code::Unavailable, "STOPPING", "the daemon is stopping; call again").retry_after(STOP_RETRY)
}

/// The store cannot be read; the cause goes to the log.
pub fn store(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store cannot be read");
    store_unreadable()
}

fn store_unreadable() -> Refusal {
    Refusal::new(
        Code::Internal,
        "STORE_UNREADABLE",
        "the store cannot be read; the daemon's operator must look at it",
    )
}

/// The store is an older copy of itself.
pub fn quarantined() -> Refusal {
    Refusal::new(
        Code::FailedPrecondition,
        "QUARANTINED",
        "this daemon's store is an older copy of itself: its operator must run `article6 restore` before anything goes on",
    )
}

/// A client reads faster than reads are recorded.
pub fn too_many_reads() -> Refusal {
    Refusal::new(
        Code::ResourceExhausted,
        "TOO_MANY_READS",
        "this client reads content faster than the configured reads_per_second; read what you need once, or follow the feed",
    )
    .retry_after(Duration::from_secs(1))
}

fn no_space() -> Refusal {
    Refusal::new(
        Code::ResourceExhausted,
        "NO_SPACE",
        "there is no space left to record this; nothing was changed",
    )
    .retry_after(SHORTAGE_RETRY)
}

/// A submission was not accepted.
pub fn submit(error: SubmitError) -> Refusal {
    match error {
        SubmitError::RequestIdReused => Refusal::new(
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            "this request_id was used for another message; use a new one for a new message",
        ),
        SubmitError::DraftMoved => draft_moved(),
        SubmitError::NotPermitted(code) => {
            Refusal::new(Code::FailedPrecondition, code.name(), code.explanation())
                .metadata("article", code.article())
        }
        SubmitError::NoSpace => no_space(),
        SubmitError::Quarantined => quarantined(),
        SubmitError::Stopping => stopping(),
        SubmitError::CaseMoved => Refusal::new(
            Code::Aborted,
            "CASE_BUSY",
            "messages arrive in this case faster than this one can be judged: try again",
        )
        .retry_after(STOP_RETRY),
        SubmitError::Store => store_unreadable(),
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        submit(error)
    }
}

/// There is no such order, or none that the official may see.
pub fn order_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "ORDER_NOT_FOUND", "there is no order of this name")
}

/// The official has no part in orders of this kind.
pub fn role_missing(needed: &'static str) -> Refusal {
    let text = format!("the official has no part in orders of this kind: the role {needed} is needed");
    Refusal::new(Code::PermissionDenied, "ROLE_MISSING", text).metadata("roles_needed", needed)
}

/// A step of an order was not taken.
pub fn order(error: OrderError) -> Refusal {
    match error {
        OrderError::RequestIdReused => Refusal::new(
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            "this request_id was used for another order; use a new one for a new order",
        ),
        OrderError::Unknown => order_not_found(),
        OrderError::Decided => Refusal::new(
            Code::FailedPrecondition,
            "ORDER_DECIDED",
            "the order was approved or rejected before; propose a new one to change what it did",
        ),
        OrderError::SamePerson => Refusal::new(
            Code::PermissionDenied,
            "SAME_PERSON",
            "who proposed an order cannot approve it: another official of the same role must",
        ),
        OrderError::TooMany => Refusal::new(
            Code::ResourceExhausted,
            "TOO_MANY_ORDERS",
            "too many orders wait for their second person; have some approved or rejected first",
        ),
        OrderError::NoSpace => no_space(),
        OrderError::Stopping => stopping(),
        OrderError::Store => store_unreadable(),
    }
}

/// A message does not fit its case.
pub fn crossed(code: treaty::Code, field: String) -> Refusal {
    Refusal::new(Code::FailedPrecondition, code.name(), code.explanation())
        .metadata("article", code.article())
        .violation(FieldViolation {
            field,
            reason: code.name().into(),
            description: code.explanation().to_owned(),
        })
}

fn draft_moved() -> Refusal {
    Refusal::new(
        Code::Aborted,
        "DRAFT_MOVED",
        "somebody took a step with the draft since you read it: read it again, then decide",
    )
}

/// A step of a draft was not recorded.
pub fn draft(error: DraftError) -> Refusal {
    match error {
        DraftError::Moved => draft_moved(),
        DraftError::TooMany => Refusal::new(
            Code::ResourceExhausted,
            "TOO_MANY_DRAFTS",
            format!("{} drafts are open: release or discard some first", crate::limits::OPEN_DRAFTS),
        ),
        DraftError::Note(error) => note(error),
    }
}

/// A fact was not recorded.
pub fn note(error: NoteError) -> Refusal {
    match error {
        NoteError::NoSpace => no_space(),
        NoteError::Stopping => stopping(),
    }
}

/// A query was not answered.
pub fn query(error: QueryError) -> Refusal {
    match error {
        QueryError::CatchingUp { position, size } => Refusal::new(
            Code::Unavailable,
            "INDEX_CATCHING_UP",
            format!(
                "the query index covers {position} of {size} events; sending and receiving are not affected"
            ),
        )
        .metadata("position", position.to_string())
        .metadata("size", size.to_string())
        .retry_after(Duration::from_secs(2)),
        QueryError::Unavailable => Refusal::new(
            Code::Unavailable,
            "INDEX_UNAVAILABLE",
            "the query index is being built anew; sending and receiving are not affected",
        )
        .retry_after(Duration::from_secs(5)),
    }
}
