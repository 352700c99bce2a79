//! Four eyes, and the officials' own word (requirements section 4).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::case_service_client::CaseServiceClient;
use article6::backoffice::v1::draft_service_client::DraftServiceClient;
use article6::backoffice::v1::{
    CreateDraftRequest, Draft, DraftState, GetCaseRequest, GetDraftRequest, ListDraftsRequest, Message,
    ProposeDraftRequest, ReleaseDraftRequest, ReturnDraftRequest, Submission, SubmitMessageRequest,
    UpdateDraftRequest,
};
use article6::commands::homes::Home;
use article6::commands::json::message_from_json;
use article6::crypto::Digest;
use article6::door::Dialled;
use article6::wire::assistance::v1::{Body, body::Content};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::time::Instant;
use support::parties::{Office, PATIENCE, Parties, body, case_of, edit, for_official, reason, serve};
use tonic::{Code, Request, Status};

const OFFICER: &str = "US-CO-0001";
const DESIGNATED: &str = "US-DO-0011";
const RELEASER: &str = "US-RO-0001";

/// An official's key for tokens.
struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap())
    }

    fn pem(&self) -> String {
        let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let bytes =
            (0..prefix.len()).step_by(2).map(|at| u8::from_str_radix(&prefix[at..at + 2], 16).unwrap());
        let spki: Vec<u8> = bytes.chain(self.0.public_key().as_ref().iter().copied()).collect();
        let text = STANDARD.encode(spki);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    fn token(&self, claims: Value) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(json!({"alg": "ES256", "typ": "JWT"})), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn claims(official: &str, release: &str) -> Value {
    let exp = jiff::Timestamp::now().as_second() + 60;
    json!({"sub": official, "aud": "article6/US-KZ-1997/US", "exp": exp, "release": release})
}

fn with_token<T>(official: &str, token: &str, message: T) -> Request<T> {
    let mut request = for_official(official, message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn submission(case: &str, body: Body) -> Option<Submission> {
    Some(Submission { case: case.into(), language: "en".into(), body: Some(body), ..Submission::default() })
}

struct Us {
    office: Office,
    drafts: DraftServiceClient<Dialled>,
}

impl Us {
    async fn open(home: &Home) -> Self {
        let drafts = DraftServiceClient::new(home.connect(PATIENCE).await.unwrap());
        Self { office: Office::open(home).await, drafts }
    }

    async fn create(&mut self, official: &str, id: &str, case: &str, body: Body) -> Result<Draft, Status> {
        let request = CreateDraftRequest { request_id: id.into(), submission: submission(case, body) };
        Ok(self.drafts.create_draft(for_official(official, request)).await?.into_inner().draft.unwrap())
    }

    async fn propose(&mut self, official: &str, draft: &Draft) -> Result<Draft, Status> {
        let request = ProposeDraftRequest { name: draft.name.clone(), etag: draft.etag.clone() };
        Ok(self.drafts.propose_draft(for_official(official, request)).await?.into_inner().draft.unwrap())
    }

    async fn release(
        &mut self,
        official: &str,
        token: Option<String>,
        draft: &Draft,
    ) -> Result<Message, Status> {
        let request = ReleaseDraftRequest {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            body_digest: draft.body_digest.clone(),
            case_digest: draft.case_digest.clone(),
        };
        let request = match token {
            Some(token) => with_token(official, &token, request),
            None => for_official(official, request),
        };
        Ok(self.drafts.release_draft(request).await?.into_inner().message.unwrap())
    }

    async fn get(&mut self, name: &str) -> Draft {
        let request = GetDraftRequest { name: name.into() };
        self.drafts.get_draft(for_official(RELEASER, request)).await.unwrap().into_inner().draft.unwrap()
    }
}

/// Homes in which the United States has three officials, and releases only what was reviewed.
fn reviewed(key: &Key) -> Parties {
    let parties = Parties::new();
    std::fs::write(parties.us.folder.join("releaser.pem"), key.pem()).unwrap();
    let officials = format!(
        "[[officials]]\nid = \"{OFFICER}\"\nroles = [\"CASE_OFFICER\"]\n\
         [[officials]]\nid = \"{RELEASER}\"\nroles = [\"RELEASING_OFFICER\"]\ntoken_key = \"releaser.pem\"\n\n[store]\n"
    );
    edit(&parties.us, "[store]\n", &officials);
    edit(&parties.us, "[backoffice]\n", "[backoffice]\nrelease = \"reviewed\"\n");
    parties
}

fn ordinary_request() -> Body {
    body(1)
}

/// Requirements section 4: drafted by one, proposed by the one who acts, released by a third; bound to what was reviewed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_is_exactly_what_another_official_reviewed() {
    let key = Key::new();
    let parties = reviewed(&key);
    let daemon = serve(&parties.us);
    let mut us = Us::open(&parties.us).await;
    let case = case_of("drafts", "request");

    // Four eyes cannot be gone around.
    let request =
        SubmitMessageRequest { request_id: "r".into(), submission: submission(&case, ordinary_request()) };
    let direct = us.office.client.submit_message(for_official(DESIGNATED, request)).await.unwrap_err();
    assert_eq!((direct.code(), reason(&direct).as_str()), (Code::FailedPrecondition, "RELEASE_REQUIRED"));

    // A case officer drafts, and may neither send nor release; the same request gets the same draft.
    let draft = us.create(OFFICER, "d1", &case, ordinary_request()).await.unwrap();
    assert_eq!((draft.state(), draft.version, draft.needs_release), (DraftState::Written, 1, true));
    assert_eq!(us.create(OFFICER, "d1", &case, ordinary_request()).await.unwrap().name, draft.name);
    let other = us.create(OFFICER, "d1", &case, body(0)).await.unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
    let refused = us.release(OFFICER, None, &draft).await.unwrap_err();
    assert_eq!(reason(&refused), "ROLE_MISSING");
    let early = us.release(RELEASER, None, &draft).await.unwrap_err();
    assert_eq!(reason(&early), "DRAFT_NOT_PROPOSED");

    // Somebody must act: a designated official.
    let proposed = us.propose(OFFICER, &draft).await.unwrap();
    let nobody = us.release(RELEASER, None, &proposed).await.unwrap_err();
    assert_eq!(reason(&nobody), "DESIGNATED_OFFICIAL_REQUIRED");
    let stale = us.propose(DESIGNATED, &draft).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "DRAFT_MOVED"));
    let proposed = us.propose(DESIGNATED, &proposed).await.unwrap();
    assert_eq!(proposed.acting_official, DESIGNATED);

    // It comes back with a reason, is written anew, and shows what changed.
    let back = ReturnDraftRequest {
        name: draft.name.clone(),
        etag: proposed.etag.clone(),
        reason: "say why".into(),
    };
    let back =
        us.drafts.return_draft(for_official(RELEASER, back)).await.unwrap().into_inner().draft.unwrap();
    assert_eq!((back.state(), back.return_reason.as_str()), (DraftState::Returned, "say why"));
    let mut text = ordinary_request();
    if let Some(Content::AssistanceRequest(request)) = &mut text.content {
        request.reason = "Because of doubts about the origin that the declarations raise.".into();
    }
    let update = UpdateDraftRequest {
        name: draft.name.clone(),
        etag: back.etag.clone(),
        submission: submission(&case, text.clone()),
    };
    let updated =
        us.drafts.update_draft(for_official(OFFICER, update)).await.unwrap().into_inner().draft.unwrap();
    assert_eq!(
        (updated.version, updated.changed_fields.as_slice()),
        (2, &["body.assistance_request.reason".to_owned()][..])
    );
    us.propose(DESIGNATED, &updated).await.unwrap();

    // The release is bound to the text, to the case as it was shown, and to the official's own word.
    let shown = us.get(&draft.name).await;
    let digest = Digest::from_slice(&shown.release_digest).unwrap().to_string();
    let without = us.release(RELEASER, None, &shown).await.unwrap_err();
    assert_eq!(reason(&without), "RELEASE_NOT_SIGNED");
    let of_other = key.token(claims(RELEASER, &"00".repeat(32)));
    assert_eq!(
        reason(&us.release(RELEASER, Some(of_other), &shown).await.unwrap_err()),
        "RELEASE_NOT_SIGNED"
    );
    let forged = Key::new().token(claims(RELEASER, &digest));
    assert_eq!(reason(&us.release(RELEASER, Some(forged), &shown).await.unwrap_err()), "TOKEN_REFUSED");
    let token = key.token(claims(RELEASER, &digest));
    let altered = Draft { body_digest: vec![7; 32].into(), ..shown.clone() };
    assert_eq!(reason(&us.release(RELEASER, Some(token.clone()), &altered).await.unwrap_err()), "BODY_MOVED");
    let message = us.release(RELEASER, Some(token.clone()), &shown).await.unwrap();
    assert_eq!(
        (message.acting_official.as_str(), message.releasing_official.as_str()),
        (DESIGNATED, RELEASER)
    );
    assert_eq!(
        us.release(RELEASER, Some(token), &shown).await.unwrap().name,
        message.name,
        "repeating is harmless"
    );
    let ended = us.get(&draft.name).await;
    assert_eq!((ended.state(), ended.message.as_str()), (DraftState::Released, message.name.as_str()));
    let sealed = us.office.get(&message.name).await.content.unwrap().body.unwrap();
    assert_eq!(sealed, text);

    // An urgent request may go with one official (5.1); a withdrawal needs none.
    let urgent = SubmitMessageRequest {
        request_id: "u".into(),
        submission: submission(&case_of("drafts", "u"), body(3)),
    };
    let urgent_is = matches!(&body(3).content, Some(Content::AssistanceRequest(it)) if it.urgency.as_ref().is_some_and(|it| it.level == 3));
    let sent = us.office.client.submit_message(for_official(DESIGNATED, urgent)).await;
    assert_eq!(sent.is_ok(), urgent_is, "{sent:?}");
    daemon.stop().unwrap();

    // A restart forgets no open draft and no step.
    let daemon = serve(&parties.us);
    let mut us = Us::open(&parties.us).await;
    let open = us.create(DESIGNATED, "d2", &case_of("drafts", "second"), ordinary_request()).await.unwrap();
    daemon.stop().unwrap();
    let daemon = serve(&parties.us);
    let mut us = Us::open(&parties.us).await;
    let listed = us
        .drafts
        .list_drafts(for_official(RELEASER, ListDraftsRequest {}))
        .await
        .unwrap()
        .into_inner()
        .drafts;
    assert_eq!(listed.iter().map(|draft| &draft.name).collect::<Vec<_>>(), [&open.name]);
    // Who proposes does not release, whatever other roles he has; here the one author is the one who acts.
    us.propose(DESIGNATED, &open).await.unwrap();
    daemon.stop().unwrap();
}

