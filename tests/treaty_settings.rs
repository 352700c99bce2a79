//! What is in force between the Parties: dates by two persons, officials by the heads' lists, settings by directives of both
//! heads (Articles 2.1, 6.1, 11 and 12).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::DesignationStanding as Standing;
use article6::backoffice::v1::{DeliveryState, OrderState, TreatyPhase};
use article6::wire::assistance::v1::body::Content;
use article6::wire::assistance::v1::{
    Accord, AccordType, Body, Consultation, DesignationNotice, DesignationScope, Official, Settings,
};
use article6::wire::ledger::v1::order::Action;
use article6::wire::ledger::v1::{ReleaseHold, TreatyDates};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use support::bundles::article6;
use support::parties::{Office, Parties, log, reason, serve, until, violations};
use support::treaty::{Chancery, Heads, administrators, prepare_heads, spontaneous, submit_body};

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

fn days_ago(days: i64) -> String {
    today().checked_sub(days.days()).unwrap().to_string()
}

fn dates(notified: i64, terminated: Option<i64>) -> Action {
    Action::TreatyDates(TreatyDates {
        notified_on: days_ago(notified),
        terminated_on: terminated.map(days_ago).unwrap_or_default(),
        ..TreatyDates::default()
    })
}

fn official(id: &str) -> Official {
    Official {
        id: id.into(),
        name: "DOE, Jordan".into(),
        office: "Head office".into(),
        contact: "+1 202 555 0100".into(),
        valid_from: days_ago(400),
        ..Official::default()
    }
}

fn list(version: u64, officials: Vec<Official>) -> DesignationNotice {
    DesignationNotice { list_version: version, officials, signature: None }
}

