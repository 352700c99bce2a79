//! A bundle: everything that proves one message, in one file that needs nothing else.
//!
//! Reading order: `container`, `archive` the archive · `facts` the files in it · `keys`, `envelopes`, `notes`,
//! `placed`, `check` what they prove · [`claim`] that in sentences · [`trust`] by whose keys · `compose`, `history` a
//! bundle out of a store · `summary` the text for people.
//!
//! # Format `article6/bundle/1`
//!
//! This text is the format: who verifies bundles needs it, the protos of `article6.channel.v1` and
//! `article6.ledger.v1`, and the documents that it names. Whatever is not as it says makes the file unsound: it proves
//! nothing at all. `tests/vectors/bundle` holds examples, `tests/python/verify_bundle.py` a second program that was
//! written from this text.
//!
//! ## The archive
//!
//! A zip archive, at most 2 MiB, with the files below and no others, each once; at most 16 files of at most 1 MiB.
//!
//! - The files stand one after the other from the first byte, in the order of the directory; the directory follows at
//!   once, then the end record. No byte belongs to nothing. Disk numbers are 0.
//! - The local header of a file and its entry in the directory agree: version needed (at most 20), flags (0 or 0x800),
//!   method (0 stored or 8 deflate), time and date, CRC-32, both sizes, name, no extra field. No data descriptors, no
//!   comments of files, no zip64. A deflate stream ends with the packed bytes and gives exactly the size that is named.
//!   "Version made by" and attributes mean nothing.
//! - The comment of the archive is `sha256:` and the lower-case hexadecimal SHA-256 of all bytes of the archive that
//!   stand before the comment's two-byte length: accidental damage anywhere shows at once. It proves nothing;
//!   signatures do.
//!
//! | file | what it is |
//! |---|---|
//! | `MANIFEST` | a signed note of a ledger key of the exporter, under the origin of one of its ledgers; it may be another key than the record's. Text: the line `article6/bundle/1`, then for each other file, in the byte order of names, the base64 of its SHA-256, a space, its name |
//! | `SUMMARY` | plain language in UTF-8, for people; proves nothing but that the exporter wrote it |
//! | `bundle.json` | the small facts, below |
//! | `envelope.bin` | the exact bytes that were signed: an encoded `article6.channel.v1.Envelope` |
//! | `body.bin` | the exact bytes of the body: an encoded `article6.assistance.v1.Body`, of a SERVICE statement that service's message; missing where the content is no longer held. It is not decoded here |
//! | `signature.p7s` | detached CMS signature over `envelope.bin`, below |
//! | `signer.pem` | certificate of the key that signed: one PEM block as RFC 7468 writes it, lines of 64 characters that end with LF, and nothing else |
//! | `record.tlog-proof` | tlog-proof of the exporter's own event about the message |
//! | `receipt.tlog-proof` | tlog-proof of the recipient's event about the message; missing while there is no receipt |
//! | `before.tlog-proof` | tlog-proof, in the same tree as `record.tlog-proof`, of the exporter's last `Cosigned` event before its record; missing where there is none |
//! | `before.checkpoint` | the cosigned checkpoint that event speaks of; there exactly with `before.tlog-proof` |
//! | `revocation.crl` | revocation lists (PEM) as the exporter held them; missing where it held none. Never evaluated: it is for people |
//!
//! ## `bundle.json`
//!
//! JSON in UTF-8 without byte order mark. Bytes are base64 in its one canonical form (RFC 4648 §4, padded). A member
//! that is not listed, that is there twice, that is `null`, or that has another type is refused.
//!
//! | member | what it is |
//! |---|---|
//! | `format` | `"article6/bundle/1"` |
//! | `exporter`, `counterparty` | the two Parties, ISO 3166-1 alpha-2: two capital letters each, not the same |
//! | `environment`, `agreement` | as in the envelope: `"PRODUCTION"` or `"TEST"`, and the agreement's identifier |
//! | `body_salt` | 32 bytes; there exactly with `body.bin` |
//! | `record`, `receipt`, `before` | `event`, an encoded `article6.ledger.v1.Event`, and `salt`, 32 bytes; each there exactly with its proof file |
//! | `keys` | the keys that signed: `party`, `use` (`"signing"`: SubjectPublicKeyInfo in DER, as in the certificate; `"ledger"`: 32 bytes, Ed25519), `key`, and `introduced` where the key was introduced over the channel: the `envelope`, its `signature`, the `certificate` (DER) of the key that signed it, `body` and `salt` |
//!
//! Each key is listed once, and is of one of the two Parties: one key cannot be both Parties'.
//!
//! Encoded messages: fields of unknown numbers are ignored; a known number with another wire type is malformed.
//!
//! ## Notes
//!
//! C2SP signed-note, tlog-checkpoint, tlog-proof and tlog-cosignature (cosignature/v1), with these choices:
//!
//! - The origin of a ledger is `article6/{ENVIRONMENT}/{AGREEMENT}/{PARTY}/{EPOCH}`; the epoch is decimal, from 1,
//!   without leading zeros, at most 32 bits. The key of the ledger has this name too, and cosigns under it.
//! - A checkpoint has exactly three lines: origin, size (at most 2^56), root.
//! - A note has at most 256 KiB and 32 signature lines; a key's name has at most 512 bytes.
//! - The `extra` line of a tlog-proof is allowed, with at most 64 KiB of bytes, and ignored.
//! - A line under the name and key identifier of a listed ledger key of that Party, whether signature or cosignature,
//!   must verify, in `MANIFEST`, in `before.checkpoint` and in every proof: else somebody tampered with it. No key
//!   signs a note twice under one name. It may have cosigned several times. Lines of other keys are passed over.
//!
//! ## The signature
//!
//! DER SignedData (RFC 5652) of version 1, at most 4096 bytes, detached from id-data: one SignerInfo of version 1 that
//! names its signer by issuerAndSerialNumber, no certificates, no revocation lists, no unsigned attributes. The signed
//! attributes are exactly four, each with one value, in DER order: content-type, message-digest, signing-time (in the
//! canonical form of RFC 5652 §11.3) and signing-certificate-v2 (RFC 5035), which names the one certificate and no
//! policies. ECDSA with P-256 and SHA-256, or with P-384 and SHA-384; SHA-256 with P-384, which some tools sign with,
//! is accepted too. Parameters of the signature's algorithm are absent, of the digest's absent or NULL.
//!
//! `openssl cms -verify`, which the summary shows, checks that the signature is right; alone it also accepts one
//! without signed attributes, and other forms, which `article6 verify` does not.
//!
//! The certificate names the key; neither its issuer nor its dates nor its usages are judged.
//!
//! # What is checked
//!
//! 1. The archive, its seal and the manifest; the manifest's signature by a ledger key of the exporter.
//! 2. The envelope has statement `article6/envelope/1`, and names the two Parties, the agreement and the environment;
//!    the named signing key is one of the sender's; `signer.pem` is of that key; the signature verifies over the exact
//!    bytes.
//! 3. SHA-256(`body_salt` ‖ `body.bin`) is the envelope's body commitment.
//! 4. The record is a `Sealed` event where the exporter is the sender, else `Received` or `Rejected`; it has a time and
//!    names the envelope's sequence and the digests of envelope and signature; its leaf, SHA-256(0x00 ‖ SHA-256(salt ‖
//!    event)), is proven by `record.tlog-proof` under a checkpoint of the exporter's ledger. Its epoch is not above
//!    that of the checkpoint's origin. A `Sealed` event stands at the leaf index that the envelope names.
//! 5. The receipt likewise, `Received` or `Rejected`, in the recipient's ledger. Where the exporter is the recipient,
//!    the receipt is the record: the same leaf at the same index, though perhaps under another checkpoint.
//! 6. The event before is `Cosigned`; its index is below the record's, its proof ends with the very same checkpoint;
//!    `before.checkpoint` has its size and root, the size is at most the event's own index, and it is signed by a
//!    ledger key of the exporter and cosigned by one of the counterparty's at the time the event names: one of the
//!    cosignatures states it.
//! 7. A cosignature of the counterparty on the record's checkpoint tells the latest time of the record, of several the
//!    smallest; the event before tells the earliest: both by the counterparty's clock. The earliest is not above the
//!    latest. That the record came after the earliest rests on the counterparty's cosignature for the time, and on the
//!    exporter's ledger for the order: its `Cosigned` event stands before the record in one tree.
//! 8. A key that was introduced: the introducing envelope is as in 2, from the key's Party to the other, signed by a
//!    listed key, `certificate` taking the place of `signer.pem`. It is a SERVICE statement of kind 1; its body, as in
//!    3, is an encoded `article6.channel.v1.KeyIntroduction` and names the key and its use. An introduction stands, by
//!    its sequence, before whatever the key signed in the same chain: the message, and introductions of others. So no
//!    key introduces itself, nor do keys in a circle.
//!
//! # What follows
//!
//! Each claim rests on the key of one Party. In order: `SIGNED`, then `CONTENT`, without `body.bin`
//! `CONTENT_UNAVAILABLE` (both: the signing key), `SEALED` where the exporter is the sender (record), `RECEIVED` or
//! `REJECTED` (receipt, or the record of an exporter who is the recipient), `RECORDED_AFTER`, `RECORDED_BEFORE` (the
//! cosigning keys). Of several keys it is the one that is listed first.
//!
//! Whose keys they are the reader must know, by fingerprint: the SHA-256 of the SubjectPublicKeyInfo, or of the 32
//! bytes of an Ed25519 key. A key that is named with its Party is trusted as a key of that Party alone. One that is
//! named without is trusted as a key of the Party that the bundle lists it under: the bundle is believed about whose
//! key it is. A key that a trusted key of the same Party introduced is trusted.

