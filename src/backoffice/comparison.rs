//! Differences, field by field: of an oral request and its written confirmation (Article 5.1), and of two texts of a draft.

use super::v1::{Difference, Submission};
use crate::wire::assistance::v1::{AssistanceRequest, Handling, Measure, OralRequestNote};
use prost::Name as _;
use prost_reflect::{DynamicMessage, Value};
use std::collections::BTreeMap;

/// What both can say and do not say alike.
pub fn differences(note: &OralRequestNote, request: &AssistanceRequest) -> Vec<Difference> {
    let mut out = Differences::default();
    let empty = crate::wire::assistance::v1::Authority::default();
    let authority = request.authority.as_ref().unwrap_or(&empty);
    out.compare("requesting_ref", &note.requesting_ref, &request.requesting_ref);
    out.compare(
        "authority.designated_official_id",
        &note.requesting_official_id,
        &authority.designated_official_id,
    );
    out.compare("description", &note.summary, &request.description);
    handling(note.handling.as_ref(), request.handling.as_ref(), &mut out);
    let by_name = |list: &[Measure]| -> BTreeMap<String, Measure> {
        list.iter().map(|measure| (measure.measure_id.clone(), measure.clone())).collect()
    };
    let (noted, confirmed) = (by_name(&note.measures), by_name(&request.measures));
    for name in noted.keys().chain(confirmed.keys().filter(|name| !noted.contains_key(*name))) {
        measure(name, noted.get(name), confirmed.get(name), &mut out);
    }
    out.0
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn compare(&mut self, field: &str, noted: &str, confirmed: &str) {
        if noted != confirmed {
            self.0.push(Difference {
                field: field.to_owned(),
                noted: noted.to_owned(),
                confirmed: confirmed.to_owned(),
            });
        }
    }
}

fn handling(noted: Option<&Handling>, confirmed: Option<&Handling>, out: &mut Differences) {
    let empty = Handling::default();
    let (noted, confirmed) = (noted.unwrap_or(&empty), confirmed.unwrap_or(&empty));
    out.compare("handling.confidential", yes(noted.confidential), yes(confirmed.confidential));
    out.compare(
        "handling.confidential_reasons",
        &noted.confidential_reasons,
        &confirmed.confidential_reasons,
    );
}

/// A measure that only one of them has differs as a whole.
fn measure(name: &str, noted: Option<&Measure>, confirmed: Option<&Measure>, out: &mut Differences) {
    let (Some(a), Some(b)) = (noted, confirmed) else {
        let kind = |measure: Option<&Measure>| measure.map(|it| it.kind().as_str_name()).unwrap_or_default();
        return out.compare(&format!("measures[{name}]"), kind(noted), kind(confirmed));
    };
    let field = |field: &str| format!("measures[{name}].{field}");
    out.compare(&field("kind"), a.kind().as_str_name(), b.kind().as_str_name());
    out.compare(&field("text"), &a.text, &b.text);
    out.compare(&field("place"), &a.place, &b.place);
    out.compare(&field("from_date"), &a.from_date, &b.from_date);
    out.compare(&field("to_date"), &a.to_date, &b.to_date);
    out.compare(&field("document_form"), a.document_form().as_str_name(), b.document_form().as_str_name());
    out.compare(&field("questions"), &a.questions.join("\n"), &b.questions.join("\n"));
    out.compare(&field("party_refs"), &a.party_refs.join(" "), &b.party_refs.join(" "));
    out.compare(&field("official_ids"), &a.official_ids.join(" "), &b.official_ids.join(" "));
}

fn yes(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Paths of the fields in which two texts of a draft differ.
pub fn changed_fields(before: &Submission, after: &Submission) -> Vec<String> {
    let [before, after] = [before, after].map(|text| {
        let mut fields = BTreeMap::new();
        let descriptor = crate::wire::descriptors().get_message_by_name(&Submission::full_name());
        let mut dynamic = descriptor.map(DynamicMessage::new);
        if let Some(dynamic) = &mut dynamic
            && dynamic.transcode_from(text).is_ok()
        {
            flatten(dynamic, "", &mut fields);
        }
        fields
    });
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).take(FIELDS_MAX).cloned().collect()
}

/// Most changed fields that are named.
const FIELDS_MAX: usize = 1000;

fn flatten(message: &DynamicMessage, prefix: &str, out: &mut BTreeMap<String, Value>) {
    for (field, value) in message.fields() {
        let path =
            if prefix.is_empty() { field.name().to_owned() } else { format!("{prefix}.{}", field.name()) };
        flatten_value(value, path, out);
    }
}

fn flatten_value(value: &Value, path: String, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Message(message) => flatten(message, &path, out),
        Value::List(values) => {
            for (at, value) in values.iter().enumerate() {
                flatten_value(value, format!("{path}[{at}]"), out);
            }
        }
        value => drop(out.insert(path, value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::assistance::v1::MeasureKind;

    /// Article 5.1: what the confirmation adds or says otherwise is shown, and nothing else.
    #[test]
    fn each_difference_is_named_once() {
        let measure = |name: &str, text: &str| Measure {
            measure_id: name.into(),
            kind: MeasureKind::Inspect.into(),
            text: text.into(),
            ..Measure::default()
        };
        let note = OralRequestNote {
            summary: "as told".into(),
            requesting_ref: "R-1".into(),
            measures: vec![measure("m1", "inspect"), measure("m2", "same")],
            ..OralRequestNote::default()
        };
        let request = AssistanceRequest {
            description: "as told".into(),
            requesting_ref: "R-2".into(),
            measures: vec![measure("m1", "inspect and weigh"), measure("m2", "same"), measure("m3", "more")],
            ..AssistanceRequest::default()
        };
        let found: Vec<_> = differences(&note, &request).into_iter().map(|it| it.field).collect();
        assert_eq!(found, ["requesting_ref", "measures[m1].text", "measures[m3]"]);
    }
}
