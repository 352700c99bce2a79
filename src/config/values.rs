//! Single values of a configuration.

use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The roles an official may have.
const ROLES: [&str; 8] = [
    "CASE_OFFICER",
    "DESIGNATED_OFFICIAL",
    "RELEASING_OFFICER",
    "RECORDS_CUSTODIAN",
    "AUDITOR",
    "TREATY_ADMINISTRATOR",
    "OPERATIONS",
    "HEAD_OF_SERVICE",
];

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "a duration is expected, such as \"15m\"".to_owned())?;
    Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    one_of(text, &[("true", true), ("false", false)])
}

pub(super) fn between(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse().map_err(|_| "a number is expected".to_owned())?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("a number from {least} to {most} is expected"))
    }
}

/// So many in a second.
pub(super) fn rate(text: &str) -> Result<u32, String> {
    between(text, 1, 1_000_000).map(|rate| u32::try_from(rate).unwrap_or(u32::MAX))
}

pub(super) fn one_of<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        format!("one of {} is expected", values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
    })
}

pub(super) fn country(text: &str) -> Result<String, String> {
    let sound = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("a country code of ISO 3166-1 alpha-2 is expected, such as \"US\"".to_owned())
    }
}

pub(super) fn identifier(text: &str) -> Result<String, String> {
    let sound = (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if sound {
        Ok(text.to_owned())
    } else {
        Err("1 to 40 letters, digits and the characters - _ . are expected".to_owned())
    }
}

pub(super) fn role(text: &str) -> Result<String, String> {
    if ROLES.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("one of {} is expected", ROLES.join(", ")))
    }
}

pub(crate) fn host_and_port(text: &str) -> Result<String, String> {
    let sound =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("host:port is expected, such as \"customs.example:7601\"".to_owned())
    }
}

/// What the log shows: a level, or levels of single modules. The filter itself takes any word for the name of a
/// module, so that a level misspelt would silence the log.
pub(super) fn log_level(text: &str) -> Result<String, String> {
    let sound = |part: &str| !part.is_empty() && (part.contains('=') || part.parse::<LevelFilter>().is_ok());
    if text.split(',').map(str::trim).all(sound) && EnvFilter::try_new(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err("off, error, warn, info, debug or trace is expected, or such as \"info,article6::peer=debug\""
            .to_owned())
    }
}
