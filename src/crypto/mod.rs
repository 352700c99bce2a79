//! `ring` behind narrow types: digests, keys, signatures, sealing, certificates.
//!
//! Nothing here touches a file, a socket or a clock; randomness is drawn from the operating system in
//! [`random`] and [`keyfile`], in [`aead::Key::generate`] and, as ECDSA needs it, inside [`signing`].
//! No error of this module carries content, a name or key material.

pub mod aead;
mod asn1;
pub mod certificate;
pub mod cms;
pub mod digest;
pub mod ed25519;
pub mod keyfile;
pub mod random;
pub mod recovery;
pub mod scheme;
pub mod signing;
#[cfg(test)]
pub(crate) mod testing;
pub mod token;
pub mod words;

pub use certificate::Certificate;
pub use digest::{Digest, commitment};
pub use ed25519::LedgerKey;
pub use signing::SigningKey;
