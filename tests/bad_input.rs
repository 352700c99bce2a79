//! What reaches the back-office door and must not get in: strangers, wrong officials, wrong requests. Each is refused
//! with an exact reason, and the ledger holds the accepted messages and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::{
    AcknowledgeMessagesRequest, FeedKind, GetMessageRequest, ListMessagesRequest, MessageView, Submission,
    SubmitMessageRequest, ValidateMessageRequest, WatchMessagesRequest,
};
use article6::commands::homes::{Home, Running};
use article6::wire::assistance::v1::Purpose;
use prost::Message as _;
use support::parties::{
    Office, Parties, edit, for_official, log, post, reason, serve, status, submission, violations,
};
use tonic::{Code, Request, Status};

const SUBMIT: &str = "/article6.backoffice.v1.MessageService/SubmitMessage";

async fn us_alone() -> (Parties, Running, Office) {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    let office = Office::open(&parties.us).await;
    (parties, daemon, office)
}

fn told(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

fn request(request_id: &str, submission: Submission) -> SubmitMessageRequest {
    SubmitMessageRequest { request_id: request_id.to_owned(), submission: Some(submission) }
}

fn good() -> Submission {
    submission(0)
}

/// Founded, started, the configuration, and these messages: nothing that was refused left anything.
async fn ledger_holds(home: &Home, messages: u64) {
    let status = status(home).await;
    assert_eq!((status.sealed_sequence, status.ledger_size), (messages, 3 + messages));
    assert!(!log(home).contains("panicked"), "{}", log(home));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_needs_an_official_whom_the_client_may_act_for() {
    let (parties, _daemon, mut office) = us_alone().await;
    let nobody = Request::new(request("r", good()));
    let refused = office.client.submit_message(nobody).await.unwrap_err();
    assert_eq!(told(&refused), (Code::InvalidArgument, "OFFICIAL_REQUIRED".into()));
    for (official, code, expected) in [
        ("US-DO-9999", Code::PermissionDenied, "OFFICIAL_NOT_ALLOWED"),
        ("KZ-DO-0007", Code::PermissionDenied, "OFFICIAL_NOT_ALLOWED"),
        ("", Code::InvalidArgument, "OFFICIAL_MALFORMED"),
        ("US DO 0011", Code::InvalidArgument, "OFFICIAL_MALFORMED"),
        ("US-DO-0011,US-DO-0015", Code::InvalidArgument, "OFFICIAL_MALFORMED"),
        (&"x".repeat(41), Code::InvalidArgument, "OFFICIAL_MALFORMED"),
    ] {
        let refused =
            office.client.submit_message(for_official(official, request("r", good()))).await.unwrap_err();
        assert_eq!(told(&refused), (code, expected.into()), "{official}");
    }
    let mut two = office.request(request("r", good()));
    two.metadata_mut().append("article6-official", "US-DO-0011".parse().unwrap());
    assert_eq!(reason(&office.client.submit_message(two).await.unwrap_err()), "OFFICIAL_MALFORMED");
    ledger_holds(&parties.us, 0).await;
    office.submit("r", 0).await.unwrap();
    ledger_holds(&parties.us, 1).await;
}

/// Article 6.1: nobody looks at anything, and nothing is taken over, but for a designated official.
#[tokio::test(flavor = "multi_thread")]
async fn every_call_names_its_official() {
    let (parties, _daemon, mut office) = us_alone().await;
    let message = office.submit("r", 0).await.unwrap();
    let name = message.name;
    let client = &mut office.client;
    let validate = ValidateMessageRequest { submission: Some(good()) };
    let get = GetMessageRequest { name: name.clone(), ..Default::default() };
    let acknowledge = AcknowledgeMessagesRequest { names: vec![name], ..Default::default() };
    let refused = [
        client.validate_message(validate).await.unwrap_err(),
        client.get_message(get).await.unwrap_err(),
        client.list_messages(ListMessagesRequest::default()).await.unwrap_err(),
        client.watch_messages(WatchMessagesRequest::default()).await.unwrap_err(),
        client.acknowledge_messages(acknowledge).await.unwrap_err(),
    ];
    for refused in refused {
        assert_eq!(told(&refused), (Code::InvalidArgument, "OFFICIAL_REQUIRED".into()));
    }
    ledger_holds(&parties.us, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_allows_what_it_is_for() {
    let parties = Parties::new();
    let official = |id: &str, role: &str| format!("[[officials]]\nid = \"{id}\"\nroles = [\"{role}\"]\n");
    let officials = official("US-AU-0001", "AUDITOR") + &official("US-OP-0001", "OPERATIONS");
    edit(&parties.us, "[store]\n", &format!("{officials}\n[store]\n"));
    let _daemon = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    let name = office.submit("r", 0).await.unwrap().name;
    let client = &mut office.client;
    for (id, may_read) in [("US-AU-0001", true), ("US-OP-0001", false)] {
        let submit = client.submit_message(for_official(id, request("r2", good()))).await.unwrap_err();
        assert_eq!(told(&submit), (Code::PermissionDenied, "ROLE_MISSING".into()), "{id}");
        assert!(submit.message().contains("DESIGNATED_OFFICIAL"), "{}", submit.message());
        let take = AcknowledgeMessagesRequest { names: vec![name.clone()], ..Default::default() };
        let take = client.acknowledge_messages(for_official(id, take)).await.unwrap_err();
        assert_eq!(reason(&take), "ROLE_MISSING", "{id}");
        let get = GetMessageRequest { name: name.clone(), ..Default::default() };
        let list = ListMessagesRequest::default();
        let watch = WatchMessagesRequest::default();
        let reads = [
            client.get_message(for_official(id, get)).await.err(),
            client.list_messages(for_official(id, list)).await.err(),
            client.watch_messages(for_official(id, watch)).await.err(),
        ];
        for read in reads {
            assert_eq!(read.is_none(), may_read, "{id}: {read:?}");
            assert!(read.is_none_or(|refused| reason(&refused) == "ROLE_MISSING"));
        }
    }
    let mut released = good();
    released.releasing_official = "US-DO-9999".into();
    let refused = client.submit_message(for_official("US-DO-0011", request("r3", released.clone()))).await;
    let refused = refused.unwrap_err();
    assert_eq!(violations(&refused), [("submission.releasing_official".into(), "OFFICIAL_UNKNOWN".into())]);
    released.releasing_official = "US-DO-0003".into();
    client.submit_message(for_official("US-DO-0011", request("r3", released))).await.unwrap();
    ledger_holds(&parties.us, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_for_another_channel_or_without_its_parts_is_refused() {
    let (parties, _daemon, mut office) = us_alone().await;
    type Mistake = (&'static str, &'static str, fn(&mut SubmitMessageRequest));
    fn part(request: &mut SubmitMessageRequest) -> &mut Submission {
        request.submission.as_mut().unwrap()
    }
    let mistakes: [Mistake; 16] = [
        ("WRONG_AGREEMENT", "submission.agreement_id", |request| {
            part(request).agreement_id = "US-KZ-1998".into()
        }),
        ("WRONG_SENDER", "submission.sender", |request| part(request).sender = "KZ".into()),
        ("WRONG_RECIPIENT", "submission.recipient", |request| part(request).recipient = "US".into()),
        ("NAME_MALFORMED", "submission.case", |request| part(request).case = "cases/1".into()),
        ("NAME_MALFORMED", "submission.case", |request| {
            part(request).case = part(request).case.to_uppercase()
        }),
        ("NAME_MALFORMED", "submission.case", |request| {
            part(request).case = part(request).case.replace('-', "")
        }),
        ("NAME_MALFORMED", "submission.in_reply_to", |request| {
            part(request).in_reply_to = "messages/../x".into()
        }),
        ("FIELD_INVALID", "submission.case", |request| part(request).case.clear()),
        ("FIELD_INVALID", "submission.case", |request| part(request).case = "c".repeat(43)),
        ("FIELD_INVALID", "submission.language", |request| part(request).language = "English".into()),
        ("FIELD_INVALID", "submission.releasing_official", |request| {
            part(request).releasing_official = "a b".into()
        }),
        ("FIELD_INVALID", "submission.body", |request| part(request).body = None),
        ("FIELD_INVALID", "submission.sender", |request| part(request).sender = "USA".into()),
        ("FIELD_INVALID", "submission", |request| request.submission = None),
        ("FIELD_INVALID", "request_id", |request| request.request_id.clear()),
        ("FIELD_INVALID", "request_id", |request| request.request_id = "r r".into()),
    ];
    for (number, (expected, field, mistake)) in mistakes.into_iter().enumerate() {
        let mut wrong = request("r", good());
        mistake(&mut wrong);
        let submission = wrong.submission.clone();
        let refused = office.client.submit_message(office.request(wrong)).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, expected.into()), "{number}");
        assert!(violations(&refused).iter().any(|(path, _)| path == field), "{number}: {refused:?}");
        if field != "request_id" {
            let validate = office.request(ValidateMessageRequest { submission });
            assert_eq!(
                reason(&office.client.validate_message(validate).await.unwrap_err()),
                expected,
                "{number}"
            );
        }
    }
    ledger_holds(&parties.us, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_that_article_5_2_asks_for_is_missed_by_its_path() {
    let (parties, _daemon, mut office) = us_alone().await;
    let of_requests =
        ["authority", "proceedings", "object", "reason", "parties", "description", "legal_elements"];
    let mut tried = 0;
    for (fixture, text) in support::parties::FIXTURES.iter().enumerate() {
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let (member, keys) = match document["kind"].as_str().unwrap() {
            "ASSISTANCE_REQUEST" => ("assistance_request", &of_requests[..]),
            _ => ("oral_request_note", &["exigency", "summary"][..]),
        };
        for key in keys {
            let mut changed = document.clone();
            changed.as_object_mut().unwrap().remove(*key).unwrap();
            if *key == "parties" {
                // Some examples say that the parties are not known, which is complete (Article 5.2(d)).
                changed["parties_unknown"] = false.into();
            }
            let body = article6::commands::json::message_from_json(&changed).unwrap().1;
            let submission = Submission { body: Some(body), ..submission(fixture) };
            let refused = office.client.submit_message(office.request(request("r", submission))).await;
            let Err(refused) = refused else { panic!("example {fixture} without {key} is accepted") };
            assert_eq!(
                told(&refused),
                (Code::InvalidArgument, "BODY_INVALID".into()),
                "{fixture} without {key}"
            );
            let violations = violations(&refused);
            assert!(
                violations.iter().all(|(path, _)| path.starts_with("submission.body.")),
                "{violations:?}"
            );
            let path = format!("submission.body.{member}.{key}");
            assert!(
                violations.iter().any(|(field, _)| field.starts_with(&path)),
                "{fixture} without {key}: {violations:?}"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 6 * 7 + 2);
    ledger_holds(&parties.us, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused() {
    let (parties, _daemon, mut office) = us_alone().await;
    let whole = request("r", good()).encode_to_vec();
    let text = b"US-KZ-1997";
    let mut with_agreement =
        request("r", Submission { agreement_id: "US-KZ-1997".into(), ..good() }).encode_to_vec();
    let at = with_agreement.windows(text.len()).position(|window| window == text).unwrap();
    with_agreement[at] = 0xff;
    let cases: [(&str, Vec<u8>); 6] = [
        ("FIELD_INVALID UNKNOWN_FIELD", [&whole[..], b"\xfa\x3f\x01x"].concat()),
        ("FIELD_INVALID UNKNOWN_FIELD", unknown_inside(&good())),
        ("FIELD_INVALID INVALID_UTF8", with_agreement),
        ("FIELD_INVALID DUPLICATE_FIELD", [&whole[..], b"\x0a\x01s"].concat()),
        ("FIELD_INVALID MALFORMED", whole[..whole.len() - 3].to_vec()),
        ("FIELD_INVALID MALFORMED", vec![0xff; 40]),
    ];
    for (expected, bytes) in cases {
        let refused = post(&parties.us, SUBMIT, office.official, &bytes).await;
        let codes: Vec<_> = violations(&refused).into_iter().map(|(_, code)| code).collect();
        let (reason_wanted, code) = expected.split_once(' ').unwrap();
        assert_eq!(told(&refused), (Code::InvalidArgument, reason_wanted.into()), "{expected}");
        assert!(codes.iter().any(|found| found == code), "{expected}, but {codes:?}");
    }
    let large = Submission { language: "x".repeat(1024 * 1024), ..good() };
    let refused = office.client.submit_message(office.request(request("r", large))).await.unwrap_err();
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused:?}");
    ledger_holds(&parties.us, 0).await;
    office.submit("r", 0).await.unwrap();
    ledger_holds(&parties.us, 1).await;
}

/// A submission whose body holds a field that nobody knows.
fn unknown_inside(submission: &Submission) -> Vec<u8> {
    let mut body = submission.body.clone().unwrap().encode_to_vec();
    body.extend(b"\xfa\x7f\x01x");
    let mut inner = Submission { body: None, ..submission.clone() }.encode_to_vec();
    prost::encoding::encode_key(5, prost::encoding::WireType::LengthDelimited, &mut inner);
    prost::encoding::encode_varint(body.len() as u64, &mut inner);
    inner.extend(body);
    let mut outer = b"\x0a\x01r\x12".to_vec();
    prost::encoding::encode_varint(inner.len() as u64, &mut outer);
    outer.extend(inner);
    outer
}

#[tokio::test(flavor = "multi_thread")]
async fn names_cursors_tokens_and_purposes_are_judged() {
    let (parties, _daemon, mut office) = us_alone().await;
    let message = office.submit("r", 0).await.unwrap();
    let full = i32::from(MessageView::Full);
    let duties = i32::from(Purpose::AssessDutiesTaxes);
    for (name, view, purpose, code, expected) in [
        ("messages/00000000-0000-8000-8000-000000000000", 0, 0, Code::NotFound, "MESSAGE_NOT_FOUND"),
        ("messages/1", 0, 0, Code::InvalidArgument, "NAME_MALFORMED"),
        (&message.name.to_uppercase(), 0, 0, Code::InvalidArgument, "NAME_MALFORMED"),
        (&message.case, 0, 0, Code::InvalidArgument, "NAME_MALFORMED"),
        ("", 0, 0, Code::InvalidArgument, "FIELD_INVALID"),
        (&message.name, full, 0, Code::InvalidArgument, "PURPOSE_REQUIRED"),
        (&message.name, full, i32::from(Purpose::Other), Code::PermissionDenied, "CONSENT_REQUIRED"),
        (&message.name, full, 99, Code::InvalidArgument, "FIELD_INVALID"),
        (&message.name, 99, duties, Code::InvalidArgument, "FIELD_INVALID"),
    ] {
        let get = office.request(GetMessageRequest { name: name.to_owned(), view, purpose });
        assert_eq!(
            told(&office.client.get_message(get).await.unwrap_err()),
            (code, expected.into()),
            "{name} {view} {purpose}"
        );
    }
    let unnamed = Request::new(GetMessageRequest { name: message.name.clone(), view: full, purpose: duties });
    assert_eq!(reason(&office.client.get_message(unnamed).await.unwrap_err()), "OFFICIAL_REQUIRED");

    let heartbeat = office.feed("", 0).await;
    assert!(heartbeat.is_empty());
    for cursor in ["x", "00000000-1", "-", "zzzzzzzz-zz", &"1".repeat(60)] {
        let watch = WatchMessagesRequest { cursor: cursor.to_owned(), ..WatchMessagesRequest::default() };
        let refused = office.client.watch_messages(office.request(watch)).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, "CURSOR_UNKNOWN".into()), "{cursor}");
        let request =
            AcknowledgeMessagesRequest { cursor: cursor.to_owned(), ..AcknowledgeMessagesRequest::default() };
        let refused = office.client.acknowledge_messages(office.request(request)).await.unwrap_err();
        assert_eq!(reason(&refused), "CURSOR_UNKNOWN", "{cursor}");
    }
    let watch = WatchMessagesRequest {
        kinds: vec![FeedKind::Received.into(), 99],
        ..WatchMessagesRequest::default()
    };
    assert_eq!(
        reason(&office.client.watch_messages(office.request(watch)).await.unwrap_err()),
        "FIELD_INVALID"
    );
    for (names, expected) in [
        (vec![], "REQUIRED"),
        (vec![message.name.clone()], "NOT_RECEIVED"),
        (vec!["messages/00000000-0000-8000-8000-000000000000".to_owned()], "MESSAGE_NOT_FOUND"),
        (vec![message.name.clone(); 1001], "FIELD_INVALID"),
    ] {
        let request = AcknowledgeMessagesRequest { names, cursor: String::new() };
        assert_eq!(
            reason(&office.client.acknowledge_messages(office.request(request)).await.unwrap_err()),
            expected
        );
    }
    let page = |page_token: &str, page_size, case: &str| ListMessagesRequest {
        page_token: page_token.into(),
        page_size,
        case: case.into(),
        ..ListMessagesRequest::default()
    };
    for (request, expected) in [
        (page("ff-0011223344556677", 0, ""), "PAGE_TOKEN_UNKNOWN"),
        (page("x", 0, ""), "PAGE_TOKEN_UNKNOWN"),
        (page("", -1, ""), "FIELD_INVALID"),
        (page("", 0, "cases/none"), "NAME_MALFORMED"),
    ] {
        assert_eq!(
            reason(&office.client.list_messages(office.request(request)).await.unwrap_err()),
            expected
        );
    }
    office.submit("r2", 1).await.unwrap();
    let most = office.request(page("", i32::MAX, ""));
    let most = office.client.list_messages(most).await.unwrap().into_inner();
    assert_eq!(most.messages.len(), 2, "more than the most is the most");
    let list = office.request(page("", 1, ""));
    let token = office.client.list_messages(list).await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    let other = office.request(page(&token, 1, &message.case));
    assert_eq!(reason(&office.client.list_messages(other).await.unwrap_err()), "PAGE_TOKEN_UNKNOWN");
    // What Article 3.1 denied is on record, and nothing else.
    let after = status(&parties.us).await;
    assert_eq!((after.sealed_sequence, after.ledger_size), (2, 3 + 2 + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_means_one_message_for_ever() {
    let (parties, daemon, mut office) = us_alone().await;
    let first = office.submit("r", 0).await.unwrap();
    assert_eq!(office.submit("r", 0).await.unwrap(), first);
    type Change = fn(&mut Submission);
    let changes: [Change; 4] = [
        |other| other.body = submission(1).body,
        |other| other.case = submission(1).case,
        |other| other.language = "ru".into(),
        |other| other.in_reply_to = "messages/00000000-0000-8000-8000-000000000000".into(),
    ];
    for change in changes {
        let mut other = good();
        change(&mut other);
        let refused = office.client.submit_message(office.request(request("r", other))).await.unwrap_err();
        assert_eq!(told(&refused), (Code::AlreadyExists, "REQUEST_ID_REUSED".into()));
    }
    let other_official = for_official("US-DO-0015", request("r", good()));
    assert_eq!(reason(&office.client.submit_message(other_official).await.unwrap_err()), "REQUEST_ID_REUSED");
    ledger_holds(&parties.us, 1).await;
    drop(daemon);
    let _daemon = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    assert_eq!(office.submit("r", 0).await.unwrap(), first);
    let mut other = good();
    changes[0](&mut other);
    let refused = office.client.submit_message(office.request(request("r", other))).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    assert_eq!(status(&parties.us).await.sealed_sequence, 1);
}
