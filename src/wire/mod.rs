//! The generated message packages. No logic, and no service.

#![allow(missing_docs, clippy::all, reason = "generated from the protos, which carry the documentation")]

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
