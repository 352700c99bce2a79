//! Cases over two daemons: what officials see of them, and that neither side moves the other's part (Articles 3 to 9).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::case_service_client::CaseServiceClient;
use article6::backoffice::v1::{
    Case, CaseFilter, CaseState, CompareConfirmationRequest, FeedKind, GetCaseRequest, ListCasesRequest,
    Message, Submission, SubmitMessageRequest, SummarizeCasesRequest, ValidateMessageRequest,
    WatchMessagesRequest,
};
use article6::commands::json::message_from_json;
use article6::crypto::Digest;
use article6::wire::assistance::v1::{Body, Purpose};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::parties::{Office, PATIENCE, Parties, body, case_of, for_official, reason, serve, violations};
use tonic::{Code, Status};

const NOTE: usize = 2;
const CONFIRMATION: usize = 3;

struct Side {
    office: Office,
    cases: CaseServiceClient<article6::door::Dialled>,
}

impl Side {
    async fn open(home: &article6::commands::homes::Home) -> Self {
        let cases = CaseServiceClient::new(home.connect(PATIENCE).await.unwrap());
        Self { office: Office::open(home).await, cases }
    }

    async fn say(&mut self, case: &str, body: Body) -> Result<Message, Status> {
        let request_id = format!("r-{}", uuid::Uuid::now_v7());
        let submission = Some(Submission {
            case: case.into(),
            language: "en".into(),
            body: Some(body),
            ..Submission::default()
        });
        let request = self.office.request(SubmitMessageRequest { request_id, submission });
        Ok(self.office.client.submit_message(request).await?.into_inner().message.unwrap())
    }

    async fn case(&mut self, name: &str) -> Option<Case> {
        let request = for_official(self.office.official, GetCaseRequest { name: name.into() });
        match self.cases.get_case(request).await {
            Ok(found) => found.into_inner().case,
            Err(status) => {
                assert_eq!(reason(&status), "CASE_NOT_FOUND");
                None
            }
        }
    }

    async fn listed(&mut self, filter: CaseFilter) -> Vec<String> {
        let request = ListCasesRequest { filter: filter.into(), ..ListCasesRequest::default() };
        let page = self.cases.list_cases(for_official(self.office.official, request)).await.unwrap();
        page.into_inner().cases.into_iter().map(|case| case.name).collect()
    }

