//! What can go wrong for a client, how it is told, and what to do next.

use crate::commands::json::JsonViolation;
use crate::config::Mistake;
use crate::door::DialError;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Exit code for mistakes in a profile (`EX_CONFIG` of sysexits.h).
const CONFIGURATION: u8 = 78;
/// Exit code for a wrong use of the command line, as clap has it.
const USAGE: u8 = 2;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// The caller's: the command line contradicts itself.
    #[error("{0}")]
    Usage(&'static str),
    /// The caller's: mistakes in the profile, all of them.
    #[error("the profile has {} mistake(s)", .0.len())]
    Profile(Vec<Mistake>),
    /// The caller's: a file to send is no JSON.
    #[error("{file} is no JSON: line {line}, column {column}")]
    NotJson {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The caller's: a file to send is no message.
    #[error("{file} is not a message of the agreement")]
    NotAMessage {
        /// The file.
        file: String,
        /// Everything that does not fit the mapping.
        violations: Vec<JsonViolation>,
    },
    /// The caller's: nobody says which official acts (Article 6.1).
    #[error("{file} names no official to act for")]
    NoOfficial {
        /// The file.
        file: String,
    },
    /// The machine's: a file cannot be read or written.
    #[error("{}: {kind}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The machine's: another file stands where a message is to be kept.
    #[error("{} exists with other content", .0.display())]
    Occupied(PathBuf),
    /// The machine's: standard output is gone.
    #[error("standard output: {0}")]
    Output(io::ErrorKind),
    /// The way's: there is no connection.
    #[error("no connection to {address}: {error}")]
    Connection {
        /// `host:port`.
        address: String,
        /// Why.
        error: DialError,
    },
    /// The way's: the daemon did not answer in time. What was asked may have been done.
    #[error("the daemon did not answer within {0:?}")]
    NoAnswer(Duration),
    /// The daemon's: it said no.
    #[error("{}", .0.message)]
    Refused(Box<Told>),
    /// The answer is no: a code list does not have the code.
    #[error("{code} is not in {list}")]
    NotListed {
        /// The code.
        code: String,
        /// The list.
        list: String,
    },
    /// The daemon's: its answer lacks what the protocol promises.
    #[error("the daemon's answer lacks {0}")]
    Answer(&'static str),
}

/// A refusal as it was told, comparable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// gRPC status code.
    pub code: Code,
    /// Stable reason; empty where what answered is no article6 daemon.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Fields that are wrong.
    pub violations: Vec<Violation>,
    /// Fields that are wrong and were left out of the answer.
    pub left_out: usize,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
}

/// One wrong field as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For people.
    pub description: String,
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let left_out = info.and_then(|info| info.metadata.get("violations_left_out")?.parse().ok());
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        Self::Refused(Box::new(Told {
            code: status.code(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            violations: violations
                .iter()
                .map(|told| Violation {
                    field: told.field.clone(),
                    code: told.reason.clone(),
                    description: told.description.clone(),
                })
                .collect(),
            left_out: left_out.unwrap_or(0),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
        }))
    }
}

