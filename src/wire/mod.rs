//! The generated message packages. No logic, and no service.

#![allow(missing_docs, clippy::all, reason = "generated from the protos, which carry the documentation")]

use prost_reflect::DescriptorPool;
use std::sync::OnceLock;

/// Every package of `proto/`, with options and comments, as one encoded `FileDescriptorSet`.
static DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The encoded `FileDescriptorSet` of all packages.
pub fn descriptor_bytes() -> &'static [u8] {
    DESCRIPTORS
}

/// The descriptors of all packages, with the options of `article6.rules.v1` and the comments of the
/// protos. Decoded once.
pub fn descriptors() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    // The build wrote these bytes, so they decode. Were they damaged, the pool would know no message at
    // all, and whoever asks it refuses everything.
    POOL.get_or_init(|| DescriptorPool::decode(DESCRIPTORS).unwrap_or_default())
}

/// Bodies of the agreement's messages.
pub mod assistance {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/messages/article6.assistance.v1.rs"));
    }
}

/// Envelopes and the state of the channel.
pub mod channel {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/messages/article6.channel.v1.rs"));
    }
}

/// Events, receipts and what a journal frame holds.
pub mod ledger {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/messages/article6.ledger.v1.rs"));
    }
}