    async fn until(&mut self, name: &str, what: &str, wanted: impl Fn(&Case) -> bool) -> Case {
        let end = Instant::now() + PATIENCE;
        loop {
            let case = self.case(name).await;
            if let Some(case) = case.as_ref().filter(|case| wanted(case)) {
                return case.clone();
            }
            assert!(Instant::now() < end, "{what}: {case:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A body as JSON, in the form of the examples.
fn says(value: Value) -> Body {
    message_from_json(&value).unwrap().1
}

fn close(case: &Case) -> Body {
    let seen = Digest::from_slice(&case.last_envelope_seen).unwrap().to_string();
    says(json!({"kind": "CASE_CLOSE", "last_envelope_seen": seen}))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oral_request_is_confirmed_answered_and_closed_by_both_sides() {
    let parties = Parties::new();
    let (us_daemon, kz_daemon) = (serve(&parties.us), serve(&parties.kz));
    let (mut us, mut kz) = (Side::open(&parties.us).await, Side::open(&parties.kz).await);
    let name = case_of("cases", "oral");

    // Who requests stands in the note, whoever kept it.
    let note = body(NOTE);
    kz.say(&name, note).await.unwrap();
    let case = us.until(&name, "the note arrives", |case| case.state() == CaseState::Submitted).await;
    let (requesting, requested) = (case.requesting_party.clone(), case.requested_party.clone());
    assert_eq!(case.obligations[0].kind, "ORAL_CONFIRMATION");
    assert_eq!(
        (case.obligations[0].owner.as_str(), case.obligations[0].article.as_str()),
        (requesting.as_str(), "5.1")
    );
    let (rq, rd) = if requesting == "US" { (&mut us, &mut kz) } else { (&mut kz, &mut us) };

    // Nothing stands in the way of acting before the confirmation; the case stays open until it is there.
    rd.until(&name, "the case is known", |case| case.state() == CaseState::Submitted).await;
    let wrong = rq.say(
        &name,
        says(json!({"kind": "ACCEPTANCE_NOTICE", "requested_ref": "X", "contact_official_id": "A-1"})),
    );
    let wrong = wrong.await.unwrap_err();
    assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::FailedPrecondition, "OTHER_SIDES_PART"));
    assert_eq!(violations(&wrong)[0].0, "submission.body.acceptance_notice");
    rd.say(
        &name,
        says(json!({"kind": "ACCEPTANCE_NOTICE", "requested_ref": "X", "contact_official_id": "A-1"})),
    )
    .await
    .unwrap();
    let open = rq.until(&name, "accepted", |case| case.state() == CaseState::Executing).await;
    assert!(open.waits_for_them && !open.measures.is_empty(), "{open:?}");
    let due: Vec<_> = open.due.iter().map(|due| (due.what.as_str(), due.overdue)).collect();
    assert_eq!(due, [("ORAL_CONFIRMATION", false), ("FINAL_ANSWER", false)]);

    // 7.7: a final answer that leaves a measure out is refused, with the field.
    let thin = json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "X", "results": [
        {"measure_id": open.measures[0].measure_id, "outcome": "EXECUTED", "text": "done"}]});
    let measures: Vec<Value> = open
        .measures
        .iter()
        .map(|measure| json!({"measure_id": measure.measure_id, "outcome": "EXECUTED", "text": "done"}))
        .collect();
    if measures.len() > 1 {
        let refused = rd.say(&name, says(thin)).await.unwrap_err();
        assert_eq!(
            violations(&refused)[0],
            ("submission.body.response.results".into(), "MEASURE_UNDISPOSED".into())
        );
    }
    let full = json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "X", "results": measures});
    rd.say(&name, says(full)).await.unwrap();
    let answered = rq.until(&name, "answered", |case| case.state() == CaseState::Answered).await;
    let early = rq.say(&name, close(&answered)).await.unwrap_err();
    assert_eq!(reason(&early), "OBLIGATION_OPEN");

    // The confirmation comes late and says more: the requested official sees the difference.
    rq.say(&name, body(CONFIRMATION)).await.unwrap();
    let confirmed = rd.until(&name, "confirmed", |case| case.obligations.is_empty()).await;
    assert_eq!(confirmed.state(), CaseState::Answered);
    let compare =
        CompareConfirmationRequest { name: name.clone(), purpose: Purpose::AdministrativeProceeding.into() };
    let compared =
        rd.cases.compare_confirmation(for_official(rd.office.official, compare)).await.unwrap().into_inner();
    assert!(compared.differences.iter().any(|it| it.field.starts_with("measures[")), "{compared:?}");
    let unread = CompareConfirmationRequest { name: name.clone(), purpose: 0 };
    let unread = rd.cases.compare_confirmation(for_official(rd.office.official, unread)).await.unwrap_err();
    assert_eq!(reason(&unread), "PURPOSE_REQUIRED");

    rd.say(&name, close(&confirmed)).await.unwrap();
    assert!(rd.listed(CaseFilter::WaitsForThem).await.contains(&name));
    let half = rq.until(&name, "one side has closed", |case| !case.closed_by.is_empty()).await;
    assert_eq!((half.closed, half.closed_by.as_slice()), (false, &[requested][..]));
    assert!(rq.listed(CaseFilter::WaitsForUs).await.contains(&name));
    rq.say(&name, close(&half)).await.unwrap();
    for side in [rq, rd] {
        let closed = side.until(&name, "closed", |case| case.closed).await;
        let acts: Vec<_> = closed.history.iter().map(|step| step.effect.clone().unwrap().act).collect();
        assert_eq!(acts.len(), 6, "{acts:?}");
        assert!(closed.history.iter().all(|step| step.effect.as_ref().unwrap().crossed_code.is_empty()));
        assert_eq!(side.listed(CaseFilter::Closed).await, std::slice::from_ref(&name));
        assert!(
            side.listed(CaseFilter::Open).await.is_empty()
                && side.listed(CaseFilter::WaitsForUs).await.is_empty()
        );
        assert_eq!(side.listed(CaseFilter::Answered).await, std::slice::from_ref(&name));
    }
    let summary = us.cases.summarize_cases(for_official(us.office.official, SummarizeCasesRequest {})).await;
    let summary = summary.unwrap().into_inner();
    let count = |filter: CaseFilter| summary.counts.iter().find(|it| it.filter() == filter).unwrap().count;
    assert_eq!([CaseFilter::Unspecified, CaseFilter::Closed, CaseFilter::Open].map(count), [1, 1, 0]);
    assert!(summary.overdue.is_empty() && !summary.truncated);
    us_daemon.stop().unwrap();
    kz_daemon.stop().unwrap();
}

