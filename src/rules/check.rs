//! The pass over the bytes of one message and those inside it.

use super::reader::{Reader, Wire};
use super::table::{Field, MAX_FIELDS, MessageRules, Shape, table};
use super::value;
use super::violation::{Fault, Violation};
use super::{MAX_DEPTH, MAX_VIOLATIONS};
use std::fmt::Write as _;

/// What one pass has found.
pub(super) struct Pass {
    found: Vec<Violation>,
}

/// Where a message stands: the field that holds it, and the messages around that.
#[derive(Clone, Copy)]
struct Place<'a> {
    around: Option<&'a Place<'a>>,
    field: &'static Field,
    index: u32,
}

/// What has been read of the message under way, by the place of the field in its table.
struct Seen {
    /// How many values.
    count: [u32; MAX_FIELDS],
    /// One of them was more than empty, 0 or UNSPECIFIED.
    filled: [bool; MAX_FIELDS],
}

impl Pass {
    pub(super) fn over(rules: &'static MessageRules, bytes: &[u8]) -> Vec<Violation> {
        let mut pass = Self { found: Vec::new() };
        pass.message(rules, bytes, None, 1, false);
        pass.found
    }

    fn message(
        &mut self,
        rules: &'static MessageRules,
        bytes: &[u8],
        place: Option<&Place>,
        depth: usize,
        partial: bool,
    ) {
        let mut seen = Seen { count: [0; MAX_FIELDS], filled: [false; MAX_FIELDS] };
        let mut input = Reader::new(bytes);
        while !input.is_empty() && !self.is_full() {
            if self.next(rules, &mut input, &mut seen, place, depth).is_none() {
                self.report(Fault::Malformed, place, None);
                return;
            }
        }
        self.members(rules, &seen, place, partial);
    }

    /// One field. `None`: what follows cannot be read.
    fn next(
        &mut self,
        rules: &'static MessageRules,
        input: &mut Reader,
        seen: &mut Seen,
        place: Option<&Place>,
        depth: usize,
    ) -> Option<()> {
        let (number, wire) = input.key()?;
        let Some((at, field)) = rules.field(number) else {
            self.report_named(Fault::UnknownField, place, &number.to_string(), "");
            return input.skip(wire);
        };
        let (count, filled) = (seen.count.get_mut(at)?, seen.filled.get_mut(at)?);
        let own = value::wire_of(&field.shape);
        if wire == Wire::Delimited && own != Wire::Delimited && field.repeated {
            let mut packed = Reader::new(input.delimited()?);
            while !packed.is_empty() && !self.is_full() {
                *filled |= self.value(field, &mut packed, count, place, depth)?;
            }
            return Some(());
        }
        if wire != own {
            return None;
        }
        *filled |= self.value(field, input, count, place, depth)?;
        Some(())
    }

    /// One value; whether it is more than empty, 0 or UNSPECIFIED. A value that is refused for itself
    /// counts as that, lest it be called absent too.
    fn value(
        &mut self,
        field: &'static Field,
        input: &mut Reader,
        count: &mut u32,
        around: Option<&Place>,
        depth: usize,
    ) -> Option<bool> {
        let here = Place { around, field, index: *count };
        *count = count.saturating_add(1);
        let judged = match &field.shape {
            Shape::Text { min, max, format } => value::text(input.delimited()?, *min, *max, *format),
            Shape::Bytes { min, max } => value::bytes(input.delimited()?, *min, *max),
            Shape::Message(at) => {
                let bytes = input.delimited()?;
                match table().messages.get(*at) {
                    Some(_) if depth >= MAX_DEPTH => Err(Fault::NestedTooDeep),
                    Some(rules) => {
                        self.message(rules, bytes, Some(&here), depth + 1, field.partial);
                        Ok(true)
                    }
                    None => Err(Fault::Malformed),
                }
            }
            shape => value::scalar(shape, input)?,
        };
        let judged = match judged {
            // Where a list is kept, an element that says nothing has no meaning.
            Ok(false) if field.repeated => match field.shape {
                Shape::Enum(_) => Err(Fault::EnumUnknown),
                Shape::Text { .. } => Err(Fault::TextTooShort),
                Shape::Bytes { .. } => Err(Fault::BytesTooShort),
                _ => judged,
            },
            judged => judged,
        };
        if let Err(fault) = judged {
            self.report(fault, Some(&here), None);
        }
        Some(judged.unwrap_or(true))
    }

    /// What can only be said at the end of a message: how many values there were.
    fn members(&mut self, rules: &'static MessageRules, seen: &Seen, place: Option<&Place>, partial: bool) {
        for ((field, count), filled) in rules.fields.iter().zip(seen.count).zip(seen.filled) {
            if field.repeated {
                if count > field.max_items {
                    self.report(Fault::TooMany, place, Some(field));
                } else if count < field.min_items && !(partial && count == 0) {
                    self.report(Fault::TooFew, place, Some(field));
                }
            } else if count > 1 {
                self.report(Fault::Duplicate, place, Some(field));
            }
            if field.required && !filled && !partial {
                self.report(Fault::Required, place, Some(field));
            }
        }
        for choice in &rules.choices {
            let given = choice
                .members
                .iter()
                .filter(|at| seen.count.get(**at).is_some_and(|count| *count > 0))
                .count();
            if given > 1 {
                self.report_named(Fault::Duplicate, place, &choice.name, "");
            } else if given == 0 && choice.required && !partial {
                self.report_named(Fault::Required, place, &choice.name, "");
            }
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MAX_VIOLATIONS
    }

    /// Reports `place` itself, or the whole of `field` in it.
    fn report(&mut self, fault: Fault, place: Option<&Place>, field: Option<&'static Field>) {
        match (field, place) {
            (Some(field), _) => self.report_named(fault, place, &field.name, &field.article),
            (None, Some(place)) => self.push(fault, place.path(), &place.field.article),
            (None, None) => self.push(fault, String::new(), ""),
        }
    }

    fn report_named(&mut self, fault: Fault, place: Option<&Place>, name: &str, article: &'static str) {
        let mut path = place.map_or_else(String::new, Place::path);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        self.push(fault, path, article);
    }

    fn push(&mut self, fault: Fault, field: String, article: &'static str) {
        if !self.is_full() {
            self.found.push(Violation {
                code: fault.code(),
                field,
                article,
                description: fault.description(),
            });
        }
    }
}

impl Place<'_> {
    fn path(&self) -> String {
        let mut path = self.around.map_or_else(String::new, Place::path);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&self.field.name);
        if self.field.repeated {
            // Writing to a String does not fail.
            let _ = write!(path, "[{}]", self.index);
        }
        path
    }
}
