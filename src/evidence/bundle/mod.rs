//! A bundle: everything that proves one message, in one file that needs nothing else.
//!
//! Reading order: `container` the archive · `facts` the files in it · `keys`, `check` what they prove · [`claim`] that in
//! sentences · `compose`, `history` a bundle out of a store · `summary` the text for people.
//!
//! # Format `article6/bundle/1`
//!
//! A zip archive with the files below and no others, compressed with deflate or stored. Its comment is `sha256:` and the
//! lower-case hexadecimal SHA-256 of all bytes of the archive that stand before the comment's two-byte length: accidental
//! damage anywhere shows at once. The comment proves nothing; signatures do.
//!
//! | file | what it is |
//! |---|---|
//! | `MANIFEST` | a signed note (C2SP signed-note) of the exporter's ledger key, named by its ledger's origin. Text: the line `article6/bundle/1`, then for each other file, in the byte order of names, the base64 of its SHA-256, a space, its name |
//! | `SUMMARY` | plain language, for people; proves nothing but that the exporter wrote it |
//! | `bundle.json` | the small facts, below |
//! | `envelope.bin` | the exact bytes that were signed: an encoded `article6.channel.v1.Envelope` |
//! | `body.bin` | the exact bytes of the body, an encoded `article6.assistance.v1.Body`; missing where the content is no longer held |
//! | `signature.p7s` | detached CMS SignedData (RFC 5652, DER) over `envelope.bin`, with the CAdES-BES attributes |
//! | `signer.pem` | certificate of the key that signed |
//! | `record.tlog-proof` | C2SP tlog-proof of the exporter's own event about the message |
//! | `receipt.tlog-proof` | C2SP tlog-proof of the recipient's event about the message; missing while there is no receipt |
//! | `before.tlog-proof` | C2SP tlog-proof, in the same tree as `record.tlog-proof`, of the exporter's last `Cosigned` event before its record; missing where there is none |
//! | `before.checkpoint` | the cosigned checkpoint that event speaks of |
//! | `revocation.crl` | revocation lists (PEM) as the exporter held them; missing where it held none |
//!
//! `bundle.json` is JSON in UTF-8; bytes are base64 (RFC 4648 §4):
//!
//! | member | what it is |
//! |---|---|
//! | `format` | `"article6/bundle/1"` |
//! | `exporter`, `counterparty` | the two Parties, ISO 3166-1 alpha-2 |
//! | `environment`, `agreement` | as in the envelope: `"PRODUCTION"` or `"TEST"`, and the agreement's identifier |
//! | `body_salt` | 32 bytes; missing with `body.bin` |
//! | `record`, `receipt`, `before` | `event`, an encoded `article6.ledger.v1.Event`, and `salt`, 32 bytes; each with its proof file |
//! | `keys` | the keys that signed: `party`, `use` (`"signing"`: SubjectPublicKeyInfo in DER; `"ledger"`: 32 bytes, Ed25519), `key`, and `introduced` where the key was introduced over the channel: the `envelope`, its `signature`, the `certificate` (DER) of the key that signed it, `body` and `salt` |
//!
//! # What is checked
//!
//! 1. The archive, its seal and the manifest; the manifest's signature by a ledger key of the exporter.
//! 2. The envelope names the two Parties, the agreement and the environment; the named signing key is one of the sender's;
//!    `signer.pem` is of that key; the signature verifies over the exact bytes.
//! 3. SHA-256(`body_salt` ‖ `body.bin`) is the envelope's body commitment.
//! 4. The record is a `Sealed` event where the exporter is the sender, else `Received` or `Rejected`; it names the
//!    envelope's sequence and the digests of envelope and signature; its leaf, SHA-256(0x00 ‖ SHA-256(salt ‖ event)), is
//!    proven by `record.tlog-proof` under a checkpoint of the exporter's ledger. A `Sealed` event stands at the leaf index
//!    that the envelope names.
//! 5. The receipt likewise, `Received` or `Rejected`, in the recipient's ledger.
//! 6. The event before is `Cosigned`; its index is below the record's, its proof ends with the very same checkpoint;
//!    `before.checkpoint` has its size and root, is signed by the exporter's ledger key and cosigned by the counterparty's
//!    at the time the event names.
//! 7. A cosignature of the counterparty on the record's checkpoint tells the latest time of the record, the event before
//!    the earliest: both by the counterparty's clock.
//! 8. A key that was introduced: the introducing envelope is signed by a key of the same Party that is listed too, is a
//!    SERVICE statement of kind 1, and its body, an encoded `article6.channel.v1.KeyIntroduction`, names the key.
//!
//! Whose keys they are the reader must know, by fingerprint: the SHA-256 of the SubjectPublicKeyInfo, or of the 32 bytes of
//! an Ed25519 key. A key that a trusted key introduced is trusted.

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
