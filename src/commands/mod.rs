//! What the commands of the program do, one file or folder each. Nothing else uses this room.

pub mod certs;
pub mod client;
pub mod json;
