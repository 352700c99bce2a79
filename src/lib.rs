//! The daemon over which two countries' customs services help each other.

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
