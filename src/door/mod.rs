//! What the three doors share: the accept loop, TLS, limits, deadlines, refusals, peer identity.
//!
//! In reading order:
//! - [`tls`]: certificates, keys, trust; reloadable, never half;
//! - [`hybrid`]: the X25519MLKEM768 key exchange for the `ring` provider;
//! - [`identity`]: who is at the other end;
//! - [`limits`]: one door's bounds;
//! - [`accept`]: from socket to served connection; `admission`, `connection`, `standing`, `call` and `guarded` are its
//!   steps;
//! - [`dial`]: the other direction, one connection at a time;
//! - [`refusal`]: what a caller is told, and what only the log is told;
//! - [`shutdown`]: drain, then cut.
//!
//! Invariants: nobody reaches a handler without a certificate that is valid *now*; every wait has a
//! limit; a failed reload leaves the old settings whole.

pub mod accept;
mod admission;
mod budget;
mod call;
mod connection;
pub mod counters;
pub mod deadline;
pub mod dial;
mod dialled_body;
mod first_byte;
mod guarded;
pub mod hybrid;
pub mod identity;
pub mod limits;
pub mod refusal;
pub mod shutdown;
mod standing;
pub mod strict;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod tls;

pub use accept::{DoorSettings, serve};
pub use dial::{DialError, DialSettings, Dialled, dial};
pub use identity::PeerIdentity;
pub use limits::Limits;
pub use refusal::{FieldViolation, Refusal};
pub use shutdown::{Draining, Shutdown};
pub use tls::{TlsError, TlsSettings, TlsState};
