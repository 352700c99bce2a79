//! Keys, certificates and trust of one TLS party; reloadable, never half.
//!
//! In reading order: [`settings`] (what is asked for, what can be wrong), `files` (bounded reading),
//! `provider` (TLS 1.3 and its groups), `verify` (who is accepted), `material` (all of it, built at once),
//! [`problems()`] (what is wrong with each file), [`state`] (the current material behind one swap).

mod files;
mod material;
mod problems;
mod provider;
pub mod settings;
pub mod state;
pub mod verify;

pub use problems::problems;
pub use settings::{RevocationPolicy, TlsError, TlsFile, TlsSettings};
pub use state::{Staged, TlsState};
pub use verify::Unqualified;
