//! What the agreement asks of a message, and what a message does to its case. Pure: no I/O, no clock.
//!
//! A body is judged in two steps. [`crate::rules`] judges the bytes: bounds and shapes, as the options on
//! the fields state them. The rules here judge the meaning: completeness under Article 5.2, and fields that
//! depend on one another. Both report the same [`crate::rules::Violation`].
//!
//! The sender refuses a body with violations ([`check_body`]); a receiver stores it and shows an official
//! what it lacks ([`deficiencies`]), because a written request has legal effect however thin it is. Codes that no list
//! has, and numbers that may be altered, are [`warnings`] on both sides and refuse nothing.
//!
//! Rules that depend on what happened in the case before stand in [`case`], over a state folded from
//! [`Effect`]s, never from bodies. What may be said at all follows from the agreement's own [`calendar`],
//! from the officials whom the heads designate ([`designations`]) and from what both heads agreed ([`accords`]);
//! [`heads`] says what the heads sign.

pub mod accords;
mod body;
pub mod calendar;
pub mod case;
mod check;
mod code;
mod codes;
mod completeness;
pub mod designations;
pub mod due;
mod effect;
#[cfg(test)]
mod examples;
mod findings;
pub mod heads;
mod release;
#[cfg(test)]
mod tests;
mod warnings;

pub use crate::wire::assistance::v1::{Body, Document, Effect, Kind};
pub use body::{documents, kind_of};
pub use check::{check_body, deficiencies, examine};
pub use code::Code;
pub use codes::{Entry, List};
pub use effect::effect;
pub use release::{is_exigent, needs_release};
pub use warnings::{WARNINGS_MAX, Warning, warnings};