/// If the case has moved since the review, the release is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_refused_when_the_case_has_moved() {
    let key = Key::new();
    let parties = reviewed(&key);
    let (us_daemon, kz_daemon) = (serve(&parties.us), serve(&parties.kz));
    let mut us = Us::open(&parties.us).await;
    let mut kz = Office::open(&parties.kz).await;
    let mut cases = CaseServiceClient::new(parties.us.connect(PATIENCE).await.unwrap());
    let case = case_of("drafts", "moving");
    let say = |case: &str, id: &str, body: Body| SubmitMessageRequest {
        request_id: id.into(),
        submission: submission(case, body),
    };
    kz.client.submit_message(kz.request(say(&case, "request", ordinary_request()))).await.unwrap();
    let end = Instant::now() + PATIENCE;
    let measures = loop {
        let get = GetCaseRequest { name: case.clone() };
        if let Ok(found) = cases.get_case(for_official(DESIGNATED, get)).await {
            break found.into_inner().case.unwrap().measures;
        }
        assert!(Instant::now() < end, "the request does not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let results: Vec<Value> =
        measures.iter().map(|it| json!({"measure_id": it.measure_id, "outcome": "NOT_EXECUTED", "grounds": ["NOT_HELD"], "reasons": "none held"})).collect();
    let answer = json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "X", "results": results});
    let answer = message_from_json(&answer).unwrap().1;
    let draft = us.create(OFFICER, "answer", &case, answer).await.unwrap();
    us.propose(DESIGNATED, &draft).await.unwrap();
    let reviewed = us.get(&draft.name).await;
    let withdrawal = message_from_json(&json!({"kind": "WITHDRAWAL_NOTICE", "reason": "x"})).unwrap().1;
    kz.client.submit_message(kz.request(say(&case, "withdrawal", withdrawal))).await.unwrap();
    let end = Instant::now() + PATIENCE;
    while us.get(&draft.name).await.case_digest == reviewed.case_digest {
        assert!(Instant::now() < end, "the withdrawal does not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let digest = Digest::from_slice(&reviewed.release_digest).unwrap().to_string();
    let token = key.token(claims(RELEASER, &digest));
    let refused = us.release(RELEASER, Some(token), &reviewed).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "CASE_MOVED"));
    let now = us.get(&draft.name).await;
    assert_eq!(now.deficiencies[0].code, "STATE_FORBIDS", "the review shows that it no longer fits");
    us_daemon.stop().unwrap();
    kz_daemon.stop().unwrap();
}

