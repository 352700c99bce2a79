//! What the checker finds, under codes that never change their meaning.

use super::format::Format;

/// One thing in a message that its rules do not allow. Holds no value of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Stable code, such as `TEXT_TOO_LONG`.
    pub code: &'static str,
    /// Path of the field, such as `assistance_request.goods[3].declared_value.amount`; empty for the
    /// message itself. An unknown field is named by its number.
    pub field: String,
    /// Paragraph of the agreement that the field serves; empty where it serves none.
    pub article: &'static str,
    /// The code in words.
    pub description: &'static str,
}

/// What can be wrong on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not a protobuf message, or a field in another encoding than its type has.
    Malformed,
    /// More than [`super::MAX_DEPTH`] messages inside one another.
    NestedTooDeep,
    /// A field that the protos do not define: a decoder would silently drop it.
    UnknownField,
    /// A second value for a field, or a second member of a oneof: a decoder would silently drop one.
    Duplicate,
    /// A required member is absent.
    Required,
    /// Fewer elements than there must be.
    TooFew,
    /// More elements than there may be.
    TooMany,
    /// Not UTF-8.
    InvalidUtf8,
    /// Fewer characters than there must be.
    TextTooShort,
    /// More characters than there may be.
    TextTooLong,
    /// A control character other than line feed.
    ControlCharacter,
    /// Not in normalization form C.
    NotNfc,
    /// Fewer bytes than there must be.
    BytesTooShort,
    /// More bytes than there may be.
    BytesTooLong,
    /// A number outside its range.
    OutOfRange,
    /// A number that the enum does not define, or an element that states none of its values.
    EnumUnknown,
    /// A string of another shape than the field asks for.
    BadFormat(Format),
}

impl Fault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::NestedTooDeep => "NESTED_TOO_DEEP",
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::Duplicate => "DUPLICATE_FIELD",
            Self::Required => "REQUIRED",
            Self::TooFew => "TOO_FEW",
            Self::TooMany => "TOO_MANY",
            Self::InvalidUtf8 => "INVALID_UTF8",
            Self::TextTooShort => "TEXT_TOO_SHORT",
            Self::TextTooLong => "TEXT_TOO_LONG",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::NotNfc => "NOT_NFC",
            Self::BytesTooShort => "BYTES_TOO_SHORT",
            Self::BytesTooLong => "BYTES_TOO_LONG",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::EnumUnknown => "ENUM_UNKNOWN",
            Self::BadFormat(format) => format.code(),
        }
    }

    /// The code in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Malformed => "not a well-formed message of its type",
            Self::NestedTooDeep => "too many messages inside one another",
            Self::UnknownField => "a field that this version does not define",
            Self::Duplicate => "given more than once where one value is allowed",
            Self::Required => "must be present",
            Self::TooFew => "fewer elements than required",
            Self::TooMany => "more elements than allowed",
            Self::InvalidUtf8 => "not UTF-8",
            Self::TextTooShort => "fewer characters than required",
            Self::TextTooLong => "more characters than allowed",
            Self::ControlCharacter => "holds a control character other than line feed",
            Self::NotNfc => "not in Unicode normalization form C",
            Self::BytesTooShort => "fewer bytes than required",
            Self::BytesTooLong => "more bytes than allowed",
            Self::OutOfRange => "a number outside its range",
            Self::EnumUnknown => "not a value of its list",
            Self::BadFormat(format) => format.description(),
        }
    }
}
