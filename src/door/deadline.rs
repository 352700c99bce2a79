//! `grpc-timeout`, as the gRPC protocol over HTTP/2 writes it.

use std::time::Duration;

use http::HeaderMap;

/// The header's name.
pub const HEADER: &str = "grpc-timeout";

/// The header is there but says nothing that can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("grpc-timeout is not 1 to 8 digits and a unit")]
pub struct Malformed;

/// The time the caller gave: 1 to 8 ASCII digits and one of `H M S m u n`.
///
/// # Errors
/// [`Malformed`] when the header is present and not of that form.
pub fn asked(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let (unit, digits) = value.as_bytes().split_last().ok_or(Malformed)?;
    if digits.is_empty() || digits.len() > 8 {
        return Err(Malformed);
    }
    let mut amount: u64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Malformed);
        }
        amount = amount * 10 + u64::from(digit - b'0');
    }
    Ok(Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return Err(Malformed),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Result<Option<Duration>, Malformed> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, value.parse().unwrap());
        asked(&headers)
    }

    #[test]
    fn reads_every_unit() {
        for (text, expected) in [
            ("2H", Duration::from_secs(7200)),
            ("3M", Duration::from_secs(180)),
            ("99999999S", Duration::from_secs(99_999_999)),
            ("5m", Duration::from_millis(5)),
            ("6u", Duration::from_micros(6)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(of(text), Ok(Some(expected)), "{text}");
        }
        assert_eq!(asked(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "S", "5", "123456789S", "-1S", "+1S", " 1S", "1.5S", "1s", "1 S"] {
            assert_eq!(of(text), Err(Malformed), "{text:?}");
        }
    }
}
