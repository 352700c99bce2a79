//! The door to operations staff: how the daemon is, never what it carries.

pub mod keys;
pub mod service;

/// The generated service package.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated from the protos, which carry the documentation"
)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/operations/article6.operations.v1.rs"));
}
