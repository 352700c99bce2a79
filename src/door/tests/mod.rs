//! The doors from outside: real sockets, real handshakes.

mod calls;
mod descriptors;
mod dialling;
mod entry;
mod house;
mod pki;
mod reload;
mod sockets;
