//! Outages: what is submitted while the other Party cannot be reached waits, goes through in order and once, whatever
//! is killed meanwhile; and no planned stop or renewal loses anything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::{
    DeliveryState, ListMessagesRequest, Message, WatchMessagesRequest, WatchMessagesResponse,
};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use support::bad_certificates::Authority;
use support::parties::{
    Office, PATIENCE, Parties, dial_with, edit, log, own_backoffice, reason, serve, signal, until,
};
use tonic::Code;

const MESSAGES: usize = 300;

/// Names of all messages in a state, by its list.
async fn listed(office: &mut Office, state: DeliveryState) -> Vec<Message> {
    let (mut messages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListMessagesRequest {
            page_size: 100,
            page_token,
            delivery_state: state.into(),
            ..ListMessagesRequest::default()
        };
        let page = office.client.list_messages(office.request(request)).await.unwrap().into_inner();
        messages.extend(page.messages);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return messages;
        }
    }
}

async fn stalled(office: &mut Office, name: &str) -> Message {
    let end = Instant::now() + PATIENCE;
    loop {
        let message = office.get(name).await;
        match message.delivery.as_ref().unwrap().state() {
            DeliveryState::Stalled => return message,
            DeliveryState::Queued if Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(50)).await
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_wait_for_the_other_party_and_arrive_in_order_and_once() {
    let parties = Parties::new();
    edit(&parties.us, "counterparty = \"KZ\"", "counterparty = \"KZ\"\nstalled_after = \"1s\"");
    let us = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    let mut names = Vec::new();
    for number in 0..MESSAGES {
        let message = office.submit(&format!("message-{number}"), number % 7).await.unwrap();
        assert_eq!(message.delivery.as_ref().unwrap().state(), DeliveryState::Queued);
        assert_eq!(message.sequence, number as u64 + 1);
        names.push(message.name);
    }
    let first = stalled(&mut office, &names[0]).await;
    assert_eq!(first.delivery.unwrap().stalled_reason, "PEER_UNREACHABLE");
    stalled(&mut office, &names[MESSAGES - 1]).await;
    assert_eq!(listed(&mut office, DeliveryState::Stalled).await.len(), MESSAGES);

    // Each side is killed in the middle of it, more than once.
    let mut kz = serve(&parties.kz);
    until(&parties.kz, "messages arrive", |status| status.consumed_sequence > 0).await;
    drop(kz);
    kz = serve(&parties.kz);
    drop(us);
    let mut us = serve(&parties.us);
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(us);
    drop(kz);
    (us, kz) = (serve(&parties.us), serve(&parties.kz));
    until(&parties.us, "all have their receipts", |status| status.acknowledged_sequence == MESSAGES as u64)
        .await;

    let mut office = Office::open(&parties.us).await;
    assert_eq!(listed(&mut office, DeliveryState::Delivered).await.len(), MESSAGES);
    for (number, name) in names.iter().enumerate().step_by(37) {
        // Repeated after everything, the submission still means the same message.
        assert_eq!(&office.submit(&format!("message-{number}"), number % 7).await.unwrap().name, name);
    }
    let mut far = Office::open(&parties.kz).await;
    let mut arrived = far.feed("", 120).await;
    let cursor = arrived[119].0.clone();
    drop(kz);
    let _kz = serve(&parties.kz);
    let mut far = Office::open(&parties.kz).await;
    arrived.extend(far.feed(&cursor, MESSAGES - 120).await);
    let sequences: Vec<_> = arrived.iter().map(|(_, message)| message.sequence).collect();
    assert_eq!(sequences, (1..=MESSAGES as u64).collect::<Vec<_>>());
    assert!(arrived.is_sorted_by(|(_, one), (_, other)| one.position < other.position));
    assert_eq!(
        arrived.iter().map(|(_, message)| &message.name).collect::<Vec<_>>(),
        names.iter().collect::<Vec<_>>()
    );
    // A feed from the beginning shows the same at the same places.
    assert_eq!(
        far.feed("", MESSAGES).await.into_iter().map(|(_, message)| message.position).collect::<Vec<_>>(),
        arrived.iter().map(|(_, message)| message.position).collect::<Vec<_>>()
    );
    for home in [&parties.us, &parties.kz] {
        assert!(!log(home).contains("panicked"), "{}", log(home));
    }
    drop(us);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_under_traffic_without_a_loss() {
    let parties = Parties::new();
    let mut authority = Authority::new("back office");
    own_backoffice(&parties.us, &mut authority);
    let (us, _kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let certificate = parties.us.certs().join("backoffice.pem");
    let key = parties.us.certs().join("backoffice.key");
    for number in 0..100 {
        if number % 10 == 5 {
            let renewed = authority.good("back-office door");
            std::fs::write(&certificate, &renewed.certificate).unwrap();
            std::fs::write(&key, &renewed.key).unwrap();
            signal(&us, Signal::HUP);
        }
        if number == 50 {
            // Half a renewal: the old pair stays in force.
            std::fs::write(&key, "no key").unwrap();
            signal(&us, Signal::HUP);
            let end = Instant::now() + PATIENCE;
            while !log(&parties.us).contains("the old ones stay in force") {
                assert!(Instant::now() < end, "{}", log(&parties.us));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let message = office.submit(&format!("message-{number}"), number % 7).await.unwrap();
        assert_eq!(message.sequence, number as u64 + 1);
    }
    let end = Instant::now() + PATIENCE;
    let newest =
        article6::crypto::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap().key_id();
    loop {
        let shown = dial_with(parties.us.ports[1], parties.us.client_files("backoffice", "backoffice"))
            .await
            .unwrap();
        if shown.server_key() == newest {
            break;
        }
        assert!(Instant::now() < end, "{}", log(&parties.us));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until(&parties.us, "all are delivered", |status| status.acknowledged_sequence == 100).await;
    let log = log(&parties.us);
    assert_eq!(log.matches(": ready ").count(), 1, "no restart: {log}");
    assert_eq!(log.matches("the channel is open").count(), 1, "the channel was not interrupted: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_with_open_feeds_ends_in_time_and_the_cursor_goes_on() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let mut far = Office::open(&parties.kz).await;
    let watch = far.request(WatchMessagesRequest::default());
    let mut feed = far.client.watch_messages(watch).await.unwrap().into_inner();
    office.submit("before", 0).await.unwrap();
    let item: WatchMessagesResponse = feed.message().await.unwrap().unwrap();
    let begun = Instant::now();
    signal(&kz, Signal::TERM);
    let ended = tokio::time::timeout(PATIENCE, feed.message()).await.unwrap().unwrap_err();
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unavailable, "STOPPING"));
    tokio::task::spawn_blocking(|| kz.stop()).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    office.submit("between", 0).await.unwrap();
    let _kz = serve(&parties.kz);
    let mut far = Office::open(&parties.kz).await;
    let rest = far.feed(&item.cursor, 1).await;
    assert_eq!((item.message.unwrap().sequence, rest[0].1.sequence), (1, 2));
    // A daemon that has messages waiting stops as well.
    drop(_kz);
    office.submit("after", 0).await.unwrap();
    let begun = Instant::now();
    tokio::task::spawn_blocking(|| us.stop()).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
