//! The four signed attributes of a CAdES-BES signature (RFC 5652 §11, RFC 5035 §5).

use super::CmsError;
use crate::crypto::asn1::{
    CONTEXT_4, Fields, GENERALIZED_TIME, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, UTC_TIME, tlv,
};
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::crypto::scheme::names;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{
    ID_AA_SIGNING_CERTIFICATE_V_2, ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNING_TIME,
};
use const_oid::db::rfc5912::{ID_SHA_256, ID_SHA_384, ID_SHA_512};
use der::asn1::{GeneralizedTime, UtcTime};
use der::{Decode as _, Encode as _};
use ring::digest;
use std::time::SystemTime;

/// Tag and value of an attribute's only value.
type Value<'a> = (u8, &'a [u8]);

/// The four attributes, each present once; their values are not yet checked, except the content type's.
pub struct Attributes<'a> {
    signing_time: Value<'a>,
    message_digest: Value<'a>,
    signing_certificate: Value<'a>,
}

impl<'a> Attributes<'a> {
    /// Splits the concatenated attributes. DER (X.690 §11.6) sorts the elements of a SET OF; a strict order also
    /// leaves no room for one that is repeated.
    pub fn parse(attributes: &'a [u8]) -> Result<Self, CmsError> {
        let mut fields = Fields::new(attributes)?;
        let (mut content_type, mut signing_time, mut message_digest, mut signing_certificate) =
            (None, None, None, None);
        let mut previous: &[u8] = &[];
        while !fields.is_finished() {
            let attribute = fields.take(SEQUENCE)?;
            // All have one tag and minimal lengths, so the order of encodings is that of (length, value).
            if (attribute.len(), attribute) <= (previous.len(), previous) {
                return Err(CmsError::Attributes);
            }
            previous = attribute;
            let (name, value) = split(attribute)?;
            let slot = [
                (ID_CONTENT_TYPE, &mut content_type),
                (ID_SIGNING_TIME, &mut signing_time),
                (ID_MESSAGE_DIGEST, &mut message_digest),
                (ID_AA_SIGNING_CERTIFICATE_V_2, &mut signing_certificate),
            ]
            .into_iter()
            .find_map(|(known, slot)| (known.as_bytes() == name && slot.is_none()).then_some(slot));
            *slot.ok_or(CmsError::Attributes)? = Some(value);
        }
        if content_type.ok_or(CmsError::Attributes)? != (OBJECT_IDENTIFIER, ID_DATA.as_bytes()) {
            return Err(CmsError::NotDetached);
        }
        Ok(Self {
            signing_time: signing_time.ok_or(CmsError::Attributes)?,
            message_digest: message_digest.ok_or(CmsError::Attributes)?,
            signing_certificate: signing_certificate.ok_or(CmsError::Attributes)?,
        })
    }

    /// The digest of the content as the signer saw it.
    pub fn message_digest(&self) -> Result<&'a [u8], CmsError> {
        match self.message_digest {
            (OCTET_STRING, digest) => Ok(digest),
            _ => Err(CmsError::Attributes),
        }
    }

    /// The time the signer claims; there is one spelling for each second.
    pub fn signing_time(&self) -> Result<SystemTime, CmsError> {
        let (tag, value) = self.signing_time;
        let der = tlv(tag, &[value]);
        let at = match tag {
            UTC_TIME => UtcTime::from_der(&der).map(|time| time.to_system_time()),
            GENERALIZED_TIME => GeneralizedTime::from_der(&der).map(|time| time.to_system_time()),
            _ => return Err(CmsError::SigningTime),
        };
        let at = at.map_err(|_| CmsError::SigningTime)?;
        if time(at).as_deref() == Some(&der) { Ok(at) } else { Err(CmsError::SigningTime) }
    }

    /// RFC 5035 §5.4: the one certificate named is the expected one, by its hash and, if given, by its issuer and
    /// serial number. Other tools give the latter; here it would repeat the SignerInfo.
    pub fn check_certificate(&self, certificate: &Certificate) -> Result<(), CmsError> {
        let (tag, value) = self.signing_certificate;
        if tag != SEQUENCE {
            return Err(CmsError::Attributes);
        }
        let mut attribute = Fields::new(value)?;
        let mut certificates = attribute.open(SEQUENCE)?;
        attribute.finish()?;
        let mut id = certificates.open(SEQUENCE)?;
        certificates.finish()?;
        let hash = match id.peek() {
            Some(SEQUENCE) => hash_named(id.take(SEQUENCE)?).ok_or(CmsError::Algorithm)?,
            _ => &digest::SHA256,
        };
        let named = id.take(OCTET_STRING)? == digest::digest(hash, certificate.der()).as_ref();
        let consistent = id.is_finished() || id.take(SEQUENCE)? == issuer_serial(certificate);
        id.finish()?;
        if named && consistent { Ok(()) } else { Err(CmsError::SigningCertificate) }
    }
}

/// The concatenated attributes in DER order. `time` is what [`time`] gives; the certificate is named by its SHA-256.
pub fn encode(content_digest: &[u8], time: &[u8], certificate: Digest) -> Vec<u8> {
    let id = tlv(SEQUENCE, &[&tlv(OCTET_STRING, &[certificate.as_ref()])]);
    let mut attributes = [
        attribute(ID_CONTENT_TYPE, &tlv(OBJECT_IDENTIFIER, &[ID_DATA.as_bytes()])),
        attribute(ID_SIGNING_TIME, time),
        attribute(ID_MESSAGE_DIGEST, &tlv(OCTET_STRING, &[content_digest])),
        attribute(ID_AA_SIGNING_CERTIFICATE_V_2, &tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&id])])),
    ];
    attributes.sort();
    attributes.concat()
}

/// RFC 5652 §11.3: UTCTime for the years it can say, else GeneralizedTime; whole seconds. `None` outside 1970..9999.
pub fn time(at: SystemTime) -> Option<Vec<u8>> {
    match UtcTime::from_system_time(at) {
        Ok(time) => time.to_der().ok(),
        Err(_) => GeneralizedTime::from_system_time(at).ok()?.to_der().ok(),
    }
}

fn attribute(name: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[&tlv(OBJECT_IDENTIFIER, &[name.as_bytes()]), &tlv(SET, &[value])])
}

/// Name and only value of one attribute.
fn split(attribute: &[u8]) -> Result<(&[u8], Value<'_>), CmsError> {
    let mut fields = Fields::new(attribute)?;
    let name = fields.take(OBJECT_IDENTIFIER)?;
    let mut values = fields.open(SET)?;
    fields.finish()?;
    let value = values.any()?;
    if values.is_finished() { Ok((name, value)) } else { Err(CmsError::Attributes) }
}

fn hash_named(identifier: &[u8]) -> Option<&'static digest::Algorithm> {
    [(ID_SHA_256, &digest::SHA256), (ID_SHA_384, &digest::SHA384), (ID_SHA_512, &digest::SHA512)]
        .into_iter()
        .find_map(|(oid, hash)| names(identifier, oid, true).then_some(hash))
}

/// The value of IssuerSerial (RFC 5035 §5.4.1): GeneralNames with one directoryName, serial number.
fn issuer_serial(certificate: &Certificate) -> Vec<u8> {
    let (issuer, serial) = certificate.issuer_der();
    [tlv(SEQUENCE, &[&tlv(CONTEXT_4, &[issuer])]), serial.to_vec()].concat()
}
