//! Judging the bytes of a body: bounds first, then meaning.

use super::body::kind_of;
use super::completeness;
use crate::rules::{self, Violation};
use crate::wire::assistance::v1::{Body, Kind};
use prost::Message as _;

/// Codes of the bounds checker that say no more than that something is absent. Where the agreement itself
/// asks for it, the code of the agreement says it better.
const ABSENT: [&str; 2] = ["REQUIRED", "TOO_FEW"];

/// Judges the body of a message before it is signed.
///
/// # Errors
/// All violations found, of bounds and of Article 5.2 and the other rules of the agreement.
pub fn check_body(bytes: &[u8]) -> Result<(Kind, Body), Vec<Violation>> {
    let (body, violations) = examine(bytes);
    match body.and_then(|body| Some((kind_of(&body)?, body))) {
        Some(checked) if violations.is_empty() => Ok(checked),
        _ => Err(violations),
    }
}

/// What a received body lacks (Article 5.2); empty when nothing. The receiver stores the body all the same.
pub fn deficiencies(bytes: &[u8]) -> Vec<Violation> {
    examine(bytes).1
}

/// A received body, where it can be decoded, with all it lacks.
///
/// A body that does not decode, or has no content, always has a violation.
pub fn examine(bytes: &[u8]) -> (Option<Body>, Vec<Violation>) {
    let mut violations = rules::check("article6.assistance.v1.Body", bytes);
    let Ok(body) = Body::decode(bytes) else {
        if violations.is_empty() {
            violations.push(whole_body("MALFORMED", "not a well-formed message of its type"));
        }
        return (None, violations);
    };
    let Some(content) = &body.content else {
        if violations.is_empty() {
            violations.push(whole_body("REQUIRED", "must be present"));
        }
        return (None, violations);
    };
    let found = completeness::check(content);
    violations.retain(|bound| {
        !(ABSENT.contains(&bound.code) && found.iter().any(|finding| finding.field == bound.field))
    });
    violations.extend(found);
    violations.truncate(rules::MAX_VIOLATIONS);
    (Some(body), violations)
}

fn whole_body(code: &'static str, description: &'static str) -> Violation {
    Violation { code, field: String::new(), article: "", description }
}
