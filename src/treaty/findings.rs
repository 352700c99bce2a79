//! Where in a message a finding lies, and the list of them.

use super::code::Code;
use crate::rules::{MAX_VIOLATIONS, Violation};
use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

/// The place of a message or field within a body, as the protos name it. Costs nothing until printed.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    name: &'static str,
    index: Option<usize>,
}

impl Place<'_> {
    pub(super) const fn root(name: &'static str) -> Self {
        Self { parent: None, name, index: None }
    }

    pub(super) const fn field(&self, name: &'static str) -> Place<'_> {
        Place { parent: Some(self), name, index: None }
    }

    pub(super) const fn element(&self, name: &'static str, index: usize) -> Place<'_> {
        Place { parent: Some(self), name, index: Some(index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(out, "{parent}.")?;
        }
        match self.index {
            Some(index) => write!(out, "{}[{index}]", self.name),
            None => out.write_str(self.name),
        }
    }
}

/// What was found so far, up to [`MAX_VIOLATIONS`]; the rest would not help anybody.
#[derive(Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    /// Notes `code` at a field of `place`.
    pub(super) fn add(&mut self, code: Code, place: &Place<'_>) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(Violation {
                code: code.name(),
                field: place.to_string(),
                article: code.article(),
                description: code.explanation(),
            });
        }
    }

    /// Notes `code` at the field `name` if `wrong`.
    pub(super) fn add_if(&mut self, wrong: bool, code: Code, place: &Place<'_>, name: &'static str) {
        if wrong {
            self.add(code, &place.field(name));
        }
    }

    /// Notes `code` if the text is empty or holds nothing but white space.
    pub(super) fn text(&mut self, text: &str, code: Code, place: &Place<'_>, name: &'static str) {
        self.add_if(blank(text), code, place, name);
    }

    /// Notes `missing` if the text is due and blank, `unexpected` if it is present and not due.
    pub(super) fn text_iff(
        &mut self,
        due: bool,
        text: &str,
        (missing, unexpected): (Code, Code),
        place: &Place<'_>,
        name: &'static str,
    ) {
        self.add_if(due && blank(text), missing, place, name);
        self.add_if(!due && !text.is_empty(), unexpected, place, name);
    }

    /// Notes a day that lies before the one at which it starts. ISO 8601 dates sort as text.
    pub(super) fn period(&mut self, from: &str, to: &str, place: &Place<'_>, name: &'static str) {
        self.add_if(!from.is_empty() && !to.is_empty() && to < from, Code::DatesReversed, place, name);
    }

    /// Notes every value that was listed before.
    pub(super) fn distinct<T: Hash + Eq>(&mut self, values: &[T], place: &Place<'_>, name: &'static str) {
        let mut seen = HashSet::new();
        for (index, value) in values.iter().enumerate() {
            if !seen.insert(value) {
                self.add(Code::ValueRepeated, &place.element(name, index));
            }
        }
    }

    /// Notes every entry of the list `name` whose name, in its field `key`, an entry before it has; gives
    /// the names back.
    pub(super) fn names<'t, T: Hash + Eq>(
        &mut self,
        names: impl Iterator<Item = T> + 't,
        place: &Place<'_>,
        name: &'static str,
        key: &'static str,
    ) -> HashSet<T> {
        let mut seen = HashSet::new();
        for (index, value) in names.enumerate() {
            if !seen.insert(value) {
                self.add(Code::NameRepeated, &place.element(name, index).field(key));
            }
        }
        seen
    }

    /// Notes every reference that names nothing in `known`. `None` stands for names outside the message.
    pub(super) fn references(
        &mut self,
        references: &[String],
        known: Option<&HashSet<&str>>,
        place: &Place<'_>,
        name: &'static str,
    ) {
        self.distinct(references, place, name);
        for (index, reference) in references.iter().enumerate() {
            if known.is_some_and(|known| !known.contains(reference.as_str())) {
                self.add(Code::ReferenceUnresolved, &place.element(name, index));
            }
        }
    }

    pub(super) fn into_list(self) -> Vec<Violation> {
        self.0
    }
}

/// Whether a text says nothing.
pub(super) fn blank(text: &str) -> bool {
    text.trim().is_empty()
}