/// An answer that a withdrawal crosses is kept, without effect, and shown again to both officials.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_a_withdrawal_crosses_is_shown_as_crossed_to_both() {
    let parties = Parties::new();
    let (us_daemon, kz_daemon) = (serve(&parties.us), serve(&parties.kz));
    let (mut us, mut kz) = (Side::open(&parties.us).await, Side::open(&parties.kz).await);
    let name = case_of("cases", "crossing");
    us.say(&name, body(0)).await.unwrap();
    let case = kz.until(&name, "the request arrives", |case| case.state() == CaseState::Submitted).await;
    // The answer is sealed at a daemon that cannot reach the other, and so is the withdrawal.
    us_daemon.stop().unwrap();
    let measures: Vec<Value> = case
        .measures
        .iter()
        .map(|it| json!({"measure_id": it.measure_id, "outcome": "NOT_EXECUTED", "grounds": ["NOT_HELD"], "reasons": "nothing is held"}))
        .collect();
    let answer =
        says(json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "X", "results": measures}));
    let answer = kz.say(&name, answer).await.unwrap();
    assert_eq!(kz.case(&name).await.unwrap().state(), CaseState::Answered);
    kz_daemon.stop().unwrap();
    let us_daemon = serve(&parties.us);
    let mut us = Side::open(&parties.us).await;
    us.say(&name, says(json!({"kind": "WITHDRAWAL_NOTICE", "reason": "settled otherwise"}))).await.unwrap();
    let kz_daemon = serve(&parties.kz);
    let mut kz = Side::open(&parties.kz).await;
    for side in [&mut us, &mut kz] {
        let case = side
            .until(&name, "both know both", |case| {
                case.history.len() == 3 && case.state() == CaseState::Withdrawn
            })
            .await;
        assert_eq!(case.crossed_messages, 1);
        let crossed = case.history.iter().find(|step| step.message == answer.name).unwrap();
        assert_eq!(crossed.effect.as_ref().unwrap().crossed_code, "STATE_FORBIDS");
        assert_eq!(side.listed(CaseFilter::Crossed).await, std::slice::from_ref(&name));
    }
    // The feed of the side that had been answered shows its own answer again, as revised.
    let kinds = vec![FeedKind::Revised.into()];
    let request = WatchMessagesRequest { kinds, ..WatchMessagesRequest::default() };
    let mut feed = kz.office.client.watch_messages(kz.office.request(request)).await.unwrap().into_inner();
    let revised = loop {
        let item = feed.message().await.unwrap().unwrap();
        if let Some(message) = item.message {
            break message;
        }
    };
    assert_eq!(revised.name, answer.name);
    assert_eq!(revised.case_effect.unwrap().crossed_code, "STATE_FORBIDS");
    us_daemon.stop().unwrap();
    kz_daemon.stop().unwrap();
}