fn directive(number: u32, supersedes: u32, settings: Settings) -> Accord {
    Accord {
        r#type: AccordType::Directive.into(),
        number,
        supersedes,
        title: "Settings".into(),
        text: "The services agree.".into(),
        effective_on: days_ago(1),
        settings: Some(settings),
        ..Accord::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn article_12_dates_come_from_two_persons_at_home_and_from_nobody_else() {
    let parties = Parties::new();
    administrators(&parties.us);
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let mut chancery = Chancery::open(&parties.us).await;
    let treaty = chancery.treaty().await;
    assert_eq!((treaty.phase(), treaty.dates), (TreatyPhase::BeforeForce, None));
    office.submit("a-rehearsal", 0).await.unwrap();

    let stranger = chancery.propose("US-DO-0011", "o-0", dates(400, None)).await.unwrap_err();
    assert_eq!(reason(&stranger), "ROLE_MISSING");
    let auditor = chancery.propose("US-AU-1", "o-0", dates(400, None)).await.unwrap_err();
    assert_eq!(reason(&auditor), "ROLE_MISSING");
    let reversed = chancery.propose("US-TA-1", "o-0", dates(10, Some(20))).await.unwrap_err();
    assert_eq!(violations(&reversed)[0].1, "DATES_REVERSED");

    let proposed = chancery.propose("US-TA-1", "o-1", dates(400, Some(300))).await.unwrap();
    assert_eq!(proposed.state(), OrderState::Proposed);
    assert_eq!(chancery.treaty().await.dates, None, "a proposal has no effect");
    let again = chancery.propose("US-TA-1", "o-1", dates(400, Some(300))).await.unwrap();
    assert_eq!(again.name, proposed.name);
    let reused = chancery.propose("US-TA-1", "o-1", dates(401, None)).await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    assert_eq!(reason(&chancery.approve("US-TA-1", &proposed.name).await.unwrap_err()), "SAME_PERSON");
    assert_eq!(reason(&chancery.approve("US-AU-1", &proposed.name).await.unwrap_err()), "ROLE_MISSING");
    let approved = chancery.approve("US-TA-2", &proposed.name).await.unwrap();
    assert_eq!(approved.state(), OrderState::Approved);
    assert_eq!(reason(&chancery.approve("US-TA-2", &proposed.name).await.unwrap_err()), "ORDER_DECIDED");

    let treaty = chancery.treaty().await;
    assert_eq!(treaty.phase(), TreatyPhase::Ceased);
    assert_eq!((&treaty.dates_order, treaty.evidence_ref.as_str()), (&proposed.name, "Note 12/34"));
    let refused = office.submit("after-the-end", 0).await.unwrap_err();
    assert_eq!(reason(&refused), "AGREEMENT_CEASED");

    // A correction replaces the record; a rejected order never has an effect.
    let other = chancery.propose("US-TA-2", "o-2", dates(10, None)).await.unwrap();
    assert_eq!(chancery.reject("US-TA-1", &other.name).await.unwrap().state(), OrderState::Rejected);
    assert_eq!(chancery.treaty().await.phase(), TreatyPhase::Ceased);
    let correction = chancery.propose("US-TA-2", "o-3", dates(400, None)).await.unwrap();
    chancery.approve("US-TA-1", &correction.name).await.unwrap();
    let treaty = chancery.treaty().await;
    assert_eq!(treaty.phase(), TreatyPhase::InForce);
    assert_eq!(treaty.in_force_on, days_ago(310));
    office.submit("in-force-again", 0).await.unwrap();

    // Whatever the other Party signs, no date changes.
    let mut theirs = Office::open(&parties.kz).await;
    let consultation = Content::Consultation(Consultation {
        thread_id: uuid::Uuid::new_v8([7; 16]).to_string(),
        subject: "Notice of termination".into(),
        text: "The agreement is terminated under Article 12.3.".into(),
        ..Consultation::default()
    });
    let accord = Accord { digest: vec![1; 32].into(), ..directive(1, 0, Settings::default()) };
    submit_body(&mut theirs, "t-1", consultation).await.unwrap();
    submit_body(&mut theirs, "t-2", Content::Accord(accord)).await.unwrap();
    until(&parties.us, "both arrived", |status| status.consumed_sequence == 2).await;
    let unchanged = chancery.treaty().await;
    assert_eq!((unchanged.dates, unchanged.accords.len()), (treaty.dates.clone(), 0));

    us.stop().unwrap();
    let us = serve(&parties.us);
    let mut chancery = Chancery::open(&parties.us).await;
    let restarted = chancery.treaty().await;
    assert_eq!((restarted.dates, restarted.dates_order), (treaty.dates, correction.name.clone()));
    assert_eq!(chancery.orders("US-TA-1").await.len(), 3);
    assert_eq!(chancery.orders("US-AU-1").await.len(), 3, "an auditor sees every order");
    us.stop().unwrap();
    kz.stop().unwrap();
    let verified = article6(&["verify", parties.us.folder.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn article_6_1_only_officials_on_the_heads_list_speak_for_their_party() {
    let parties = Parties::new();
    let heads = Heads::new(&parties);
    administrators(&parties.us);
    prepare_heads(&parties.us, &heads);
    // The other Party's daemon knows no heads, so it refuses nobody: what it sends is judged where it arrives.
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut ours = Office::open(&parties.us).await;
    let mut theirs = Office::open(&parties.kz).await;
    ours.submit("before-any-list", 0).await.unwrap();
    theirs.submit("before-any-list", 0).await.unwrap();

    // This Party's own list: its daemon refuses before it seals.
    let unsigned = DesignationNotice {
        signature: heads.kz.sign_list("US", list(1, vec![official("US-DO-0011")])).signature,
        ..list(1, vec![official("US-DO-0011")])
    };
    let refused = submit_body(&mut ours, "l-0", Content::DesignationNotice(unsigned)).await.unwrap_err();
    assert_eq!(reason(&refused), "DESIGNATION_SIGNATURE");
    let first = heads.us.sign_list("US", list(1, vec![official("US-DO-0011")]));
    submit_body(&mut ours, "l-1", Content::DesignationNotice(first.clone())).await.unwrap();
    ours.official = "US-DO-0003";
    assert_eq!(reason(&ours.submit("unlisted", 0).await.unwrap_err()), "OFFICIAL_NOT_LISTED");
    ours.official = "US-DO-0011";
    ours.submit("listed", 0).await.unwrap();
    let old = submit_body(&mut ours, "l-2", Content::DesignationNotice(first)).await.unwrap_err();
    assert_eq!(reason(&old), "LIST_VERSION");
    let mut chancery = Chancery::open(&parties.us).await;
    let standing = |treaty: &article6::backoffice::v1::GetTreatyResponse, id: &str| {
        treaty.officials.iter().find(|it| it.official == id).unwrap().standing()
    };
    let treaty = chancery.treaty().await;
    assert_eq!(treaty.own_list.unwrap().list_version, 1);
    assert_eq!(standing(&treaty, "US-DO-0011"), Standing::Listed);
    assert_eq!(standing(&treaty, "US-DO-0003"), Standing::NotListed);

    // The other Party's list, and messages under each of its officials.
    let revoked = Timestamp::now().checked_sub(1.hour()).unwrap().as_second();
    let officials = vec![
        official("KZ-DO-0007"),
        Official { valid_to: days_ago(2), ..official("KZ-DO-0002") },
        Official { valid_from: days_ago(-9), ..official("KZ-DO-0004") },
        Official {
            revoked_at: Some(prost_types::Timestamp { seconds: revoked, nanos: 0 }),
            ..official("KZ-DO-0009")
        },
        Official { scope: vec![DesignationScope::Release.into()], ..official("KZ-DO-0012") },
    ];
    let notice = heads.kz.sign_list("KZ", list(3, officials));
    let forged = DesignationNotice { list_version: 4, ..notice.clone() };
    let listed = submit_body(&mut theirs, "l-1", Content::DesignationNotice(notice)).await.unwrap();
    let forged = submit_body(&mut theirs, "l-2", Content::DesignationNotice(forged)).await.unwrap();
    let older = heads.kz.sign_list("KZ", list(2, vec![official("KZ-DO-0004")]));
    let older = submit_body(&mut theirs, "l-3", Content::DesignationNotice(older)).await.unwrap();
    let mut sent = Vec::new();
    for (id, code) in [
        ("KZ-DO-0007", ""),
        ("KZ-DO-0002", "OFFICIAL_EXPIRED"),
        ("KZ-DO-0004", "OFFICIAL_NOT_YET_VALID"),
        ("KZ-DO-0009", "OFFICIAL_REVOKED"),
        ("KZ-DO-0012", "OFFICIAL_OUT_OF_SCOPE"),
    ] {
        theirs.official = id;
        sent.push((theirs.submit(&format!("under-{id}"), 0).await.unwrap().name, code));
    }
    theirs.official = "KZ-DO-0007";
    until(&parties.kz, "all is receipted", |status| status.acknowledged_sequence == 9).await;
    for (name, code) in
        sent.into_iter().chain([(listed.name, ""), (forged.name, "DESIGNATION_SIGNATURE"), (older.name, "")])
    {
        let delivery = theirs.get(&name).await.delivery.unwrap();
        let expected = if code.is_empty() { DeliveryState::Delivered } else { DeliveryState::Rejected };
        assert_eq!((delivery.state(), rejection(&delivery)), (expected, code), "{name}");
    }
    assert_eq!(chancery.treaty().await.peer_list.unwrap().list_version, 3);

    // The same judgement after a restart, from the journal alone.
    us.stop().unwrap();
    let us = serve(&parties.us);
    let mut ours = Office::open(&parties.us).await;
    ours.official = "US-DO-0003";
    assert_eq!(reason(&ours.submit("unlisted-still", 0).await.unwrap_err()), "OFFICIAL_NOT_LISTED");
    theirs.official = "KZ-DO-0002";
    let late = theirs.submit("expired-still", 0).await.unwrap();
    until(&parties.kz, "it is receipted", |status| status.acknowledged_sequence == 10).await;
    theirs.official = "KZ-DO-0007";
    assert_eq!(rejection(&theirs.get(&late.name).await.delivery.unwrap()), "OFFICIAL_EXPIRED");
    us.stop().unwrap();
    kz.stop().unwrap();
    let verified = article6(&["verify", parties.us.folder.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    assert!(!log(&parties.us).contains("KZ-DO-"), "officials are nothing for the log");
}

fn rejection(delivery: &article6::backoffice::v1::Delivery) -> &'static str {
    let name = delivery.rejection().as_str_name();
    if name == "REJECTION_REASON_UNSPECIFIED" { "" } else { &name["REJECTION_REASON_".len()..] }
}

#[tokio::test(flavor = "multi_thread")]
async fn article_11_a_directive_is_in_force_with_both_heads_and_then_on_both_sides() {
    let parties = Parties::new();
    let heads = Heads::new(&parties);
    for home in [&parties.us, &parties.kz] {
        administrators(home);
        prepare_heads(home, &heads);
    }
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut ours = Office::open(&parties.us).await;
    let mut theirs = Office::open(&parties.kz).await;
    let mut chanceries = [Chancery::open(&parties.us).await, Chancery::open(&parties.kz).await];
    let refused = submit_body(&mut ours, "s-0", spontaneous()).await.unwrap_err();
    assert_eq!(reason(&refused), "KIND_NOT_ENABLED");

    let enabling = Settings { spontaneous_information_enabled: Some(true), ..Settings::default() };
    let proposal = heads.us.sign_accord("US", directive(1, 0, enabling));
    submit_body(&mut ours, "a-1", Content::Accord(proposal.clone())).await.unwrap();
    until(&parties.kz, "the proposal arrived", |status| status.consumed_sequence == 1).await;
    for chancery in &mut chanceries {
        let treaty = chancery.treaty().await;
        assert_eq!(
            (treaty.accords.len(), treaty.directives_digest.len()),
            (0, 0),
            "one signature changes nothing"
        );
    }
    assert_eq!(reason(&submit_body(&mut ours, "s-0", spontaneous()).await.unwrap_err()), "KIND_NOT_ENABLED");
    let shown = theirs.feed("", 1).await.remove(0).1;
    let shown = theirs.get(&shown.name).await;
    assert_eq!(shown.deficiencies[0].code, "ACCORD_SIGNATURES");

    let agreed = heads.kz.sign_accord("KZ", proposal);
    submit_body(&mut theirs, "a-2", Content::Accord(agreed)).await.unwrap();
    until(&parties.us, "the accord arrived", |status| status.consumed_sequence == 1).await;
    let [a, b] = &mut chanceries;
    let (a, b) = (a.treaty().await, b.treaty().await);
    assert_eq!(a.directives_digest, b.directives_digest);
    assert_eq!((a.accords.len(), a.directives_digest.len()), (1, 32));
    assert_eq!(a.settings, b.settings);
    submit_body(&mut ours, "s-1", spontaneous()).await.unwrap();
    let status = until(&parties.kz, "it arrived", |status| status.consumed_sequence == 2).await;
    assert_eq!(status.directives_differed, 0);

    // Releases can be held by two persons, and let go on.
    let [chancery, _] = &mut chanceries;
    for (request, hold) in [("h-1", true), ("h-2", false)] {
        let action = Action::ReleaseHold(ReleaseHold { hold });
        let order = chancery.propose("US-TA-1", request, action).await.unwrap();
        chancery.approve("US-TA-2", &order.name).await.unwrap();
        let submitted = submit_body(&mut ours, &format!("s-{request}"), spontaneous()).await;
        assert_eq!(
            submitted.map_err(|status| reason(&status)).err(),
            hold.then(|| "RELEASE_HELD".to_owned())
        );
    }

    // What a directive set free another takes back; the first is replaced on both sides, also after a restart.
    let closing = directive(2, 1, Settings { wind_down_completion: Some(true), ..Settings::default() });
    let closing = heads.kz.sign_accord("KZ", heads.us.sign_accord("US", closing));
    submit_body(&mut ours, "a-3", Content::Accord(closing)).await.unwrap();
    assert_eq!(reason(&submit_body(&mut ours, "s-9", spontaneous()).await.unwrap_err()), "KIND_NOT_ENABLED");
    let sealed = support::parties::status(&parties.us).await.sealed_sequence;
    until(&parties.kz, "all arrived", |status| status.consumed_sequence == sealed).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let treaties =
        [Chancery::open(&parties.us).await.treaty().await, Chancery::open(&parties.kz).await.treaty().await];
    for treaty in &treaties {
        assert_eq!(treaty.accords.iter().map(|it| it.number).collect::<Vec<_>>(), [2]);
        assert_eq!(treaty.settings.as_ref().unwrap().wind_down_completion, Some(true));
    }
    assert_eq!(treaties[0].directives_digest, treaties[1].directives_digest);
    us.stop().unwrap();
    kz.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn article_11_another_set_of_directives_only_alerts() {
    let parties = Parties::new();
    let heads = Heads::new(&parties);
    prepare_heads(&parties.us, &heads);
    // The other Party's daemon knows no heads: for it no directive is in force.
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut ours = Office::open(&parties.us).await;
    let mut theirs = Office::open(&parties.kz).await;
    let accord = heads.us.sign_accord("US", directive(1, 0, Settings::default()));
    let accord = heads.kz.sign_accord("KZ", accord);
    submit_body(&mut ours, "a-1", Content::Accord(accord)).await.unwrap();
    let message = theirs.submit("under-none", 0).await.unwrap();
    let status = until(&parties.us, "it arrived", |status| status.consumed_sequence == 1).await;
    assert_eq!(status.directives_differed, 1);
    assert!(log(&parties.us).contains("DIRECTIVES_DIFFER"));
    until(&parties.kz, "it is receipted", |status| status.acknowledged_sequence == 1).await;
    assert_eq!(theirs.state(&message.name).await, DeliveryState::Delivered);
    us.stop().unwrap();
    kz.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn article_12_two_administrators_record_the_dates_from_the_command_line() {
    let parties = Parties::new();
    administrators(&parties.us);
    let us = serve(&parties.us);
    Office::open(&parties.us).await;
    let profile = parties.us.profile();
    let run = |arguments: &[&str]| {
        let mut all = vec!["treaty"];
        all.extend(arguments);
        all.extend(["--profile", profile.to_str().unwrap()]);
        let output = article6(&all);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let propose =
        ["propose-dates", "--notified-on", "2000-05-23", "--reason", "notes", "--official", "US-TA-1"];
    let (done, told) = run(&propose);
    assert!(!done && told.contains("EVIDENCE_REQUIRED"), "{told}");
    let (done, told) = run(&[&propose[..], &["--evidence", "Notes 12 and 34"]].concat());
    assert!(done && told.contains("PROPOSED"), "{told}");
    let name = told.split('\t').next().unwrap();
    let (done, told) = run(&["approve", name, "--reason", "compared", "--official", "US-TA-1"]);
    assert!(!done && told.contains("SAME_PERSON"), "{told}");
    let (done, told) = run(&["approve", name, "--reason", "compared", "--official", "US-TA-2"]);
    assert!(done && told.contains("APPROVED"), "{told}");
    let (done, told) = run(&["show"]);
    assert!(
        done && told.contains("in force    2000-08-21") && told.contains("review      2005-08-21"),
        "{told}"
    );
    assert!(told.contains("IN_FORCE") && told.contains("Notes 12 and 34"), "{told}");
    us.stop().unwrap();
}

#[test]
fn a_head_signs_nothing_else() {
    let parties = Parties::new();
    let heads = Heads::new(&parties);
    let close = Body { content: Some(Content::CaseClose(Default::default())) };
    assert!(heads.us.sign("US", &close).is_err());
    let accord = heads.us.sign_accord("US", directive(1, 0, Settings::default()));
    let changed = Accord { text: "Something else.".into(), ..accord };
    let refused = heads.kz.sign("KZ", &Body { content: Some(Content::Accord(changed)) });
    assert!(refused.unwrap_err().contains("have both heads sign anew"));
}