mod archive;
mod check;
pub mod claim;
mod compose;
mod container;
mod envelopes;
mod facts;
mod history;
mod keys;
mod notes;
mod placed;
mod summary;
pub mod trust;

pub use check::{Cosigned, Placed, Proven, check};
pub use claim::Claim;
pub use compose::{ComposeError, Keyring, Wanted, compose};
pub use container::BUNDLE_BYTES_MAX;
pub use trust::{Because, Named, Trusted};

/// The format's name.
pub const FORMAT: &str = "article6/bundle/1";

/// Why a file is no sound bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// Not an archive of this format.
    #[error("the archive cannot be used: {0}")]
    Archive(&'static str),
    /// A file in the archive does not match its checksum.
    #[error("a file in the archive is damaged")]
    Damaged,
    /// The manifest is missing, malformed, or does not name exactly the files.
    #[error("MANIFEST is not what the archive holds")]
    Manifest,
    /// A file is missing, not allowed, or cannot be read.
    #[error("{0} is missing or malformed")]
    File(&'static str),
    /// Something does not hold.
    #[error("{file}: {what}")]
    Broken {
        /// The file it is in.
        file: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// Something does not hold.
fn broken(file: &'static str, what: impl ToString) -> BundleFault {
    BundleFault::Broken { file, what: what.to_string() }
}
