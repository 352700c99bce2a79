//! What several test programs share. Each uses a part of it; what fails here fails the test.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod bad_certificates;
pub mod bundles;
pub mod copies;
pub mod forged;
pub mod homes;
pub mod impostor;
pub mod mutations;
pub mod parties;
pub mod proofs;
pub mod relay;
pub mod relined;
pub mod rotation;
pub mod second;
pub mod source;
pub mod tools;
pub mod traffic;
pub mod treaty;