/// A client that is not trusted to name officials shows their tokens.
#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_client_needs_the_officials_own_token_for_each_call() {
    let key = Key::new();
    let parties = Parties::new();
    std::fs::write(parties.us.folder.join("official.pem"), key.pem()).unwrap();
    let official = format!("id = \"{DESIGNATED}\"\n");
    edit(&parties.us, &official, &format!("{official}token_key = \"official.pem\"\n"));
    edit(&parties.us, "officials = [\"*\"]\n", "officials = [\"*\"]\ntrusted = false\n");
    let daemon = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    let list = article6::backoffice::v1::ListMessagesRequest::default;
    let bare = office.client.list_messages(for_official(DESIGNATED, list())).await.unwrap_err();
    assert_eq!((bare.code(), reason(&bare).as_str()), (Code::Unauthenticated, "TOKEN_REQUIRED"));
    let token = key.token(claims(DESIGNATED, ""));
    office.client.list_messages(with_token(DESIGNATED, &token, list())).await.unwrap();
    let of_another = key.token(claims("US-DO-0012", ""));
    let mut expired = claims(DESIGNATED, "");
    expired["exp"] = json!(1);
    for wrong in [of_another, key.token(expired), Key::new().token(claims(DESIGNATED, "")), "x.y.z".into()] {
        let refused = office.client.list_messages(with_token(DESIGNATED, &wrong, list())).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "TOKEN_REFUSED"));
    }
    daemon.stop().unwrap();
}

