//! The doors from outside: real sockets, real handshakes.

mod calls;
mod entry;
mod house;
mod pki;
mod reload;
mod sockets;
