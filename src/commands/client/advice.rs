//! What to do next, for each thing that can go wrong.

use super::trouble::{ClientError, Told};
use crate::door::DialError;
use std::io::ErrorKind;
use tonic::Code;

/// What to do next, in one sentence.
pub(super) fn next(error: &ClientError) -> String {
    match error {
        ClientError::Usage(_) => "`--help` shows how the command is used".into(),
        ClientError::Profile(_) => {
            "correct the profile, or name another with --profile FILE; `--help` shows an example".into()
        }
        ClientError::NotJson { .. } => "correct the file at that place; nothing was sent".into(),
        ClientError::NotAMessage { .. } => {
            "correct these places in the file; fields are named as in proto/article6/assistance/v1; nothing was sent".into()
        }
        ClientError::NoOfficial { .. } => {
            "add --official ID, or `official = \"ID\"` to the profile; nothing was sent".into()
        }
        ClientError::File { kind: ErrorKind::NotFound, .. } => "check the path".into(),
        ClientError::File { .. } => "check the path and its permissions".into(),
        ClientError::Occupied(_) => {
            "move that file away, or give another folder; what was not kept was not acknowledged".into()
        }
        ClientError::Output(_) => "run the command again; what was not kept was not acknowledged".into(),
        ClientError::Connection { error, .. } => connection(error).into(),
        ClientError::NoAnswer(_) => {
            "repeat the same command: the same request_id never makes a second message".into()
        }
        ClientError::Refused(told) => refused(told),
        ClientError::NotListed { list, .. } => {
            format!("`codes show {list}` shows what is; a message that carries the code is sent with a warning")
        }
        ClientError::Answer(_) => "ask the daemon's operator which version it is".into(),
    }
}

fn connection(error: &DialError) -> &'static str {
    match error {
        DialError::Name => "correct `address` and `server_name` in the profile",
        DialError::Network(..) | DialError::Timeout(_) | DialError::Closed => {
            "see that the daemon runs and that `address` is its back-office door, then repeat the command"
        }
        DialError::Tls(_) => {
            "see that `authority` certified the daemon's back-office door and that `server_name` stands in its certificate"
        }
        DialError::Protocol => "see that `address` is a back-office door of article6",
        DialError::Refused(_) => {
            "the daemon does not accept this certificate: ask its operator whether it is from the door's authority, valid and not revoked"
        }
    }
}

fn refused(told: &Told) -> String {
    let advice = match told.reason.as_str() {
        "CLIENT_NOT_CONFIGURED" => "ask the daemon's operator for a [[clients]] entry with this certificate",
        "OFFICIAL_NOT_ALLOWED" => {
            "name another with --official, or ask the daemon's operator to add the official to this client"
        }
        "ROLE_MISSING" => {
            "act for an official of such a role with --official, or ask the daemon's operator to give the role"
        }
        "OFFICIAL_UNKNOWN" => "name as releasing official one of the daemon's [[officials]], or leave it out",
        "OFFICIAL_REQUIRED" => "add --official ID, or `official = \"ID\"` to the profile",
        "OFFICIAL_MALFORMED" => "correct --official, or `official` in the profile",
        "PURPOSE_REQUIRED" => "add --purpose, such as `--purpose ADMINISTRATIVE_PROCEEDING`",
        "CONSENT_REQUIRED" => {
            "ask the supplying Party with an OTHER_USE_CONSENT_REQUEST, or name a purpose of the agreement"
        }
        "CODE_LIST_NOT_FOUND" => "`codes list` shows which there are",
        "MESSAGE_NOT_FOUND" => "`list` shows the names there are",
        "NAME_MALFORMED" => "`list` shows names as they are to be given",
        "REQUEST_ID_REUSED" => {
            "if this is to be a new message, give it a new --request-id; if not, the message was sent before: see `list`"
        }
        "WRONG_AGREEMENT" | "WRONG_SENDER" | "WRONG_RECIPIENT" => {
            "the file is meant for another channel: correct it, or use the profile of that channel's daemon"
        }
        "BODY_INVALID" | "FIELD_INVALID" => {
            "correct these fields in the file; `send --validate` checks it without sending"
        }
        "BODY_TOO_LARGE" => "shorten the texts: longer ones are documents",
        "CURSOR_UNKNOWN" => "leave out --from to go on where this client last acknowledged",
        "TOO_MANY_FEEDS" => "end another `watch` or `inbox` of this client",
        "STORE_UNREADABLE" | "NO_RANDOMNESS" => "tell the daemon's operator: its log says more",
        _ => return by_code(told),
    };
    advice.to_owned()
}

fn by_code(told: &Told) -> String {
    match (told.code, told.retry_after) {
        (Code::Unavailable | Code::ResourceExhausted, Some(wait)) => {
            format!("repeat the same command in {} s", wait.as_secs().max(1))
        }
        (Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Cancelled, _) => {
            "repeat the same command".to_owned()
        }
        (Code::Unimplemented, _) => {
            "the daemon is of another version, or `address` is another door of it".to_owned()
        }
        _ => "tell the daemon's operator: its log says more".to_owned(),
    }
}
