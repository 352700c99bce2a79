//! The cryptography of every TLS connection: TLS 1.3 suites and key exchange groups, named one by one.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};

use crate::door::hybrid::X25519MLKEM768;

/// TLS 1.3 alone (RFC 8446 §B.4); the hybrid group comes first when asked for.
pub(super) fn provider(hybrid: bool) -> Arc<CryptoProvider> {
    let mut groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    if hybrid {
        groups.insert(0, X25519MLKEM768);
    }
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        kx_groups: groups,
        ..default_provider()
    })
}
