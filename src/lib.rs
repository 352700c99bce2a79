//! The daemon over which two countries' customs services help each other.
pub mod channel;
pub mod commands;
pub mod crypto;
pub mod disk;
pub mod exchange;
pub mod index;
pub mod journal;
pub mod ledger;
pub mod rules;
pub mod treaty;
pub mod vault;
pub mod wire;
