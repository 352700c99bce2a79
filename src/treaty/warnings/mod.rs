//! What an official should look at in a message that is in order: codes that no list has, numbers that may be altered.
//!
//! Lists change while archived messages do not, and altered numbers are what a request is about: a message with warnings
//! is sent and received like any other. A warning holds no value of the message, so that it can be shown where its
//! content is not.
//!
//! Reading order: [`notes`] the list of warnings and what is looked up · [`bodies`] each kind of message · [`parts`] what
//! they are made of · [`vin`] the check digit of a vehicle.

mod bodies;
mod notes;
mod parts;
mod vin;

use crate::wire::assistance::v1::Body;
use notes::Notes;

/// Most warnings of one message; the rest would not help anybody.
pub const WARNINGS_MAX: usize = 64;

/// Something that an official should look at. It never stands in the way of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable code.
    pub code: &'static str,
    /// Path of the field, as in [`crate::rules::Violation`].
    pub field: String,
    /// One sentence for an official.
    pub description: String,
}

/// The warnings about a body, in the order of its fields as the rules go through them.
pub fn warnings(body: &Body) -> Vec<Warning> {
    let mut notes = Notes::default();
    if let Some(content) = &body.content {
        bodies::content(content, &mut notes);
    }
    notes.into_list()
}
