//! From descriptors with options to the table.

use super::comment::{Comments, article};
use super::format::Format;
use super::table::{Choice, Encoding, Field, MAX_FIELDS, MessageRules, NO_FIELD, Shape, Table};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ReflectMessage as _, Value,
};
use std::collections::HashMap;

const DESCRIPTORS_OWN_FILE: &str = "google/protobuf/descriptor.proto";
/// google/protobuf/timestamp.proto: from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
const TIMESTAMP: &str = "google.protobuf.Timestamp";
const TIMESTAMP_SECONDS: (i128, i128) = (-62_135_596_800, 253_402_300_799);
const TIMESTAMP_NANOS: (i128, i128) = (0, 999_999_999);

/// The table of all messages of `pool` but those that describe protos.
pub(super) fn compile(pool: &DescriptorPool) -> Table {
    let mut messages: Vec<MessageDescriptor> =
        pool.all_messages().filter(|message| message.parent_file().name() != DESCRIPTORS_OWN_FILE).collect();
    messages.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    let compiler = Compiler {
        places: messages.iter().enumerate().map(|(place, m)| (m.full_name().to_owned(), place)).collect(),
        comments: Comments::of(pool),
        rule: pool.get_extension_by_name("article6.rules.v1.rule"),
        member_required: pool.get_extension_by_name("article6.rules.v1.member_required"),
    };
    Table { messages: messages.iter().map(|message| compiler.message(message)).collect() }
}

struct Compiler {
    places: HashMap<String, usize>,
    comments: Comments,
    rule: Option<ExtensionDescriptor>,
    member_required: Option<ExtensionDescriptor>,
}

impl Compiler {
    fn message(&self, message: &MessageDescriptor) -> MessageRules {
        let mut descriptors: Vec<FieldDescriptor> = message.fields().collect();
        descriptors.sort_by_key(FieldDescriptor::number);
        // A field beyond the limit is unknown to the checker, so it is refused; a test keeps it from
        // happening.
        descriptors.truncate(MAX_FIELDS);
        let fields: Vec<Field> = descriptors.iter().map(|field| self.field(message, field)).collect();
        let last = fields.last().map_or(0, |field| field.number);
        let mut by_number = vec![NO_FIELD; usize::try_from(last).map_or(0, |last| last + 1)];
        for (place, field) in (0_u8..).zip(&fields) {
            let slot = usize::try_from(field.number).ok().and_then(|number| by_number.get_mut(number));
            if let Some(slot) = slot {
                *slot = place;
            }
        }
        let choices = message.oneofs().filter(|oneof| !oneof.is_synthetic()).map(|oneof| Choice {
            name: oneof.name().to_owned(),
            members: (0..)
                .zip(&descriptors)
                .filter(|(_, field)| in_oneof(field, oneof.name()))
                .map(|(place, _)| place)
                .collect(),
            required: self.member_required.as_ref().is_some_and(|option| {
                matches!(oneof.options().get_extension(option).as_ref(), Value::Bool(true))
            }),
        });
        MessageRules { name: message.full_name().to_owned(), choices: choices.collect(), fields, by_number }
    }

    fn field(&self, message: &MessageDescriptor, field: &FieldDescriptor) -> Field {
        let rule =
            Rule(self.rule.as_ref().and_then(
                |option| match field.options().get_extension(option).as_ref() {
                    Value::Message(rule) => Some(rule.clone()),
                    _ => None,
                },
            ));
        let file = field.parent_file();
        let article = article(self.comments.on(&file, field.path()))
            .or_else(|| article(self.comments.on(&file, message.path())));
        let shape =
            if message.full_name() == TIMESTAMP { timestamp(field) } else { self.shape(field, &rule) };
        // Zero is what an absent number reads as; where zero is out of range, absence is too.
        let zero_refused = matches!(shape, Shape::Number { min, .. } if min > 0)
            && !field.is_list()
            && !field.supports_presence();
        Field {
            name: field.name().to_owned(),
            number: field.number(),
            shape,
            repeated: field.is_list() || field.is_map(),
            required: rule.flag("required") || zero_refused,
            partial: rule.flag("partial"),
            min_items: rule.number("min_items").map_or(0, narrow),
            max_items: rule.number("max_items").map_or(u32::MAX, narrow),
            article: article.unwrap_or_default(),
        }
    }

