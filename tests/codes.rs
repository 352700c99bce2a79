//! Code lists and warnings: what no list has is accepted, with a warning on both sides, and nothing is refused for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::code_list_service_client::CodeListServiceClient;
use article6::backoffice::v1::{
    ListCodeListsRequest, ListCodesRequest, Submission, SubmitMessageRequest, ValidateMessageRequest, Warning,
};
use article6::commands::json::message_from_json;
use article6::rules::{self, Format, MessageRules, Shape};
use article6::treaty::{self, List};
use serde_json::{Map, Value, json};
use std::process::Command;
use support::homes::{PROGRAM, succeed};
use support::parties::{FIXTURES, Office, PATIENCE, Parties, case_of, for_official, reason, serve};

const BODY: &str = "article6.assistance.v1.Body";

#[test]
fn the_examples_have_no_warnings() {
    for text in FIXTURES {
        let body = message_from_json(&serde_json::from_str(text).unwrap()).unwrap().1;
        assert_eq!(treaty::warnings(&body), []);
    }
}

/// Read off the protos: a field of such a form, or one that says that its codes come from a list, is looked up. A new
/// field is missed here until its warnings are written.
#[test]
fn every_field_that_holds_a_code_is_looked_up() {
    let mut looked_up = 0;
    let body = rules::rules_for(BODY).unwrap();
    for field in body.fields() {
        let mut expected = Vec::new();
        let content = unlisted(body.message_in(field).unwrap(), &field.name, &mut expected);
        let mut document = content.unwrap_or_default();
        document.insert("kind".into(), field.name.to_ascii_uppercase().into());
        let body = message_from_json(&Value::Object(document)).unwrap().1;
        let mut found: Vec<_> =
            treaty::warnings(&body).into_iter().map(|warning| (warning.field, warning.code)).collect();
        found.sort();
        expected.sort();
        looked_up += expected.len();
        assert_eq!(found, expected, "{}", field.name);
    }
    assert!(looked_up >= 90, "{looked_up}");
}

