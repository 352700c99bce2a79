//! Enum values by their names without the prefix that all values of an enum share.

use prost_reflect::EnumDescriptor;

/// The number of a value, by its short or its full name. `UNSPECIFIED` has none: it states nothing.
pub(super) fn number(list: &EnumDescriptor, name: &str) -> Option<i32> {
    let prefix = prefix(list);
    let value = list
        .get_value_by_name(&format!("{prefix}{name}"))
        .or_else(|| list.get_value_by_name(name).filter(|_| name.starts_with(&prefix)))?;
    (value.number() != 0).then_some(value.number())
}

/// The short name of a number; `None` for a number that the enum does not define.
pub(super) fn name(list: &EnumDescriptor, number: i32) -> Option<String> {
    let value = list.get_value(number)?;
    Some(value.name().strip_prefix(&prefix(list)).unwrap_or(value.name()).to_owned())
}

/// What stands before `UNSPECIFIED` in the name of the value 0.
fn prefix(list: &EnumDescriptor) -> String {
    let zero = list.default_value();
    zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default().to_owned()
}
