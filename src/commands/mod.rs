//! What the commands of the program do. Nothing else uses this room.

pub mod json;
