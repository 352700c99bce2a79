//! Who is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::crypto::{Certificate, Digest};

/// The client that a call came from, proven by its TLS handshake. Found in every request's extensions.
///
/// It says whose key it is; what that key may do is for each door to decide.
#[derive(Clone, Debug)]
pub struct PeerIdentity {
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub key_id: Digest,
    /// The leaf certificate shown.
    pub certificate: Arc<Certificate>,
    /// Where the connection came from.
    pub remote: SocketAddr,
    /// The key exchange group negotiated, by its IANA name as rustls writes it: `X25519MLKEM768`, `X25519`.
    pub group: String,
}
