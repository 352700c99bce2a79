//! What a caller is told when the answer is no, and what only the log is told.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::limits;

/// `domain` of every `google.rpc.ErrorInfo` this daemon sends.
pub const DOMAIN: &str = "article6";

/// One field of a request that is wrong (`google.rpc.BadRequest.FieldViolation`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field, dot-separated, with indices: `body.goods[2].description`.
    pub field: String,
    /// Stable code, UPPER_SNAKE_CASE.
    pub reason: Cow<'static, str>,
    /// For people; names rule and bound, never the value found.
    pub description: String,
}

/// A refusal of one call, as data.
///
/// `message`, `violations` and `metadata` go to the caller; `cause` goes to the log only. Neither
/// carries content, names or case numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// gRPC status code.
    pub code: Code,
    /// Stable reason code, UPPER_SNAKE_CASE, of a closed set per door.
    pub reason: &'static str,
    /// For people at the caller's side.
    pub message: String,
    /// Fields that are wrong; at most [`limits::REFUSAL_VIOLATIONS`] of them are told.
    pub violations: Vec<FieldViolation>,
    /// When trying the same call again makes sense.
    pub retry_after: Option<Duration>,
    /// Further facts for programs, in `ErrorInfo.metadata`.
    pub metadata: Vec<(String, String)>,
    /// Inside cause for the log; never told.
    pub cause: Option<String>,
}

impl Refusal {
    /// A refusal with no more than a code, a reason and a text.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            violations: Vec::new(),
            retry_after: None,
            metadata: Vec::new(),
            cause: None,
        }
    }

    /// The door has as much work as it can hold.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(Code::ResourceExhausted, "OVERLOADED", "too many calls at once; try again later")
            .retry_after(limits::OVERLOAD_RETRY)
    }

    /// The call did not end before its deadline.
    #[must_use]
    pub fn deadline_exceeded() -> Self {
        Self::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the call's deadline passed")
    }

    /// With the time after which the same call may be tried again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// With one more wrong field.
    #[must_use]
    pub fn violation(mut self, violation: FieldViolation) -> Self {
        self.violations.push(violation);
        self
    }

    /// With one more fact for programs.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push((key.into(), value.into()));
        self
    }

    /// With the inside cause, for the log only.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The status sent to the caller; the inside cause stays here.
    ///
    /// Everything is cut to bounds first: the status travels in the header list of the answer, and one that is larger
    /// than the client's own bound reaches nobody. Many clients take no more than 8 KiB.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut told: Vec<_> = self.violations.iter().take(limits::REFUSAL_VIOLATIONS).map(told).collect();
        loop {
            let status = self.with(&told);
            if status.details().len() <= limits::REFUSAL_DETAILS_BYTES || told.pop().is_none() {
                return status;
            }
        }
    }

    fn with(&self, told: &[tonic_types::FieldViolation]) -> Status {
        let mut facts: HashMap<String, String> =
            self.metadata.iter().map(|(key, value)| (key.clone(), bounded(value))).collect();
        let left_out = self.violations.len().saturating_sub(told.len());
        if left_out > 0 {
            facts.insert("violations_left_out".into(), left_out.to_string());
        }
        let mut details = ErrorDetails::with_error_info(self.reason, DOMAIN, facts);
        if !told.is_empty() {
            details.set_bad_request(told.to_vec());
        }
        if let Some(wait) = self.retry_after {
            details.set_retry_info(Some(wait));
        }
        Status::with_error_details(self.code, bounded(&self.message), details)
    }
}

impl From<Refusal> for Status {
    /// Tells the caller what is the caller's, and the log what is the log's.
    fn from(refusal: Refusal) -> Self {
        if let Some(cause) = &refusal.cause {
            tracing::warn!(code = ?refusal.code, reason = refusal.reason, cause, "call refused");
        }
        refusal.status()
    }
}

fn told(violation: &FieldViolation) -> tonic_types::FieldViolation {
    let mut told =
        tonic_types::FieldViolation::new(bounded(&violation.field), bounded(&violation.description));
    told.reason = violation.reason.to_string();
    told
}

/// Cut to the bound, at a character's boundary.
fn bounded(text: &str) -> String {
    let end = text.floor_char_boundary(limits::REFUSAL_TEXT_BYTES);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(field: &str) -> FieldViolation {
        FieldViolation { field: field.into(), reason: "TOO_LONG".into(), description: "at most 35".into() }
    }

    #[test]
    fn details_reach_the_caller_and_the_cause_does_not() {
        let refusal = Refusal::new(Code::InvalidArgument, "FIELD_BOUNDS", "fields are out of bounds")
            .violation(violation("body.purpose"))
            .metadata("requirement", "5.2")
            .retry_after(Duration::from_secs(3))
            .cause("secret inside");
        let status = refusal.status();
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("FIELD_BOUNDS", "article6"));
        assert_eq!(info.metadata.get("requirement").unwrap(), "5.2");
        let told = &details.bad_request().unwrap().field_violations;
        assert_eq!((told[0].field.as_str(), told[0].reason.as_str()), ("body.purpose", "TOO_LONG"));
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(3)));
        assert!(!format!("{status:?}").contains("secret inside"));
    }

    #[test]
    fn the_largest_refusal_fits_what_common_clients_take() {
        let long = "\u{20ac}".repeat(10_000);
        let mut refusal = Refusal::new(Code::InvalidArgument, "FIELD_BOUNDS", long.clone());
        for _ in 0..100 {
            refusal =
                refusal.violation(FieldViolation { description: long.clone(), ..violation(&long[..81]) });
        }
        let response: http::Response<()> = refusal.status().into_http();
        let size: usize =
            response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        // What grpc-go, grpc-java and grpc-python take where nothing else is said.
        assert!(size < 8 * 1024, "{size}");
        let status = refusal.status();
        let details = status.get_error_details();
        let told = details.bad_request().unwrap().field_violations.len();
        assert!(told > 5, "{told}");
        let left_out = &details.error_info().unwrap().metadata["violations_left_out"];
        assert_eq!(left_out.as_str(), (100 - told).to_string());
    }
}
