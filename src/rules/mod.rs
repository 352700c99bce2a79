//! The bounds that the protos state as `article6.rules.v1` options, checked on the bytes of a message.
//!
//! A decoder drops unknown fields, keeps the last of two values and takes any number for an enum; a
//! signed message must mean one thing only. So the bytes are judged before they are decoded, in one pass
//! and without allocation. The same table yields the reference in `proto/FIELDS.md`.
//!
//! What depends on more than one field belongs to the typed checks, not here.

mod check;
mod comment;
mod compile;
mod format;
mod reader;
mod reference;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod violation;

pub use format::Format;
pub use reference::reference;
pub use table::{Encoding, Field, MessageRules, Shape};
pub use violation::{Fault, Violation};

/// Most violations that one check reports; it stops when it has found them.
pub const MAX_VIOLATIONS: usize = 64;
/// Most messages inside one another, the outermost included.
pub const MAX_DEPTH: usize = 16;

/// What the encoded message `bytes` does not comply with; empty if it complies. `message` is its full
/// name, such as `article6.assistance.v1.Body`. For a name that no proto defines, no bytes comply.
pub fn check(message: &str, bytes: &[u8]) -> Vec<Violation> {
    match rules_for(message) {
        Some(rules) => rules.check(bytes),
        None => vec![Violation {
            code: Fault::Malformed.code(),
            field: String::new(),
            article: "",
            description: Fault::Malformed.description(),
        }],
    }
}

/// The rules of one message, for those who check many. `None` if no proto defines it.
pub fn rules_for(message: &str) -> Option<&'static MessageRules> {
    table::table().message(message)
}
