//! The engine: the one place where messages become durable.
//!
//! Reading order: [`event`] facts on their way into the journal ·
//! [`start`] founding and opening · [`writer`] the one task that decides, with `underway` what look-ups do not see yet · [`commit`] the one task that makes
//! durable · [`submit`], [`deliver`], [`acknowledge`], [`heads`], [`local`] what is decided, one file for each command ·
//! [`cases`], [`case_cache`] the messages of a case · [`drafts`] messages that are not yet released ·
//! [`agreement`] what is in force between the Parties · [`orders`] what two persons decide ·
//! [`readers`] who reads what arrives · [`pace`] how fast others may make the ledger grow · [`degraded`] a clock that is wrong · [`keys`] what this Party signs with · [`services`] statements about keys ·
//! [`quarantine`], [`restore`] a store that was put back from a backup · [`receipts`] proofs made and checked · [`engine`] the handle everyone else holds.
//!
//! Invariants:
//! * One task owns the state; it never waits for a consumer. Delivery and feeds read the journal by position.
//! * No answer, receipt or signature leaves before the commit it rests on is durable.
//! * When a write or a sync fails, the engine stops for good and says so; nothing is tried again.

pub mod acknowledge;
pub mod agreement;
pub mod case_cache;
pub mod cases;
pub mod clock;
mod command;
pub mod commit;
pub mod content;
pub mod degraded;
pub mod deliver;
pub mod delivery;
pub mod drafts;
pub mod engine;
pub mod event;
pub mod follow;
mod hand;
pub mod heads;
pub mod keys;
pub mod local;
pub mod orders;
pub mod pace;
pub mod parcel;
pub mod quarantine;
pub mod readers;
pub mod receipts;
pub mod restore;
pub mod services;
pub mod start;
pub mod submit;
mod underway;
pub mod writer;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
