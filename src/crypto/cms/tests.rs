//! Round trips, every way to be wrong that can be enumerated, and a second implementation.

use super::*;
use crate::crypto::asn1::{
    CONTEXT_0, CONTEXT_1, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, tlv,
};
use crate::crypto::scheme::Curve;
use crate::crypto::testing::{Authority, Identity};
use const_oid::db::{rfc5911, rfc5912};
use der::{Decode as _, Encode as _};
use proptest::prelude::*;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

const CONTENT: &[u8] = b"exact bytes of an envelope";
static P256: LazyLock<(Authority, Identity)> = LazyLock::new(|| pair(Curve::P256));
static P384: LazyLock<(Authority, Identity)> = LazyLock::new(|| pair(Curve::P384));

fn pair(curve: Curve) -> (Authority, Identity) {
    let authority = Authority::new();
    let identity = authority.identity(curve);
    (authority, identity)
}

fn seconds(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn signed(identity: &Identity) -> Vec<u8> {
    sign(&identity.key, CONTENT, seconds(1_795_000_000)).unwrap()
}

#[test]
fn what_is_signed_verifies_with_its_time_cut_to_seconds() {
    for (_, identity) in [&*P256, &*P384] {
        // 2049-12-31 and 2050-01-01: the two spellings of time.
        for at in [0, 1_795_000_000, 2_524_607_999, 2_524_608_000] {
            let cms = sign(&identity.key, CONTENT, seconds(at) + Duration::from_millis(999)).unwrap();
            assert!(cms.len() < 520, "{} bytes", cms.len());
            assert_eq!(verify(&cms, identity.key.certificate(), CONTENT), Ok(seconds(at)));
            assert_eq!(verify(&cms, identity.key.certificate(), b"other"), Err(CmsError::Content));
        }
    }
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    assert_eq!(sign(&P256.1.key, CONTENT, before_1970), Err(SignError::Time));
    assert_eq!(sign(&P256.1.key, CONTENT, seconds(253_402_300_800)), Err(SignError::Time));
}

#[test]
fn another_certificate_is_refused_even_with_the_same_key() {
    let (authority, identity) = &*P256;
    let cms = signed(identity);
    let other = authority.identity(Curve::P256);
    assert_eq!(verify(&cms, other.key.certificate(), CONTENT), Err(CmsError::OtherSigner));

    // Re-issued by another authority for the same key: the name of the issuer is equal, the serial number too.
    let stranger = Authority::new();
    let der = stranger.reissue(identity);
    assert_eq!(der.key_id(), identity.key.key_id());
    let refused = verify(&cms, &der, CONTENT);
    assert!(matches!(refused, Err(CmsError::SigningCertificate | CmsError::OtherSigner)), "{refused:?}");
}

/// Every single-bit change anywhere is refused: nothing in the outer fields is free.
#[test]
fn every_flipped_bit_is_refused() {
    let identity = &P256.1;
    let cms = signed(identity);
    for at in 0..cms.len() {
        for bit in 0..8 {
            let mut flipped = cms.clone();
            flipped[at] ^= 1 << bit;
            assert!(verify(&flipped, identity.key.certificate(), CONTENT).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let identity = &P256.1;
    let cms = signed(identity);
    for length in 0..cms.len() {
        assert!(verify(&cms[..length], identity.key.certificate(), CONTENT).is_err());
    }
    let mut longer = cms.clone();
    longer.push(0);
    assert_eq!(verify(&longer, identity.key.certificate(), CONTENT), Err(CmsError::Malformed));
    longer.resize(CMS_BYTES_MAX + 1, 0);
    assert_eq!(verify(&longer, identity.key.certificate(), CONTENT), Err(CmsError::TooLong));
}

/// Signs with changed attributes or changed outer fields: sound ECDSA, wrong form.
struct Forgery {
    content_type: Vec<u8>,
    attributes: Vec<Vec<u8>>,
    version: u8,
    inner: Option<Vec<u8>>,
    embedded: Vec<u8>,
    unsigned: Vec<u8>,
    copies: usize,
    digest_parameters: Vec<u8>,
}

impl Forgery {
    fn new(identity: &Identity) -> Self {
        let digest = digest::digest(identity.key.scheme().hash(), CONTENT);
        let time = attributes::time(seconds(1_795_000_000)).unwrap();
        let all = attributes::encode(digest.as_ref(), &time, identity.key.certificate().fingerprint());
        let mut fields = crate::crypto::asn1::Fields::new(&all).unwrap();
        let mut attributes = Vec::new();
        while !fields.is_finished() {
            attributes.push(tlv(SEQUENCE, &[fields.take(SEQUENCE).unwrap()]));
        }
        Self {
            content_type: rfc5911::ID_SIGNED_DATA.as_bytes().to_vec(),
            attributes,
            version: 1,
            inner: None,
            embedded: Vec::new(),
            unsigned: Vec::new(),
            copies: 1,
            digest_parameters: Vec::new(),
        }
    }

    fn with_attribute(mut self, name: der::asn1::ObjectIdentifier, values: &[&[u8]]) -> Self {
        let name = tlv(OBJECT_IDENTIFIER, &[name.as_bytes()]);
        self.attributes.retain(|attribute| !attribute[2..].starts_with(&name));
        if !values.is_empty() {
            self.attributes.push(tlv(SEQUENCE, &[&name, &tlv(SET, values)]));
        }
        self.attributes.sort();
        self
    }

    fn verify(&self, identity: &Identity) -> Result<SystemTime, CmsError> {
        let attributes = self.attributes.concat();
        let signature = identity.key.sign(&layout::signed_bytes(&attributes)).unwrap();
        let scheme = identity.key.scheme();
        let digest_oid = scheme.digest_identifier()[2..].to_vec();
        let digest = tlv(SEQUENCE, &[&digest_oid, &self.digest_parameters]);
        let signer = tlv(
            SEQUENCE,
            &[
                &tlv(INTEGER, &[&[self.version]]),
                &identity.key.certificate().issuer_and_serial(),
                &digest,
                &tlv(CONTEXT_0, &[&attributes]),
                &scheme.signature_identifier(),
                &tlv(OCTET_STRING, &[signature.as_ref()]),
                &self.unsigned,
            ],
        );
        let data = tlv(OBJECT_IDENTIFIER, &[rfc5911::ID_DATA.as_bytes()]);
        let signed_data = tlv(
            SEQUENCE,
            &[
                &tlv(INTEGER, &[&[1]]),
                &tlv(SET, &[&digest]),
                &tlv(SEQUENCE, &[&data, self.inner.as_deref().unwrap_or_default()]),
                &self.embedded,
                &tlv(SET, &vec![signer.as_slice(); self.copies]),
            ],
        );
        let info = tlv(OBJECT_IDENTIFIER, &[&self.content_type]);
        let cms = tlv(SEQUENCE, &[&info, &tlv(CONTEXT_0, &[&signed_data])]);
        verify(&cms, identity.key.certificate(), CONTENT)
    }
}

#[test]
fn forms_outside_the_profile_are_refused_each_for_its_reason() {
    let identity = &P256.1;
    let forgery = || Forgery::new(identity);
    assert_eq!(forgery().verify(identity), Ok(seconds(1_795_000_000)), "the forger's tools are sound");
    let with_null = Forgery { digest_parameters: vec![5, 0], ..forgery() };
    assert_eq!(with_null.verify(identity), Ok(seconds(1_795_000_000)), "RFC 5754 §2");

    let certificate = tlv(CONTEXT_0, &[identity.key.certificate().der()]);
    let extra = tlv(OBJECT_IDENTIFIER, &[rfc5911::ID_DATA.as_bytes()]);
    let cases = [
        (Forgery { version: 3, ..forgery() }, CmsError::Version),
        (Forgery { copies: 0, ..forgery() }, CmsError::SignerCount),
        (Forgery { copies: 2, ..forgery() }, CmsError::SignerCount),
        (Forgery { inner: Some(tlv(CONTEXT_0, &[CONTENT])), ..forgery() }, CmsError::NotDetached),
        (Forgery { embedded: certificate, ..forgery() }, CmsError::Embedded),
        (Forgery { embedded: tlv(CONTEXT_1, &[]), ..forgery() }, CmsError::Embedded),
        (Forgery { unsigned: tlv(CONTEXT_1, &[]), ..forgery() }, CmsError::UnsignedAttributes),
        (Forgery { unsigned: extra.clone(), ..forgery() }, CmsError::Malformed),
        (Forgery { digest_parameters: extra.clone(), ..forgery() }, CmsError::Algorithm),
        (
            Forgery { content_type: rfc5911::ID_DATA.as_bytes().to_vec(), ..forgery() },
            CmsError::NotSignedData,
        ),
        (forgery().with_attribute(rfc5911::ID_SIGNING_TIME, &[]), CmsError::Attributes),
        (forgery().with_attribute(rfc5911::ID_MESSAGE_DIGEST, &[]), CmsError::Attributes),
        (forgery().with_attribute(rfc5911::ID_CONTENT_TYPE, &[]), CmsError::Attributes),
        (forgery().with_attribute(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, &[]), CmsError::Attributes),
        (forgery().with_attribute(rfc5911::ID_COUNTERSIGNATURE, &[&extra]), CmsError::Attributes),
        (forgery().with_attribute(rfc5911::ID_CONTENT_TYPE, &[&extra, &extra]), CmsError::Attributes),
        (forgery().with_attribute(rfc5911::ID_MESSAGE_DIGEST, &[&extra]), CmsError::Attributes),
        (
            forgery().with_attribute(
                rfc5911::ID_CONTENT_TYPE,
                &[&tlv(OBJECT_IDENTIFIER, &[rfc5912::ID_SHA_256.as_bytes()])],
            ),
            CmsError::NotDetached,
        ),
    ];
    for (index, (case, error)) in cases.iter().enumerate() {
        assert_eq!(case.verify(identity), Err(*error), "case {index}");
    }
}

#[test]
fn attributes_out_of_order_or_repeated_are_refused() {
    let identity = &P256.1;
    let mut swapped = Forgery::new(identity);
    swapped.attributes.swap(0, 1);
    assert_eq!(swapped.verify(identity), Err(CmsError::Attributes));
    let mut repeated = Forgery::new(identity);
    repeated.attributes.insert(0, repeated.attributes[0].clone());
    assert_eq!(repeated.verify(identity), Err(CmsError::Attributes));
    let mut two_times = Forgery::new(identity);
    let later = attributes::time(seconds(1_795_000_001)).unwrap();
    let name = tlv(OBJECT_IDENTIFIER, &[rfc5911::ID_SIGNING_TIME.as_bytes()]);
    two_times.attributes.push(tlv(SEQUENCE, &[&name, &tlv(SET, &[&later])]));
    two_times.attributes.sort();
    assert_eq!(two_times.verify(identity), Err(CmsError::Attributes));
}

#[test]
fn a_signing_time_has_one_spelling() {
    let identity = &P256.1;
    for text in [&b"20261118120000Z"[..], b"20261118120000.5Z", b"garbage"] {
        let time = tlv(0x18, &[text]);
        let forgery = Forgery::new(identity).with_attribute(rfc5911::ID_SIGNING_TIME, &[&time]);
        assert_eq!(forgery.verify(identity), Err(CmsError::SigningTime));
    }
    let octets = tlv(OCTET_STRING, &[b"261118120000Z"]);
    let forgery = Forgery::new(identity).with_attribute(rfc5911::ID_SIGNING_TIME, &[&octets]);
    assert_eq!(forgery.verify(identity), Err(CmsError::SigningTime));
}

#[test]
fn the_signing_certificate_attribute_binds() {
    let identity = &P256.1;
    let attribute = |parts: &[&[u8]]| tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&tlv(SEQUENCE, parts)])]);
    let verify_with = |value: &[u8]| {
        Forgery::new(identity)
            .with_attribute(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, &[value])
            .verify(identity)
    };
    let right = tlv(OCTET_STRING, &[identity.key.certificate().fingerprint().as_ref()]);
    let wrong = tlv(OCTET_STRING, &[&[0; 32]]);
    assert!(verify_with(&attribute(&[&right])).is_ok());
    assert_eq!(verify_with(&attribute(&[&wrong])), Err(CmsError::SigningCertificate));
    let sha1 = tlv(SEQUENCE, &[&tlv(OBJECT_IDENTIFIER, &[rfc5912::ID_SHA_1.as_bytes()])]);
    assert_eq!(verify_with(&attribute(&[&sha1, &right])), Err(CmsError::Algorithm));
    let other_serial = P384.1.key.certificate().issuer_and_serial();
    assert_eq!(verify_with(&attribute(&[&right, &other_serial])), Err(CmsError::SigningCertificate));
    assert_eq!(verify_with(&attribute(&[&right, &right])), Err(CmsError::Malformed));
}

