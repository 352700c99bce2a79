//! The X25519MLKEM768 key exchange (draft-ietf-tls-ecdhe-mlkem, group 0x11ec) for the `ring` provider.
//!
//! Shares are concatenated with the ML-KEM part first:
//! client: encapsulation key (1184 bytes) ‖ X25519 key (32); server: ciphertext (1088) ‖ X25519 key;
//! secret: ML-KEM secret (32) ‖ X25519 secret (32).
//! The exchange is as strong as the stronger half, so it never falls below X25519 alone.

use ml_kem::kem::{Kem, KeyExport, TryKeyInit};
use ml_kem::{Decapsulate, DecapsulationKey768, Encapsulate, EncapsulationKey768, MlKem768};
use rustls::crypto::ring::kx_group;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::Zeroizing;

/// The group, to be listed in a provider's `kx_groups` before the classical ones.
pub static X25519MLKEM768: &dyn SupportedKxGroup = &X25519MlKem768;

const ENCAPSULATION_KEY_BYTES: usize = 1184;
const CIPHERTEXT_BYTES: usize = 1088;
const X25519_BYTES: usize = 32;
const SECRET_BYTES: usize = 64;

const BAD_SHARE: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

#[derive(Debug)]
struct X25519MlKem768;

impl SupportedKxGroup for X25519MlKem768 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let classical = kx_group::X25519.start()?;
        let (secret, public) = MlKem768::generate_keypair();
        let mut share = Vec::with_capacity(ENCAPSULATION_KEY_BYTES + X25519_BYTES);
        share.extend_from_slice(&public.to_bytes());
        share.extend_from_slice(classical.pub_key());
        Ok(Box::new(Offered { classical, secret: Box::new(secret), share }))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (lattice, classical) = split(client_share, ENCAPSULATION_KEY_BYTES)?;
        // FIPS 203 §7.2: a key that fails its modulus check is refused, not reduced.
        let key = EncapsulationKey768::new_from_slice(lattice).map_err(|_| BAD_SHARE)?;
        let (ciphertext, lattice_secret) = key.encapsulate();
        let lattice_secret = Zeroizing::new(lattice_secret);
        let classical = kx_group::X25519.start_and_complete(classical)?;
        let mut share = Vec::with_capacity(CIPHERTEXT_BYTES + X25519_BYTES);
        share.extend_from_slice(&ciphertext);
        share.extend_from_slice(&classical.pub_key);
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: share,
            secret: join(lattice_secret.as_slice(), classical.secret.secret_bytes()),
        })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// A client's offer: also usable as a plain X25519 offer, so falling back costs no round trip.
struct Offered {
    classical: Box<dyn ActiveKeyExchange>,
    secret: Box<DecapsulationKey768>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Offered {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, classical) = split(server_share, CIPHERTEXT_BYTES)?;
        let lattice_secret = self.secret.decapsulate_slice(ciphertext).map_err(|_| BAD_SHARE)?;
        let lattice_secret = Zeroizing::new(lattice_secret);
        let classical = self.classical.complete(classical)?;
        Ok(join(lattice_secret.as_slice(), classical.secret_bytes()))
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.classical.group(), self.classical.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        self.classical.complete(server_share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

/// Splits a share of exactly `lattice_bytes` and an X25519 key.
fn split(share: &[u8], lattice_bytes: usize) -> Result<(&[u8], &[u8]), Error> {
    match share.split_at_checked(lattice_bytes) {
        Some((lattice, classical)) if classical.len() == X25519_BYTES => Ok((lattice, classical)),
        _ => Err(BAD_SHARE),
    }
}

fn join(lattice: &[u8], classical: &[u8]) -> SharedSecret {
    let mut secret = Zeroizing::new(Vec::with_capacity(SECRET_BYTES));
    secret.extend_from_slice(lattice);
    secret.extend_from_slice(classical);
    SharedSecret::from(secret.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree() {
        let offered = X25519MLKEM768.start().unwrap();
        assert_eq!(offered.pub_key().len(), 1216);
        let answered = X25519MLKEM768.start_and_complete(offered.pub_key()).unwrap();
        assert_eq!(answered.pub_key.len(), 1120);
        let secret = offered.complete(&answered.pub_key).unwrap();
        assert_eq!(secret.secret_bytes().len(), 64);
        assert_eq!(secret.secret_bytes(), answered.secret.secret_bytes());
    }

    #[test]
    fn the_classical_half_stands_alone() {
        let offered = X25519MLKEM768.start().unwrap();
        let (group, share) = offered.hybrid_component().unwrap();
        assert_eq!(group, NamedGroup::X25519);
        let answered = kx_group::X25519.start_and_complete(share).unwrap();
        let secret = offered.complete_hybrid_component(&answered.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), answered.secret.secret_bytes());
    }

    #[test]
    fn a_share_of_any_other_length_is_refused() {
        let good = X25519MLKEM768.start().unwrap().pub_key().to_vec();
        for length in [0, 1, 31, 32, 1184, 1215] {
            assert!(X25519MLKEM768.start_and_complete(&good[..length]).is_err(), "{length}");
        }
        let mut long = good.clone();
        long.push(0);
        assert!(X25519MLKEM768.start_and_complete(&long).is_err());
        let offered = X25519MLKEM768.start().unwrap();
        assert!(offered.complete(&[0; 1119]).is_err());
    }

    #[test]
    fn a_lattice_key_outside_the_modulus_is_refused() {
        let mut share = X25519MLKEM768.start().unwrap().pub_key().to_vec();
        share[..3].fill(0xff);
        assert!(X25519MLKEM768.start_and_complete(&share).is_err());
    }
}