/// The command line takes a draft the same way.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_writes_proposes_and_releases() {
    let pkcs8 = article6::crypto::keyfile::generate_p256().unwrap();
    let random = SystemRandom::new();
    let key = Key(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random).unwrap());
    let parties = reviewed(&key);
    let private = parties.us.folder.join("releaser.key");
    std::fs::write(&private, article6::crypto::keyfile::to_pem(&pkcs8).unwrap().as_bytes()).unwrap();
    let daemon = serve(&parties.us);
    let _ready = Us::open(&parties.us).await;
    let profile = parties.us.profile();
    let draft = |arguments: &[&str], official: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_article6"));
        command
            .arg("draft")
            .args(arguments)
            .args(["--official", official, "--json", "--profile"])
            .arg(&profile);
        let output = command.output().unwrap();
        let text =
            String::from_utf8(if output.status.success() { output.stdout } else { output.stderr }).unwrap();
        (
            output.status.success(),
            serde_json::from_str::<Value>(text.lines().next().unwrap_or("null")).unwrap(),
        )
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/02_origin_verification.json");
    let (_, created) = draft(&["create", file], OFFICER);
    let name = created["name"].as_str().unwrap().to_owned();
    assert_eq!(created["state"], "WRITTEN");
    let (_, proposed) = draft(&["propose", &name], DESIGNATED);
    assert_eq!((&proposed["state"], &proposed["acting_official"]), (&json!("PROPOSED"), &json!(DESIGNATED)));
    let (released, refused) = draft(&["release", &name], RELEASER);
    assert!(!released && refused.to_string().contains("RELEASE_NOT_SIGNED"), "{refused}");
    let (released, message) = draft(&["release", &name, "--token-key", private.to_str().unwrap()], RELEASER);
    assert!(released && message["releasing_official"] == RELEASER, "{message}");
    daemon.stop().unwrap();
}