/// The types of another CMS implementation read the result and write the same bytes.
#[test]
fn the_cms_crate_reads_the_same_structure() {
    for (_, identity) in [&*P256, &*P384] {
        let blob = signed(identity);
        let info = ::cms::content_info::ContentInfo::from_der(&blob).unwrap();
        let data: ::cms::signed_data::SignedData = info.content.decode_as().unwrap();
        assert_eq!(data.signer_infos.0.len(), 1);
        assert_eq!(data.signer_infos.0.as_slice()[0].signed_attrs.as_ref().unwrap().len(), 4);
        assert_eq!(info.to_der().unwrap(), blob);
    }
}

#[test]
fn openssl_verifies_our_signatures() {
    for (authority, identity) in [&*P256, &*P384] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("sig"), sign(&identity.key, CONTENT, SystemTime::now()).unwrap()).unwrap();
        write_inputs(path, authority, identity);
        let verify = "cms -verify -cades -binary -inform DER -in sig -content file -certfile cert.pem \
                      -CAfile ca.pem -purpose any -out /dev/null";
        let output = openssl(path, verify);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(path.join("file"), b"other content").unwrap();
        assert!(!openssl(path, verify).status.success());
    }
}

/// SHA-256 with a P-384 key is what openssl does unless told otherwise.
#[test]
fn we_verify_signatures_of_openssl() {
    for (pair, hash) in [(&*P256, "sha256"), (&*P384, "sha256"), (&*P384, "sha384")] {
        let (authority, identity) = pair;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        write_inputs(path, authority, identity);
        let sign = format!(
            "cms -sign -cades -binary -nocerts -nosmimecap -md {hash} -signer cert.pem -inkey key.pem -in file \
             -outform DER -out sig"
        );
        let output = openssl(path, &sign);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let blob = std::fs::read(path.join("sig")).unwrap();
        verify(&blob, identity.key.certificate(), CONTENT).unwrap();
        assert_eq!(verify(&blob, identity.key.certificate(), b"other"), Err(CmsError::Content));
    }
}

fn write_inputs(folder: &Path, authority: &Authority, identity: &Identity) {
    std::fs::write(folder.join("file"), CONTENT).unwrap();
    std::fs::write(folder.join("cert.pem"), &identity.certificate_pem).unwrap();
    std::fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    let key = crate::crypto::keyfile::to_pem(&identity.pkcs8).unwrap();
    std::fs::write(folder.join("key.pem"), key.as_bytes()).unwrap();
}

fn openssl(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap()
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert!(verify(&bytes, P256.1.key.certificate(), CONTENT).is_err());
    }

    #[test]
    fn any_content_round_trips_and_any_spliced_range_is_refused(
        content: Vec<u8>,
        at: prop::sample::Index,
        cut in 0..4usize,
        insert in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        let certificate = P256.1.key.certificate();
        let cms = sign(&P256.1.key, &content, seconds(1_795_000_000)).unwrap();
        prop_assert!(verify(&cms, certificate, &content).is_ok());
        let at = at.index(cms.len() - cut);
        let mut spliced = cms.clone();
        spliced.splice(at..at + cut, insert);
        prop_assert_eq!(verify(&spliced, certificate, &content).is_ok(), spliced == cms);
    }
}
