//! The rules of all messages as flat tables that the checker reads by field number.

use super::check::Pass;
use super::format::Format;
use super::violation::Violation;
use std::sync::OnceLock;

/// Most fields of one message: the checker counts them in an array of this size.
pub(super) const MAX_FIELDS: usize = 64;
/// In [`MessageRules::by_number`]: no field has this number.
pub(super) const NO_FIELD: u8 = u8::MAX;

/// The rules of one message.
#[derive(Debug)]
pub struct MessageRules {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    /// Place in `fields` by field number.
    pub(super) by_number: Vec<u8>,
    pub(super) choices: Vec<Choice>,
}

/// The rules of one field.
#[derive(Debug)]
pub struct Field {
    /// Its name in the proto.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// What one value must satisfy.
    pub shape: Shape,
    /// It holds any number of values.
    pub repeated: bool,
    /// It must be present: non-empty, not UNSPECIFIED, not 0.
    pub required: bool,
    /// The message in it may lack members.
    pub partial: bool,
    /// Fewest values of a repeated field.
    pub min_items: u32,
    /// Most values of a repeated field.
    pub max_items: u32,
    /// Paragraph of the agreement that its comment, or the comment of its message, names.
    pub article: String,
}

/// What one value must satisfy.
#[derive(Debug)]
pub enum Shape {
    /// A string: least and most characters, and its form.
    Text {
        /// Fewest Unicode scalar values, if any are present.
        min: u32,
        /// Most Unicode scalar values.
        max: u32,
        /// The form.
        format: Format,
    },
    /// Bytes: least, if any are present, and most.
    Bytes {
        /// Fewest bytes, if any are present.
        min: u32,
        /// Most bytes.
        max: u32,
    },
    /// An integer or a bool.
    Number {
        /// How it is encoded.
        encoding: Encoding,
        /// Smallest value.
        min: i128,
        /// Largest value.
        max: i128,
    },
    /// A floating-point number. The protos of this project have none; it is read and not judged.
    Float {
        /// Bytes on the wire: 4 or 8.
        width: usize,
    },
    /// An enum: the numbers that it defines, ascending.
    Enum(Vec<i32>),
    /// A message: its place in the table.
    Message(usize),
}

/// How an integer is encoded (protobuf encoding, "Base 128 Varints" and following).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Varint of an unsigned number or a bool.
    Unsigned,
    /// Varint of a signed number in two's complement.
    Signed,
    /// Varint in zigzag order.
    Zigzag,
    /// Four bytes, unsigned.
    Fixed32,
    /// Eight bytes, unsigned.
    Fixed64,
    /// Four bytes, signed.
    SignedFixed32,
    /// Eight bytes, signed.
    SignedFixed64,
}

/// A oneof: its members as places in the fields of its message.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) members: Vec<usize>,
    pub(super) required: bool,
}

/// The rules of all messages.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Sorted by name.
    pub(super) messages: Vec<MessageRules>,
}

/// The table of the embedded descriptors, built once.
pub(super) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| super::compile::compile(crate::wire::descriptors()))
}

impl Table {
    pub(super) fn message(&self, name: &str) -> Option<&MessageRules> {
        let place = self.messages.binary_search_by(|rules| rules.name.as_str().cmp(name)).ok()?;
        self.messages.get(place)
    }
}

impl MessageRules {
    /// As [`super::check`], without looking up the name.
    pub fn check(&'static self, bytes: &[u8]) -> Vec<Violation> {
        Pass::over(self, bytes)
    }

    /// Full name of the message.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its fields, by number.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The rules of the message in a field of this message.
    pub fn message_in(&self, field: &Field) -> Option<&'static MessageRules> {
        match field.shape {
            Shape::Message(place) => table().messages.get(place),
            _ => None,
        }
    }

    /// The field with this number, and its place.
    pub(super) fn field(&self, number: u32) -> Option<(usize, &Field)> {
        let place = *self.by_number.get(usize::try_from(number).ok()?)?;
        if place == NO_FIELD {
            return None;
        }
        let place = usize::from(place);
        Some((place, self.fields.get(place)?))
    }
}
