//! The reference of all fields, written from the table and the comments: `proto/FIELDS.md`.

use super::comment::{Comments, first_sentence};
use super::table::{Field, Shape, table};
use crate::wire::descriptors;
use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use std::fmt::Write as _;

const HEAD: &str = "# Fields

Generated from the protos; `UPDATE_FIELDS=1 cargo test --lib rules::reference` renews it. What a bound means
is said in `article6/rules/v1/rules.proto`. Texts are in Unicode normalization form C, without control
characters other than line feed; characters are Unicode scalar values.
";

/// Every message and enum of this project's packages: number, type, bounds and meaning of each member, as
/// Markdown. The same bytes for the same protos.
pub fn reference() -> String {
    let comments = Comments::of(descriptors());
    let mut files: Vec<FileDescriptor> =
        descriptors().files().filter(|file| file.package_name().starts_with("article6.")).collect();
    files.sort_by(|a, b| (a.package_name(), a.name()).cmp(&(b.package_name(), b.name())));
    let mut text = HEAD.to_owned();
    let mut package = String::new();
    for file in &files {
        if file.package_name() != package {
            file.package_name().clone_into(&mut package);
            line(&mut text, &format!("\n## {package}"));
        }
        for message in file.messages() {
            of_message(&mut text, &comments, &message);
        }
        for list in file.enums() {
            of_enum(&mut text, &comments, &list);
        }
    }
    text
}

fn of_message(text: &mut String, comments: &Comments, message: &MessageDescriptor) {
    let Some(rules) = table().message(message.full_name()) else { return };
    let file = message.parent_file();
    heading(text, message.name(), comments.on(&file, message.path()));
    for choice in &rules.choices {
        let must = if choice.required { "exactly" } else { "at most" };
        line(text, &format!("\n`{}`: {must} one of its members.", choice.name));
    }
    if rules.fields.is_empty() {
        return;
    }
    line(text, "\n| No. | Field | Type | Bounds | Meaning |\n|---:|---|---|---|---|");
    for field in &rules.fields {
        let Some(descriptor) = message.get_field(field.number) else { continue };
        let row = format!(
            "| {} | `{}` | {} | {} | {} |",
            field.number,
            field.name,
            type_of(&descriptor),
            bounds(field, &descriptor),
            cell(first_sentence(comments.on(&file, descriptor.path()))),
        );
        line(text, &row);
    }
    for nested in message.child_messages().filter(|nested| !nested.is_map_entry()) {
        of_message(text, comments, &nested);
    }
    for list in message.child_enums() {
        of_enum(text, comments, &list);
    }
}

fn of_enum(text: &mut String, comments: &Comments, list: &EnumDescriptor) {
    let file = list.parent_file();
    heading(text, list.name(), comments.on(&file, list.path()));
    line(text, "\n| No. | Value | Meaning |\n|---:|---|---|");
    for value in list.values() {
        let meaning = cell(first_sentence(comments.on(&file, value.path())));
        line(text, &format!("| {} | `{}` | {meaning} |", value.number(), value.name()));
    }
}

fn heading(text: &mut String, name: &str, comment: &str) {
    line(text, &format!("\n### {name}\n\n{}", first_sentence(comment)));
}

fn line(text: &mut String, line: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{line}");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn type_of(field: &FieldDescriptor) -> String {
    let within = |full_name: &str| {
        let package = format!("{}.", field.parent_message().package_name());
        full_name.strip_prefix(&package).unwrap_or(full_name).to_owned()
    };
    let name = match field.kind() {
        Kind::Message(message) => within(message.full_name()),
        Kind::Enum(list) => within(list.full_name()),
        kind => format!("{kind:?}").to_ascii_lowercase(),
    };
    if field.is_list() { format!("repeated {name}") } else { name }
}

/// What the rules ask for, and nothing that the type alone says.
fn bounds(field: &Field, descriptor: &FieldDescriptor) -> String {
    let mut bounds = Vec::new();
    if field.required {
        bounds.push("required".to_owned());
    }
    if field.partial {
        bounds.push("may lack members".to_owned());
    }
    if let Some(choice) = descriptor.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
        bounds.push(format!("of `{}`", choice.name()));
    }
    if field.repeated {
        bounds.extend(range(field.min_items.into(), limit(field.max_items), "elements"));
    }
    match &field.shape {
        Shape::Text { min, max, format } => {
            bounds.extend(range((*min).into(), limit(*max), "characters"));
            if *format != super::Format::Text {
                bounds.push(format!("`{}`", format.code().replace("BAD_FORMAT", "FORMAT")));
            }
        }
        Shape::Bytes { min, max } => bounds.extend(range((*min).into(), limit(*max), "bytes")),
        Shape::Number { min, max, .. } if !matches!(descriptor.kind(), Kind::Bool) => {
            let widest = match descriptor.kind() {
                Kind::Uint32 | Kind::Fixed32 => i128::from(u32::MAX),
                Kind::Uint64 | Kind::Fixed64 => i128::from(u64::MAX),
                Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => i128::from(i32::MAX),
                _ => i128::from(i64::MAX),
            };
            bounds.extend(range((*min).max(0), (*max < widest).then_some(*max), ""));
        }
        _ => {}
    }
    bounds.join(", ")
}

fn limit(most: u32) -> Option<i128> {
    (most < u32::MAX).then_some(most.into())
}

fn range(least: i128, most: Option<i128>, unit: &str) -> Option<String> {
    let numbers = match (least, most) {
        (0, None) => return None,
        (least, None) => format!("at least {least}"),
        (0, Some(most)) => format!("at most {most}"),
        (least, Some(most)) if least == most => least.to_string(),
        (least, Some(most)) => format!("{least} to {most}"),
    };
    Some(format!("{numbers} {unit}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_md_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/FIELDS.md");
        let current = reference();
        if std::env::var_os("UPDATE_FIELDS").is_some() {
            std::fs::write(path, &current).unwrap();
        }
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            stored == current,
            "renew proto/FIELDS.md: UPDATE_FIELDS=1 cargo test --lib rules::reference"
        );
    }

    #[test]
    fn bounds_are_put_in_words() {
        assert_eq!(range(0, None, "bytes"), None);
        assert_eq!(range(32, Some(32), "bytes").as_deref(), Some("32 bytes"));
        assert_eq!(range(0, Some(5), "elements").as_deref(), Some("at most 5 elements"));
        assert_eq!(range(1, None, "").as_deref(), Some("at least 1"));
        assert_eq!(range(1, Some(9), "").as_deref(), Some("1 to 9"));
    }

    #[test]
    fn every_member_has_a_meaning() {
        let comments = Comments::of(descriptors());
        for message in descriptors().all_messages().filter(|m| m.package_name().starts_with("article6.")) {
            for field in message.fields() {
                assert!(!comments.on(&field.parent_file(), field.path()).is_empty(), "{}", field.full_name());
            }
        }
    }
}