/// A message whose fields all hold codes that no list has; `None` where it has no such field.
fn unlisted(
    rules: &'static MessageRules,
    path: &str,
    expected: &mut Vec<(String, &'static str)>,
) -> Option<Map<String, Value>> {
    let mut keys = Map::new();
    for field in rules.fields() {
        let index = if field.repeated { "[0]" } else { "" };
        let path = format!("{path}.{}{index}", field.name);
        let value = match (&field.shape, rules.message_in(field)) {
            (Shape::Text { format, .. }, _) => {
                let Some((value, code)) = code_for(&field.name, *format) else { continue };
                expected.push((path, code));
                Value::from(value)
            }
            (_, Some(inner)) => match unlisted(inner, &path, expected) {
                Some(keys) => Value::Object(keys),
                None => continue,
            },
            _ => continue,
        };
        keys.insert(field.name.clone(), if field.repeated { json!([value]) } else { value });
    }
    Some(keys).filter(|keys| !keys.is_empty())
}

fn code_for(name: &str, format: Format) -> Option<(&'static str, &'static str)> {
    Some(match (name, format) {
        (_, Format::Country | Format::Jurisdiction) => ("ZZ", "COUNTRY_UNLISTED"),
        (_, Format::Subdivision) => ("ZZ-1", "COUNTRY_UNLISTED"),
        (_, Format::Currency) => ("ZZZ", "CURRENCY_UNLISTED"),
        (_, Format::Language) => ("qq", "LANGUAGE_UNLISTED"),
        (_, Format::Script) => ("Zzzx", "SCRIPT_UNLISTED"),
        ("type_code", _) => ("999", "DOCUMENT_TYPE_UNLISTED"),
        ("unit", _) => ("ZZX", "UNIT_UNLISTED"),
        ("package_kind", _) => ("ZZX", "PACKAGE_KIND_UNLISTED"),
        ("roles", _) => ("QQ", "PARTY_ROLE_UNLISTED"),
        ("mode", _) => ("X", "TRANSPORT_MODE_UNLISTED"),
        ("from" | "to", _) => ("ZZABC", "LOCODE_SHAPE"),
        _ => return None,
    })
}

/// A vehicle whose number was altered is what the request is about.
#[test]
fn altered_numbers_and_records_without_an_offence_are_warned_of() {
    let mut vehicle: Value = serde_json::from_str(FIXTURES[5]).unwrap();
    vehicle["goods"][0]["serial_numbers"][1] = "1ZZAA11B7P0000026".into();
    vehicle["transport"][1]["identity"] = "1ZZAA11B8P0000018".into();
    let warned = |document: &Value| -> Vec<(String, &str)> {
        let body = message_from_json(document).unwrap().1;
        treaty::warnings(&body).into_iter().map(|warning| (warning.field, warning.code)).collect()
    };
    assert_eq!(
        warned(&vehicle),
        [
            ("assistance_request.goods[0].serial_numbers[1]".to_owned(), "VIN_CHECK_DIGIT"),
            ("assistance_request.transport[1].identity".to_owned(), "VIN_CHECK_DIGIT"),
        ]
    );
    vehicle["goods"][0]["hs_code"] = "901812".into();
    assert_eq!(warned(&vehicle).len(), 1, "a serial number of other goods is no vehicle's");

    let mut records: Value = serde_json::from_str(FIXTURES[4]).unwrap();
    records["measures"][0]["kind"] = "RECORDS_CONSULTATION".into();
    let kind = ("assistance_request.measures[0].kind".to_owned(), "RECORDS_WITHOUT_OFFENCE");
    assert_eq!(warned(&records), [kind]);
    records["ground"] = json!(["OFFENCE", "ASSESSMENT"]);
    assert_eq!(warned(&records), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_code_is_accepted_with_a_warning_on_both_sides() {
    let parties = Parties::new();
    let (us_daemon, kz_daemon) = (serve(&parties.us), serve(&parties.kz));
    let (mut us, mut kz) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    let mut document: Value = serde_json::from_str(FIXTURES[1]).unwrap();
    document["goods"][0]["unit"] = "ZZX".into();
    document["documents"][2]["type_code"] = "999".into();
    let submission = Some(Submission {
        case: case_of("codes", "unknown"),
        language: "en".into(),
        body: Some(message_from_json(&document).unwrap().1),
        ..Submission::default()
    });
    let expected = |prefix: &str| {
        [
            ("UNIT_UNLISTED", format!("{prefix}assistance_request.goods[0].unit")),
            ("DOCUMENT_TYPE_UNLISTED", format!("{prefix}assistance_request.documents[2].type_code")),
        ]
        .map(|(code, field)| (code.to_owned(), field))
    };
    let told = |warnings: Vec<Warning>| -> Vec<(String, String)> {
        assert!(warnings.iter().all(|it| !it.description.contains("ZZX")), "{warnings:?}");
        warnings.into_iter().map(|it| (it.code, it.field)).collect()
    };
    let request = ValidateMessageRequest { submission: submission.clone() };
    let validated = us.client.validate_message(us.request(request)).await.unwrap().into_inner();
    assert_eq!(told(validated.warnings), expected("submission.body."));
    let request = SubmitMessageRequest { request_id: "r-1".into(), submission };
    let submitted = us.client.submit_message(us.request(request)).await.unwrap().into_inner();
    assert_eq!(told(submitted.warnings), expected("submission.body."));
    let name = submitted.message.unwrap().name;
    let (_, message) = kz.feed("", 1).await.remove(0);
    assert_eq!((message.name.as_str(), message.deficiencies.len()), (name.as_str(), 0));
    assert_eq!(told(message.warnings), expected(""), "also where content is not shown");
    us_daemon.stop().unwrap();
    kz_daemon.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_can_be_asked_for_with_their_versions() {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    let office = Office::open(&parties.us).await;
    let mut codes = CodeListServiceClient::new(parties.us.connect(PATIENCE).await.unwrap());
    let request = ListCodeListsRequest::default();
    let lists = codes.list_code_lists(office.request(request)).await.unwrap().into_inner().code_lists;
    assert_eq!(lists.len(), List::ALL.len());
    for list in &lists {
        let known = List::by_name(list.name.strip_prefix("codeLists/").unwrap()).unwrap();
        assert_eq!((list.version.as_str(), list.edition_date.as_str()), (known.version(), known.edition()));
        let (mut token, mut found) = (String::new(), Vec::new());
        loop {
            let request = ListCodesRequest {
                parent: list.name.clone(),
                page_size: 400,
                page_token: token,
                ..ListCodesRequest::default()
            };
            let page = codes.list_codes(office.request(request)).await.unwrap().into_inner();
            found.extend(page.codes.into_iter().map(|it| it.code));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert!(found.iter().eq(known.entries().map(|entry| entry.code)), "{}", list.name);
        assert_eq!(usize::try_from(list.code_count).unwrap(), found.len());
    }
    let one = |parent: &str, code: &str| {
        let (parent, code) = (parent.into(), code.into());
        office.request(ListCodesRequest { parent, code, ..ListCodesRequest::default() })
    };
    let tenge = codes.list_codes(one("codeLists/ISO_4217", "KZT")).await.unwrap().into_inner().codes;
    assert_eq!((tenge.len(), tenge[0].title.as_str(), tenge[0].remark.as_str()), (1, "Tenge", "2"));
    let unknown = codes.list_codes(one("codeLists/ISO_1", "")).await.unwrap_err();
    assert_eq!(reason(&unknown), "CODE_LIST_NOT_FOUND");
    let nobody = codes.list_code_lists(for_official("US-DO-9999", ListCodeListsRequest::default())).await;
    assert!(["ROLE_MISSING", "OFFICIAL_NOT_ALLOWED"].contains(&reason(&nobody.unwrap_err()).as_str()));

    let client = |words: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("codes").args(words).arg("--profile").arg(parties.us.profile());
        command
    };
    assert_eq!(succeed(&mut client(&["list"])).lines().count(), List::ALL.len());
    let units = succeed(&mut client(&["show", "unece-rec-20"]));
    assert_eq!(units.lines().count(), List::Unit.entries().count());
    assert!(units.contains("KGM\tkilogram"), "{units}");
    assert!(succeed(&mut client(&["show", "ISO_4217", "KZT", "--json"])).contains("\"title\":\"Tenge\""));
    let missing = client(&["show", "ISO_4217", "ZZZ"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("ZZZ is not in ISO_4217"));
    daemon.stop().unwrap();
}
