//! The files of a bundle, read and not yet verified.

use super::container::{Files, MANIFEST};
use super::{BundleFault, FORMAT};
use crate::channel::terms::Terms;
use crate::wire::channel::v1::Environment;
use crate::wire::ledger::v1::Receipt;
use base64::engine::{Engine as _, general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub const SUMMARY: &str = "SUMMARY";
pub const FACTS: &str = "bundle.json";
pub const ENVELOPE: &str = "envelope.bin";
pub const BODY: &str = "body.bin";
pub const SIGNATURE: &str = "signature.p7s";
pub const SIGNER: &str = "signer.pem";
pub const RECORD: &str = "record.tlog-proof";
pub const RECEIPT: &str = "receipt.tlog-proof";
pub const BEFORE: &str = "before.tlog-proof";
pub const CHECKPOINT: &str = "before.checkpoint";
pub const REVOCATION: &str = "revocation.crl";

/// Every file there may be.
const NAMES: [&str; 12] = [
    SUMMARY, FACTS, ENVELOPE, BODY, SIGNATURE, SIGNER, RECORD, RECEIPT, BEFORE, CHECKPOINT, REVOCATION,
    MANIFEST,
];

/// The small facts: `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub format: String,
    pub exporter: String,
    pub counterparty: String,
    pub environment: String,
    pub agreement: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_salt: Option<Base64>,
    pub record: Disclosed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Disclosed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Disclosed>,
    pub keys: Vec<KeyFact>,
}

impl Facts {
    /// Reads exactly what the format allows.
    fn read(json: &[u8]) -> Option<Self> {
        let facts: Self = serde_json::from_slice(json).ok()?;
        // The decoder also takes `null` for a member that is missing, and a list for an object: whatever is not written
        // again as it was read is refused. A member that is there twice it refuses itself.
        let read: serde_json::Value = serde_json::from_slice(json).ok()?;
        (serde_json::to_value(&facts).ok()? == read).then_some(facts)
    }

    /// Who talks to whom; `party` is the exporter.
    pub fn terms(&self) -> Result<Terms, BundleFault> {
        let environment = match self.environment.as_str() {
            "PRODUCTION" => Environment::Production,
            "TEST" => Environment::Test,
            _ => return Err(BundleFault::File(FACTS)),
        };
        let (party, counterparty) = (self.exporter.clone(), self.counterparty.clone());
        let is_party = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_party(&party) || !is_party(&counterparty) || party == counterparty {
            return Err(BundleFault::File(FACTS));
        }
        Ok(Terms { environment, agreement: self.agreement.clone(), party, counterparty })
    }
}

/// A disclosed event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    pub event: Base64,
    pub salt: Base64,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// Signs envelopes.
    Signing,
    /// Signs checkpoints and cosigns the other ledger's.
    Ledger,
}

/// A key of one Party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFact {
    pub party: String,
    #[serde(rename = "use")]
    pub used_for: KeyUse,
    pub key: Base64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introduced: Option<Introduced>,
}

/// The message that introduced a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Introduced {
    pub envelope: Base64,
    pub signature: Base64,
    pub certificate: Base64,
    pub body: Base64,
    pub salt: Base64,
}

/// Bytes, as base64 in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base64(pub Bytes);

impl Serialize for Base64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(|bytes| Self(bytes.into())).map_err(serde::de::Error::custom)
    }
}

/// A bundle's files.
#[derive(Debug, Clone)]
pub struct Parts {
    pub facts: Facts,
    pub envelope: Bytes,
    pub body: Option<Bytes>,
    pub signature: Bytes,
    pub signer: String,
    pub record: Receipt,
    pub receipt: Option<Receipt>,
    /// The event before, and the cosigned checkpoint it speaks of.
    pub before: Option<(Receipt, String)>,
    pub revocation: Option<Vec<u8>>,
}

impl Parts {
    /// Reads the files of an archive.
    ///
    /// # Errors
    /// [`BundleFault::File`].
    pub fn read(mut files: Files) -> Result<Self, BundleFault> {
        if files.keys().any(|name| !NAMES.contains(&name.as_str())) {
            return Err(BundleFault::Archive("it has a file that the format does not know"));
        }
        text(&mut files, SUMMARY)?.ok_or(BundleFault::File(SUMMARY))?;
        let facts = files.remove(FACTS).ok_or(BundleFault::File(FACTS))?;
        let facts = Facts::read(&facts).ok_or(BundleFault::File(FACTS))?;
        if facts.format != FORMAT {
            return Err(BundleFault::Archive("it is of another format"));
        }
        let mut bytes = |name| files.remove(name).map(Bytes::from);
        let (envelope, body) = (bytes(ENVELOPE).ok_or(BundleFault::File(ENVELOPE))?, bytes(BODY));
        let signature = bytes(SIGNATURE).ok_or(BundleFault::File(SIGNATURE))?;
        let signer = text(&mut files, SIGNER)?.ok_or(BundleFault::File(SIGNER))?;
        let record = disclosed(&mut files, RECORD, Some(&facts.record))?.ok_or(BundleFault::File(RECORD))?;
        let receipt = disclosed(&mut files, RECEIPT, facts.receipt.as_ref())?;
        let before = disclosed(&mut files, BEFORE, facts.before.as_ref())?;
        let before = match (before, text(&mut files, CHECKPOINT)?) {
            (Some(before), Some(checkpoint)) => Some((before, checkpoint)),
            (None, None) => None,
            _ => return Err(BundleFault::File(CHECKPOINT)),
        };
        if body.is_some() != facts.body_salt.is_some() {
            return Err(BundleFault::File(BODY));
        }
        let revocation = files.remove(REVOCATION);
        Ok(Self { facts, envelope, body, signature, signer, record, receipt, before, revocation })
    }

    /// The files, but for summary and manifest.
    pub fn write(&self) -> Files {
        let mut files = Files::new();
        let mut put = |name: &str, bytes: &[u8]| drop(files.insert(name.to_owned(), bytes.to_vec()));
        put(FACTS, &serde_json::to_vec(&self.facts).unwrap_or_default());
        put(ENVELOPE, &self.envelope);
        put(SIGNATURE, &self.signature);
        put(SIGNER, self.signer.as_bytes());
        put(RECORD, self.record.tlog_proof.as_bytes());
        if let Some(body) = &self.body {
            put(BODY, body);
        }
        if let Some(receipt) = &self.receipt {
            put(RECEIPT, receipt.tlog_proof.as_bytes());
        }
        if let Some((before, checkpoint)) = &self.before {
            put(BEFORE, before.tlog_proof.as_bytes());
            put(CHECKPOINT, checkpoint.as_bytes());
        }
        if let Some(revocation) = &self.revocation {
            put(REVOCATION, revocation);
        }
        files
    }
}

fn text(files: &mut Files, name: &'static str) -> Result<Option<String>, BundleFault> {
    let text = files.remove(name).map(String::from_utf8).transpose();
    text.map_err(|_| BundleFault::File(name))
}

fn disclosed(
    files: &mut Files,
    name: &'static str,
    event: Option<&Disclosed>,
) -> Result<Option<Receipt>, BundleFault> {
    match (text(files, name)?, event) {
        (Some(tlog_proof), Some(Disclosed { event, salt })) => {
            Ok(Some(Receipt { event: event.0.clone(), salt: salt.0.clone(), tlog_proof }))
        }
        (None, None) => Ok(None),
        _ => Err(BundleFault::File(name)),
    }
}
