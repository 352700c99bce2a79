//! The channel between two Parties, as pure decisions.
//!
//! Reading order: [`terms`] who talks to whom · [`envelope`] the signed bytes · [`state`] the fold of events, [`keys`] of both
//! Parties in it ·
//! [`inbound`] what is consumed, rejected or refused · [`receipt`] what proves delivery · [`proof_check`] the other
//! Party's proofs, checked · [`lifecycle`] the states of a message · [`retry`] when delivery is tried again ·
//! [`lookup`] the names events are found by · [`revocation`] when keys were stolen.
//!
//! No input or output, no clock, no randomness: times, salts, signatures and look-ups are arguments. Kinds of
//! messages are opaque numbers here.

pub mod envelope;
pub mod inbound;
pub mod keys;
pub mod lifecycle;
pub mod lookup;
pub mod proof_check;
pub mod receipt;
pub mod retry;
pub mod revocation;
pub mod state;
pub mod terms;
