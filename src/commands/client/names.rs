//! Values of the command line that name something of the protos.

use super::submission::prefixed;
use crate::backoffice::v1::{CaseFilter, DeliveryState, Direction};
use crate::wire::assistance::v1::Purpose;
use uuid::Uuid;

/// The purposes of the agreement, for help texts.
pub(super) const PURPOSES: &str = "PREVENT_INVESTIGATE_REPRESS_OFFENCE, ASSESS_DUTIES_TAXES, JUDICIAL_PROCEEDING, \
                                   ADMINISTRATIVE_PROCEEDING, TECHNICAL_COOPERATION";

/// A purpose by its short name, in any case.
pub(super) fn purpose(text: &str) -> Result<Purpose, String> {
    Purpose::from_str_name(&full("PURPOSE_", text))
        .filter(|purpose| *purpose != Purpose::Unspecified)
        .ok_or_else(|| format!("one of {PURPOSES} is expected (Article 3.1)"))
}

/// A direction by its short name, in any case.
pub(super) fn direction(text: &str) -> Result<Direction, String> {
    Direction::from_str_name(&full("DIRECTION_", text))
        .filter(|direction| *direction != Direction::Unspecified)
        .ok_or_else(|| "sent or received is expected".to_owned())
}

/// A state of delivery by its short name, in any case.
pub(super) fn state(text: &str) -> Result<DeliveryState, String> {
    DeliveryState::from_str_name(&full("DELIVERY_STATE_", text))
        .filter(|state| *state != DeliveryState::Unspecified)
        .ok_or_else(|| "queued, delivered, retrieved, rejected or stalled is expected".to_owned())
}

/// Which cases, by the short name of the filter, in any case.
pub(super) fn case_filter(text: &str) -> Result<CaseFilter, String> {
    CaseFilter::from_str_name(&full("CASE_FILTER_", text))
        .filter(|filter| *filter != CaseFilter::Unspecified)
        .ok_or_else(|| {
            "open, closed, waits-for-us, waits-for-them, owed-by-us, owed-by-them, crossed or a state is expected"
                .to_owned()
        })
}

/// "messages/{uuid}", or the UUID alone.
pub(super) fn message(text: &str) -> Result<String, String> {
    named("messages/", text)
}

/// "cases/{uuid}", or the UUID alone.
pub(super) fn case(text: &str) -> Result<String, String> {
    named("cases/", text)
}

/// "codeLists/NAME", or the name alone, in any case.
pub(super) fn code_list(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("codeLists/").unwrap_or(text);
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if name.is_empty() || name.len() > 40 || !letters {
        return Err("a name such as ISO_4217 is expected; `codes list` shows which there are".to_owned());
    }
    Ok(full("codeLists/", name))
}

/// The last part of a resource name.
pub(super) fn bare(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The identifier of a message that the daemon named: a UUID and nothing else, so that it can name a file.
pub(super) fn identifier(name: &str) -> Option<String> {
    Uuid::try_parse(name.strip_prefix("messages/")?).ok().map(|id| id.hyphenated().to_string())
}

fn named(collection: &str, text: &str) -> Result<String, String> {
    let lower = prefixed(collection, &text.to_ascii_lowercase());
    match lower.strip_prefix(collection).map(Uuid::try_parse) {
        Some(Ok(id)) => Ok(format!("{collection}{}", id.hyphenated())),
        _ => Err(format!("a name such as {collection}0198f000-0000-7000-8000-000000000001 is expected")),
    }
}

fn full(prefix: &str, text: &str) -> String {
    format!("{prefix}{}", text.to_ascii_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_of_the_help_is_known() {
        for name in PURPOSES.split(", ") {
            assert!(purpose(name).is_ok(), "{name}");
            assert_eq!(purpose(&name.to_lowercase().replace('_', "-")), purpose(name));
        }
        assert!(purpose("UNSPECIFIED").is_err());
    }

    #[test]
    fn names_are_whole_or_bare() {
        let id = "0198f000-0000-7000-8000-00000000000a";
        assert_eq!(message(id), message(&format!("messages/{id}")));
        assert_eq!(message(&id.to_uppercase()), message(id));
        for wrong in ["", "messages/", "cases/0198f000-0000-7000-8000-00000000000a", "x"] {
            assert!(message(wrong).is_err(), "{wrong}");
        }
        assert_eq!(code_list("iso-4217"), Ok("codeLists/ISO_4217".to_owned()));
        assert_eq!(code_list("codeLists/ISO_4217"), code_list("ISO_4217"));
        assert!(code_list("").is_err() && code_list("cases/ISO_4217").is_err());
        assert_eq!(identifier("messages/../../etc/passwd"), None);
        assert_eq!(identifier(&format!("messages/{id}")).as_deref(), Some(id));
    }
}
