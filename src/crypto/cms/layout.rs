//! The fields around the signed attributes (RFC 5652 §3, §5): each is either constant or compared.
//!
//! ```text
//! ContentInfo { id-signedData, [0] SignedData {
//!   1, SET { digestAlgorithm }, { id-data }, SET { SignerInfo {
//!     1, { issuer, serialNumber }, digestAlgorithm, [0] signedAttrs, signatureAlgorithm, signature } } } }
//! ```

use super::CmsError;
use crate::crypto::asn1::{
    CONTEXT_0, CONTEXT_1, Fields, INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, tlv,
};
use crate::crypto::scheme::Scheme;
use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};

/// RFC 5652 §5.1 and §5.3: id-data, no certificates, signer named by issuer and serial number.
const VERSION: &[u8] = &[1];

/// What varies between two signatures, as slices of the received bytes.
pub struct Layout<'a> {
    /// IssuerAndSerialNumber, tag and length included.
    pub signer: Vec<u8>,
    /// Value of the AlgorithmIdentifier.
    pub digest_algorithm: &'a [u8],
    /// The concatenated attributes, without the tag around them.
    pub attributes: &'a [u8],
    /// Value of the AlgorithmIdentifier.
    pub signature_algorithm: &'a [u8],
    /// Ecdsa-Sig-Value in DER (RFC 3279 §2.2.3).
    pub signature: &'a [u8],
}

impl<'a> Layout<'a> {
    /// Walks a whole signature; every byte is either checked here or part of the result.
    pub fn parse(cms: &'a [u8]) -> Result<Self, CmsError> {
        let mut signed_data = signed_data(cms)?;
        check(signed_data.take(INTEGER)? == VERSION, CmsError::Version)?;
        let mut digests = signed_data.open(SET)?;
        let outer_digest = digests.take(SEQUENCE)?;
        digests.finish()?;
        let mut content = signed_data.open(SEQUENCE)?;
        check(content.take(OBJECT_IDENTIFIER)? == ID_DATA.as_bytes(), CmsError::NotDetached)?;
        check(content.is_finished(), CmsError::NotDetached)?;
        check(!matches!(signed_data.peek(), Some(CONTEXT_0 | CONTEXT_1)), CmsError::Embedded)?;
        let mut signers = signed_data.open(SET)?;
        signed_data.finish()?;
        check(!signers.is_finished(), CmsError::SignerCount)?;
        let layout = Self::signer_info(signers.open(SEQUENCE)?)?;
        check(signers.is_finished(), CmsError::SignerCount)?;
        check(layout.digest_algorithm == outer_digest, CmsError::Algorithm)?;
        Ok(layout)
    }

    fn signer_info(mut fields: Fields<'a>) -> Result<Self, CmsError> {
        check(fields.take(INTEGER)? == VERSION, CmsError::Version)?;
        let signer = tlv(SEQUENCE, &[fields.take(SEQUENCE)?]);
        let digest_algorithm = fields.take(SEQUENCE)?;
        check(fields.peek() == Some(CONTEXT_0), CmsError::Attributes)?;
        let attributes = fields.take(CONTEXT_0)?;
        let signature_algorithm = fields.take(SEQUENCE)?;
        let signature = fields.take(OCTET_STRING)?;
        check(fields.peek() != Some(CONTEXT_1), CmsError::UnsignedAttributes)?;
        fields.finish()?;
        Ok(Self { signer, digest_algorithm, attributes, signature_algorithm, signature })
    }
}

/// A whole signature from its varying parts: the inverse of [`Layout::parse`].
pub fn encode(signer: &[u8], scheme: Scheme, attributes: &[u8], signature: &[u8]) -> Vec<u8> {
    let digest_algorithm = scheme.digest_identifier();
    let version = tlv(INTEGER, &[VERSION]);
    let signer_info = tlv(
        SEQUENCE,
        &[
            &version,
            signer,
            &digest_algorithm,
            &tlv(CONTEXT_0, &[attributes]),
            &scheme.signature_identifier(),
            &tlv(OCTET_STRING, &[signature]),
        ],
    );
    let signed_data = tlv(
        SEQUENCE,
        &[
            &version,
            &tlv(SET, &[&digest_algorithm]),
            &tlv(SEQUENCE, &[&tlv(OBJECT_IDENTIFIER, &[ID_DATA.as_bytes()])]),
            &tlv(SET, &[&signer_info]),
        ],
    );
    let content_type = tlv(OBJECT_IDENTIFIER, &[ID_SIGNED_DATA.as_bytes()]);
    tlv(SEQUENCE, &[&content_type, &tlv(CONTEXT_0, &[&signed_data])])
}

/// RFC 5652 §5.4: what is signed has the tag SET OF in place of the [0] that is sent.
pub fn signed_bytes(attributes: &[u8]) -> Vec<u8> {
    tlv(SET, &[attributes])
}

fn signed_data(cms: &[u8]) -> Result<Fields<'_>, CmsError> {
    let mut outermost = Fields::new(cms)?;
    let mut info = outermost.open(SEQUENCE)?;
    outermost.finish()?;
    check(info.take(OBJECT_IDENTIFIER)? == ID_SIGNED_DATA.as_bytes(), CmsError::NotSignedData)?;
    let mut wrapper = info.open(CONTEXT_0)?;
    info.finish()?;
    let signed_data = wrapper.open(SEQUENCE)?;
    wrapper.finish()?;
    Ok(signed_data)
}

fn check(holds: bool, error: CmsError) -> Result<(), CmsError> {
    if holds { Ok(()) } else { Err(error) }
}

impl From<Malformed> for CmsError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}
