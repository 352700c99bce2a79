//! What several test programs share. Each uses a part of it; what fails here fails the test.
#![allow(dead_code, clippy::unwrap_used)]

pub mod bad_certificates;
