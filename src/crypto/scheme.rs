//! Which elliptic curves and which pairs of curve and hash may sign (RFC 5753, RFC 5754).

use super::asn1::{Fields, NULL, OBJECT_IDENTIFIER, SEQUENCE, tlv};
use const_oid::{ObjectIdentifier, db::rfc5912};
use ring::{digest, signature};

/// The curve of a signing key (NIST SP 800-186).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1, the default.
    P256,
    /// secp384r1, by configuration; about twenty times slower here.
    P384,
}

/// ECDSA over one curve with one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    P256Sha256,
    P384Sha384,
    /// Never signed with here, but other tools do so by default with a P-384 key; its strength is SHA-256's.
    P384Sha256,
}

impl Curve {
    /// The scheme this daemon signs with.
    pub(super) const fn scheme(self) -> Scheme {
        match self {
            Self::P256 => Scheme::P256Sha256,
            Self::P384 => Scheme::P384Sha384,
        }
    }
}

impl Scheme {
    /// The scheme that a key on `curve` and the two AlgorithmIdentifier values of a SignerInfo name; `None` if they
    /// do not fit together or are none of ours.
    pub(super) fn of(curve: Curve, digest: &[u8], signature: &[u8]) -> Option<Self> {
        let candidates: &[Self] = match curve {
            Curve::P256 => &[Self::P256Sha256],
            Curve::P384 => &[Self::P384Sha384, Self::P384Sha256],
        };
        candidates.iter().copied().find(|scheme| {
            names(digest, scheme.digest_oid(), true) && names(signature, scheme.signature_oid(), false)
        })
    }

    pub(super) fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::P256Sha256 | Self::P384Sha256 => &digest::SHA256,
            Self::P384Sha384 => &digest::SHA384,
        }
    }

    pub(super) fn verification(self) -> &'static signature::EcdsaVerificationAlgorithm {
        match self {
            Self::P256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::P384Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
            Self::P384Sha256 => &signature::ECDSA_P384_SHA256_ASN1,
        }
    }

    /// AlgorithmIdentifier of the hash; RFC 5754 §2: parameters are absent.
    pub(super) fn digest_identifier(self) -> Vec<u8> {
        identifier(self.digest_oid())
    }

    /// AlgorithmIdentifier of the signature; RFC 5758 §3.2: parameters are absent.
    pub(super) fn signature_identifier(self) -> Vec<u8> {
        identifier(self.signature_oid())
    }

    fn digest_oid(self) -> ObjectIdentifier {
        match self {
            Self::P256Sha256 | Self::P384Sha256 => rfc5912::ID_SHA_256,
            Self::P384Sha384 => rfc5912::ID_SHA_384,
        }
    }

    fn signature_oid(self) -> ObjectIdentifier {
        match self {
            Self::P256Sha256 | Self::P384Sha256 => rfc5912::ECDSA_WITH_SHA_256,
            Self::P384Sha384 => rfc5912::ECDSA_WITH_SHA_384,
        }
    }
}

/// Whether the value of an AlgorithmIdentifier is `oid` without parameters, or, for hashes, with the NULL that
/// RFC 5754 §2 tells receivers to accept.
pub(super) fn names(value: &[u8], oid: ObjectIdentifier, null_allowed: bool) -> bool {
    let Ok(mut fields) = Fields::new(value) else { return false };
    if fields.take(OBJECT_IDENTIFIER) != Ok(oid.as_bytes()) {
        return false;
    }
    fields.is_finished() || (null_allowed && fields.take(NULL) == Ok(&[]) && fields.is_finished())
}

fn identifier(oid: ObjectIdentifier) -> Vec<u8> {
    tlv(SEQUENCE, &[&tlv(OBJECT_IDENTIFIER, &[oid.as_bytes()])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_of_curves_and_hashes() {
        use Scheme::{P256Sha256, P384Sha256, P384Sha384};
        let value = |identifier: Vec<u8>| identifier[2..].to_vec();
        for (curve, accepted) in [(Curve::P256, &[P256Sha256][..]), (Curve::P384, &[P384Sha384, P384Sha256])]
        {
            for hash in [P256Sha256, P384Sha384] {
                for sign in [P256Sha256, P384Sha384] {
                    let found = Scheme::of(
                        curve,
                        &value(hash.digest_identifier()),
                        &value(sign.signature_identifier()),
                    );
                    let expected = accepted.iter().copied().find(|scheme| {
                        scheme.digest_oid() == hash.digest_oid()
                            && scheme.signature_oid() == sign.signature_oid()
                    });
                    assert_eq!(found, expected);
                    assert!(hash.digest_oid() == sign.digest_oid() || found.is_none());
                }
            }
        }
    }

    #[test]
    fn null_parameters_are_for_hashes_alone() {
        let mut with_null = tlv(OBJECT_IDENTIFIER, &[rfc5912::ID_SHA_256.as_bytes()]);
        with_null.extend_from_slice(&[NULL, 0]);
        assert!(names(&with_null, rfc5912::ID_SHA_256, true));
        assert!(!names(&with_null, rfc5912::ID_SHA_256, false));
        with_null.extend_from_slice(&[NULL, 0]);
        assert!(!names(&with_null, rfc5912::ID_SHA_256, true));
    }
}
