//! The token by which an official stands behind a call himself.
//!
//! A JWT (RFC 7519) signed with ES256 by the official's own key, in the metadata key `authorization` after "Bearer ". Claims:
//! `sub` the official · `aud` "article6/AGREEMENT/PARTY" · `exp` the end, at most 15 minutes from now · `client` the name of the
//! client, where the token is for one alone · `release`, for a release: the digest that the draft shows for what was reviewed.

use crate::crypto::token;
use crate::door::Refusal;
use serde::Deserialize;
use tonic::Code;
use tonic::metadata::MetadataMap;

/// Longest life of a token, in seconds: a call is made at once.
const LIFE_MAX: i64 = 15 * 60;
/// By how much the clock of whoever made it may be off, in seconds.
const LEEWAY: i64 = 30;

/// What a token must say.
pub struct Expected<'a> {
    /// This channel's side.
    pub audience: &'a str,
    /// Who calls.
    pub client: &'a str,
    /// For whom.
    pub official: &'a str,
}

/// A token that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialToken {
    /// What it releases, in hexadecimal; empty for none.
    pub release: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: String,
    exp: i64,
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    release: String,
}

/// The token of a call, checked; `None` where it has none.
pub fn read(
    metadata: &MetadataMap,
    key: Option<&[u8]>,
    expected: &Expected<'_>,
) -> Result<Option<OfficialToken>, Refusal> {
    let Some(value) = metadata.get("authorization") else { return Ok(None) };
    let bearer = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    let bearer =
        bearer.ok_or_else(|| refused("the metadata key authorization must be \"Bearer \" and a token"))?;
    let key = key.ok_or_else(|| refused("no token_key is configured for this official"))?;
    let payload = token::verify(key, bearer).map_err(|error| refused(&error.to_string()))?;
    let claims: Claims = serde_json::from_slice(&payload)
        .map_err(|_| refused("the token must have the claims sub, aud and exp, of their types"))?;
    judge(claims, expected, jiff::Timestamp::now().as_second()).map(Some)
}

fn judge(claims: Claims, expected: &Expected<'_>, now: i64) -> Result<OfficialToken, Refusal> {
    if claims.sub != expected.official {
        return Err(refused("the token is of another official than the call names"));
    }
    if claims.aud != expected.audience {
        return Err(refused(&format!("the token is not meant for here: aud must be {}", expected.audience)));
    }
    if claims.client.is_some_and(|client| client != expected.client) {
        return Err(refused("the token is meant for another client"));
    }
    if claims.exp <= now.saturating_sub(LEEWAY) {
        return Err(refused("the token has expired"));
    }
    if claims.exp > now.saturating_add(LIFE_MAX + LEEWAY) {
        return Err(refused("the token lives longer than 15 minutes"));
    }
    Ok(OfficialToken { release: claims.release })
}

/// This client must show that the official stands behind the call.
pub fn required() -> Refusal {
    Refusal::new(
        Code::Unauthenticated,
        "TOKEN_REQUIRED",
        "this client is not trusted to name officials: send the official's own token in the metadata key authorization",
    )
}

fn refused(what: &str) -> Refusal {
    Refusal::new(Code::Unauthenticated, "TOKEN_REFUSED", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_claim_is_held_to_what_is_expected() {
        let expected = Expected { audience: "article6/A/US", client: "bo", official: "US-1" };
        let claims = |sub: &str, aud: &str, exp, client: Option<&str>| Claims {
            sub: sub.into(),
            aud: aud.into(),
            exp,
            client: client.map(Into::into),
            release: "aa".into(),
        };
        let judged =
            |claims| judge(claims, &expected, 1000).map(|token| token.release).map_err(|it| it.reason);
        assert_eq!(judged(claims("US-1", "article6/A/US", 1500, None)), Ok("aa".into()));
        assert_eq!(judged(claims("US-1", "article6/A/US", 1500, Some("bo"))), Ok("aa".into()));
        for wrong in [
            claims("US-2", "article6/A/US", 1500, None),
            claims("US-1", "article6/A/KZ", 1500, None),
            claims("US-1", "article6/A/US", 1500, Some("other")),
            claims("US-1", "article6/A/US", 960, None),
            claims("US-1", "article6/A/US", 2000, None),
            claims("US-1", "article6/A/US", i64::MAX, None),
        ] {
            assert_eq!(judged(wrong), Err("TOKEN_REFUSED"));
        }
    }
}