    fn shape(&self, field: &FieldDescriptor, rule: &Rule) -> Shape {
        let number = |encoding, least: i128, most: i128| Shape::Number {
            encoding,
            min: rule.number("min").map_or(least, i128::from),
            max: rule.number("max").map_or(most, i128::from),
        };
        let (i32s, i64s) =
            ((i128::from(i32::MIN), i128::from(i32::MAX)), (i128::from(i64::MIN), i128::from(i64::MAX)));
        let (u32s, u64s) = (i128::from(u32::MAX), i128::from(u64::MAX));
        match field.kind() {
            Kind::String => Shape::Text {
                min: rule.number("min_chars").map_or(0, narrow),
                max: rule.number("max_chars").map_or(u32::MAX, narrow),
                format: rule.format(),
            },
            Kind::Bytes => Shape::Bytes {
                min: rule.number("min_bytes").map_or(0, narrow),
                max: rule.number("max_bytes").map_or(u32::MAX, narrow),
            },
            Kind::Bool => number(Encoding::Unsigned, 0, 1),
            Kind::Uint32 => number(Encoding::Unsigned, 0, u32s),
            Kind::Uint64 => number(Encoding::Unsigned, 0, u64s),
            Kind::Int32 => number(Encoding::Signed, i32s.0, i32s.1),
            Kind::Int64 => number(Encoding::Signed, i64s.0, i64s.1),
            Kind::Sint32 => number(Encoding::Zigzag, i32s.0, i32s.1),
            Kind::Sint64 => number(Encoding::Zigzag, i64s.0, i64s.1),
            Kind::Fixed32 => number(Encoding::Fixed32, 0, u32s),
            Kind::Fixed64 => number(Encoding::Fixed64, 0, u64s),
            Kind::Sfixed32 => number(Encoding::SignedFixed32, i32s.0, i32s.1),
            Kind::Sfixed64 => number(Encoding::SignedFixed64, i64s.0, i64s.1),
            Kind::Float => Shape::Float { width: 4 },
            Kind::Double => Shape::Float { width: 8 },
            Kind::Enum(list) => {
                let mut values: Vec<i32> = list.values().map(|value| value.number()).collect();
                values.sort_unstable();
                Shape::Enum(values)
            }
            // A message that is not in the table has no place in it, and no bytes comply with it.
            Kind::Message(inner) => {
                Shape::Message(self.places.get(inner.full_name()).copied().unwrap_or(usize::MAX))
            }
        }
    }
}

fn timestamp(field: &FieldDescriptor) -> Shape {
    let (min, max) = if field.number() == 1 { TIMESTAMP_SECONDS } else { TIMESTAMP_NANOS };
    Shape::Number { encoding: Encoding::Signed, min, max }
}

fn in_oneof(field: &FieldDescriptor, name: &str) -> bool {
    field.containing_oneof().is_some_and(|oneof| oneof.name() == name)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The option on a field, if it has one.
struct Rule(Option<DynamicMessage>);

impl Rule {
    /// A member, if it is stated.
    fn member(&self, name: &str) -> Option<Value> {
        let rule = self.0.as_ref()?;
        let field = rule.descriptor().get_field_by_name(name)?;
        rule.has_field(&field).then(|| rule.get_field(&field).into_owned())
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.member(name), Some(Value::Bool(true)))
    }

    fn number(&self, name: &str) -> Option<u64> {
        match self.member(name)? {
            Value::U32(number) => Some(u64::from(number)),
            Value::U64(number) => Some(number),
            _ => None,
        }
    }

    fn format(&self) -> Format {
        let number = match self.member("format") {
            Some(Value::EnumNumber(number)) => usize::try_from(number).unwrap_or(0),
            _ => 0,
        };
        Format::ALL.get(number).copied().unwrap_or(Format::Text)
    }
}