impl ClientError {
    /// What the process ends with: 78 for the profile, 2 for the command line, 1 for everything else.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Profile(_) => ExitCode::from(CONFIGURATION),
            Self::Usage(_) => ExitCode::from(USAGE),
            _ => ExitCode::FAILURE,
        }
    }

    /// Whether the same call may succeed later without anybody mending anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Connection { error, .. } => {
                matches!(error, DialError::Network(..) | DialError::Timeout(_) | DialError::Closed)
            }
            Self::Refused(told) => matches!(told.code, Code::Unavailable | Code::ResourceExhausted),
            _ => false,
        }
    }

    /// The error for people: what happened, each thing that is wrong on its own line, and what to do next.
    pub fn in_words(&self) -> String {
        let mut text = format!("error: {self}");
        if let Some(reason) = self.reason() {
            // Writing to a String does not fail.
            let _ = write!(text, " [{reason}]");
        }
        for Violation { field, code, description } in self.violations() {
            let code = if code.is_empty() { code } else { format!("{code}: ") };
            let _ = write!(text, "\n  {field}: {code}{description}");
        }
        if let Self::Refused(told) = self
            && told.left_out > 0
        {
            let _ = write!(text, "\n  … and {} more", told.left_out);
        }
        let _ = write!(text, "\nnext: {}", super::advice::next(self));
        text
    }

    /// The error for scripts.
    pub fn in_json(&self) -> Value {
        let violations: Vec<_> = self
            .violations()
            .iter()
            .map(|wrong| json!({"field": wrong.field, "code": wrong.code, "description": wrong.description}))
            .collect();
        json!({"error": {
            "reason": self.reason().unwrap_or_default(),
            "message": self.to_string(),
            "violations": violations,
            "is_passing": self.is_passing(),
            "next": super::advice::next(self),
        }})
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Connection { error, .. } => Some(error.reason()),
            Self::Refused(told) if told.reason.is_empty() => Some(told.code.description()),
            Self::Refused(told) => Some(&told.reason),
            _ => None,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Refused(told) => told.violations.clone(),
            Self::NotAMessage { violations, .. } => violations.iter().map(mapping).collect(),
            Self::Profile(mistakes) => mistakes.iter().map(mistake).collect(),
            _ => Vec::new(),
        }
    }
}

fn mapping(violation: &JsonViolation) -> Violation {
    let JsonViolation { code, field, description } = violation;
    let field = if field.is_empty() { "(the whole file)".to_owned() } else { field.clone() };
    Violation { field, code: (*code).to_owned(), description: (*description).to_owned() }
}

fn mistake(mistake: &Mistake) -> Violation {
    let description = format!("{} ({})", mistake.what, mistake.origin);
    Violation { field: mistake.key.clone(), code: String::new(), description }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::{FieldViolation, Refusal};

    fn refused(refusal: Refusal) -> ClientError {
        refusal.status().into()
    }

    #[test]
    fn a_refusal_is_told_with_each_field_and_what_to_do() {
        let wrong = |field: &str| FieldViolation {
            field: field.into(),
            reason: "REQUIRED".into(),
            description: "is missing (Article 5.2)".into(),
        };
        let error = refused(
            Refusal::new(Code::InvalidArgument, "BODY_INVALID", "2 fields are missing")
                .violation(wrong("submission.body.assistance_request.ground"))
                .violation(wrong("submission.body.assistance_request.flow")),
        );
        assert_eq!(
            error.in_words(),
            "error: 2 fields are missing [BODY_INVALID]\n  \
             submission.body.assistance_request.ground: REQUIRED: is missing (Article 5.2)\n  \
             submission.body.assistance_request.flow: REQUIRED: is missing (Article 5.2)\n\
             next: correct these fields in the file; `send --validate` checks it without sending"
        );
        assert_eq!(error.in_json()["error"]["violations"][1]["code"], "REQUIRED");
        assert!(!error.is_passing());
    }

    #[test]
    fn what_was_left_out_is_counted() {
        let mut refusal = Refusal::new(Code::InvalidArgument, "FIELD_INVALID", "many");
        for at in 0..100 {
            let field = format!("f{at}");
            refusal =
                refusal.violation(FieldViolation { field, reason: "X".into(), description: "y".into() });
        }
        assert!(refused(refusal).in_words().contains("\n  … and "));
    }

    #[test]
    fn whoever_answers_without_details_is_understood() {
        let error = ClientError::from(Status::unimplemented("no"));
        assert!(
            error.in_words().starts_with("error: no [Operation is not implemented"),
            "{}",
            error.in_words()
        );
        assert!(ClientError::from(Status::unavailable("gone")).is_passing());
    }

    #[test]
    fn the_exit_code_says_who_is_at_fault() {
        assert_eq!(ClientError::Profile(Vec::new()).exit_code(), ExitCode::from(78));
        assert_eq!(ClientError::Usage("x").exit_code(), ExitCode::from(2));
        assert_eq!(ClientError::Answer("x").exit_code(), ExitCode::from(1));
    }
}
