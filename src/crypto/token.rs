//! Tokens by which an official stands behind a call: JWS in compact form (RFC 7515) with ES256 (RFC 7518, section 3.4),
//! and nothing else: no other algorithm, no key from the token itself.

use super::keyfile::P256_SPKI;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use serde::Deserialize;

/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// The uncompressed point of a P-256 key in a PEM section PUBLIC KEY (RFC 5480); `None` for anything else.
pub fn public_key(pem: &[u8]) -> Option<Vec<u8>> {
    let (label, spki) = der::pem::decode_vec(pem).ok()?;
    let point = spki.strip_prefix(&P256_SPKI)?;
    (label == "PUBLIC KEY" && point.len() == 65 && point.first() == Some(&4)).then(|| point.to_vec())
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of this form.
    #[error("the token is not a JWS in compact form with the algorithm ES256")]
    Malformed,
    /// Signed by another key, or changed.
    #[error("the token's signature is not the official's")]
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// A reader must reject what it does not understand (RFC 7515, section 4.1.11); this one understands no extension.
    crit: Option<serde_json::Value>,
}

/// A token over a payload, signed with a P-256 key (PKCS#8, DER); `None` for another key.
pub fn sign(pkcs8: &[u8], payload: &str) -> Option<String> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random).ok()?;
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(r#"{"alg":"ES256","typ":"JWT"}"#), part(payload));
    let signature = key.sign(&random, signed.as_bytes()).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The payload of a token that the key has signed. `key` is the uncompressed point of a P-256 key.
///
/// # Errors
/// [`TokenError`].
pub fn verify(key: &[u8], token: &str) -> Result<Vec<u8>, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
    if header.alg != "ES256" || header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    let payload = decode(payload)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| TokenError::Signature)?;
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::KeyPair as _;

    fn key() -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
    }

    fn token(key: &EcdsaKeyPair, header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(header), part(payload));
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn what_the_key_signed_is_accepted_and_nothing_else() {
        let (ours, other) = (key(), key());
        let good = token(&ours, r#"{"alg":"ES256","typ":"JWT"}"#, r#"{"sub":"A-1"}"#);
        let public = ours.public_key().as_ref();
        assert_eq!(verify(public, &good).unwrap(), br#"{"sub":"A-1"}"#);
        assert_eq!(verify(other.public_key().as_ref(), &good), Err(TokenError::Signature));
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"ES256","crit":["exp"]}"#, "{}"] {
            assert_eq!(verify(public, &token(&ours, header, "{}")), Err(TokenError::Malformed), "{header}");
        }
        for wrong in ["", ".", "..", "a.b", &good[1..], &"a".repeat(9000)] {
            assert!(verify(public, wrong).is_err(), "{wrong}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed == good || verify(public, &changed).is_err(), "byte {at}");
        }
    }
}
