//! The daemon over which two countries' customs services help each other.
//!
//! A module may use only what stands to its right; modules in one brace do not use each other:
//!
//! ```text
//! main → commands → app → {backoffice, peer, operations} → door → {exchange, evidence} → store
//!      → {index, journal, vault} → {treaty, channel} → ledger → crypto → {wire, rules, limits, disk}
//! ```
//!
//! `config` is read by `app` and `commands` only. In reading order, from what is computed to what is run:
//!
//! * [`wire`] the generated messages · [`rules`] the bounds they declare · [`limits`] every resource bound ·
//!   [`disk`] the seam to the machine
//! * [`crypto`] ring behind narrow types · [`ledger`] the Merkle tree and its proofs
//! * [`channel`] envelopes, chains, receipts · [`treaty`] what the agreement asks of a message
//! * [`journal`] the only truth · [`vault`] keys at rest · [`index`] what queries read · [`store`] journal and vault
//!   read as one
//! * [`exchange`] the one writer · [`evidence`] verification without a daemon
//! * [`door`], [`peer`], [`backoffice`], [`operations`] the doors
//! * [`config`], [`app`], [`commands`] the program
//!
//! Invariants:
//!
//! * Nothing is acknowledged, receipted or signed for the outside before the commit it rests on is durable.
//! * `treaty`, `channel` and `ledger` know no clock, no randomness, no input and no output.
//! * Received bytes are signed, stored and verified as they are, never re-encoded.
//! * What an envelope or a checkpoint discloses is identifiers and commitments; content is sealed from the first byte.

pub mod app;
pub mod backoffice;
pub mod channel;
pub mod commands;
pub mod config;
pub mod crypto;
pub mod disk;
pub mod door;
pub mod evidence;
pub mod exchange;
pub mod index;
pub mod journal;
pub mod ledger;
pub mod limits;
pub mod operations;
pub mod peer;
pub mod rules;
pub mod store;
pub mod treaty;
pub mod vault;
pub mod wire;