/// The same check without sending, and the same refusal; a request_id keeps its answer although the case has moved on.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_judged_before_it_is_sealed_and_its_answer_stays() {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    let mut us = Side::open(&parties.us).await;
    let name = case_of("cases", "judged");
    let submission = |body: Body| {
        Some(Submission {
            case: name.clone(),
            language: "en".into(),
            body: Some(body),
            ..Submission::default()
        })
    };
    let first = SubmitMessageRequest { request_id: "first".into(), submission: submission(body(0)) };
    let sealed =
        us.office.client.submit_message(us.office.request(first.clone())).await.unwrap().into_inner();
    let withdrawal = says(json!({"kind": "WITHDRAWAL_NOTICE", "reason": "x"}));
    us.say(&name, withdrawal.clone()).await.unwrap();
    let again = us.office.client.submit_message(us.office.request(first)).await.unwrap().into_inner();
    assert_eq!(sealed, again);
    let validate = ValidateMessageRequest { submission: submission(withdrawal.clone()) };
    let validated = us.office.client.validate_message(us.office.request(validate)).await.unwrap_err();
    let submitted = us.say(&name, withdrawal).await.unwrap_err();
    assert_eq!((reason(&validated), reason(&submitted)), ("STATE_FORBIDS".into(), "STATE_FORBIDS".into()));
    assert_eq!(us.case(&name).await.unwrap().history.len(), 2, "nothing was kept of what was refused");
    // Two that exclude each other at once: one of them has its place, and the other is told.
    let race = case_of("cases", "race");
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (home, race) = (parties.us.clone(), race.clone());
        all.spawn(async move { Side::open(&home).await.say(&race, body(0)).await });
    }
    let mut taken = 0;
    for answer in all.join_all().await {
        match answer {
            Ok(_) => taken += 1,
            Err(status) => assert_eq!(reason(&status), "CASE_EXISTS"),
        }
    }
    assert_eq!(taken, 1);
    daemon.stop().unwrap();
}

/// Articles 1.2 and 3.3: the name of the day, and the receiver's own marking, also with what is exported.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_shows_the_services_name_and_the_receivers_marking() {
    let parties = Parties::new();
    let rows = "highest_marking = \"TOP\"\n\n\
        [[service_names]]\nparty = \"US\"\nfrom = \"1789-07-31\"\nname = \"The old service\"\n\
        [[service_names]]\nparty = \"US\"\nfrom = \"2003-03-01\"\nname = \"The new service\"\n\
        [[service_names]]\nparty = \"US\"\nfrom = \"2999-01-01\"\nname = \"A later service\"\n\
        [[markings]]\nkind = \"ASSISTANCE_REQUEST\"\nconfidential = false\nmarking = \"OFFICIAL\"\n";
    let text = std::fs::read_to_string(parties.kz.config()).unwrap();
    let rows = match text.contains("[treaty]\n") {
        true => text.replace("[treaty]\n", &format!("[treaty]\n{rows}\n")),
        false => format!("{text}\n[treaty]\n{rows}"),
    };
    std::fs::write(parties.kz.config(), rows).unwrap();
    let (us_daemon, kz_daemon) = (serve(&parties.us), serve(&parties.kz));
    let (mut us, mut kz) = (Side::open(&parties.us).await, Side::open(&parties.kz).await);
    // The first example asks for confidentiality, which the table does not know; the second does not.
    for (fixture, marking, unmapped) in [(0, "TOP", true), (1, "OFFICIAL", false)] {
        let name = case_of("cases", &format!("marked {fixture}"));
        let sent = us.say(&name, body(fixture)).await.unwrap();
        assert!(sent.marking.is_empty(), "this Party's own message is its own");
        kz.until(&name, "the request arrives", |case| case.state() == CaseState::Submitted).await;
        let received = kz.office.get(&sent.name).await;
        assert_eq!((received.marking.as_str(), received.marking_unmapped), (marking, unmapped));
        assert_eq!(received.sender_service[0].name, "The new service");
    }
    us_daemon.stop().unwrap();
    kz_daemon.stop().unwrap();
}
