//! Keys and certificates change while the daemon runs: all that the configuration names, or none of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::message_service_client::MessageServiceClient;
use article6::backoffice::v1::{DeliveryState, ListMessagesRequest, WatchMessagesRequest};
use article6::commands::homes::Home;
use article6::operations::v1::operations_service_client::OperationsServiceClient;
use article6::operations::v1::{ReloadCertificatesRequest, ReloadCertificatesResponse};
use rustix::process::Signal;
use std::fs;
use std::time::{Duration, Instant};
use support::bad_certificates::{Authority, When};
use support::parties::{
    Office, PATIENCE, Parties, dial_with, for_official, log, own_backoffice, reason, serve, signal, status,
    until,
};
use tonic::{Code, Status};

async fn reload(home: &Home) -> Result<ReloadCertificatesResponse, Status> {
    let dialled = dial_with(home.ports[2], home.client_files("operations", "operations")).await.unwrap();
    let answer =
        OperationsServiceClient::new(dialled).reload_certificates(ReloadCertificatesRequest {}).await;
    Ok(answer?.into_inner())
}

async fn list(office: &mut Office) -> Result<(), Status> {
    office.client.list_messages(office.request(ListMessagesRequest::default())).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_known_by_the_certificate_its_file_holds_now() {
    let parties = Parties::new();
    let (home, certs) = (&parties.us, parties.us.certs());
    let daemon = serve(home);
    let mut office = Office::open(home).await;
    let watch = office.request(WatchMessagesRequest::default());
    let mut feed = office.client.watch_messages(watch).await.unwrap().into_inner();
    list(&mut office).await.unwrap();

    let [second, key, authority] = home.client_files("second", "backoffice");
    fs::copy(&second, certs.join("client-backoffice.pem")).unwrap();
    signal(&daemon, Signal::HUP);
    let ended = loop {
        match tokio::time::timeout(PATIENCE, feed.message()).await.expect("the feed ends") {
            Ok(item) => assert!(item.is_some(), "the feed ends with a reason"),
            Err(ended) => break ended,
        }
    };
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::PermissionDenied, "CLIENT_NOT_CONFIGURED"));
    assert_eq!(reason(&list(&mut office).await.unwrap_err()), "CLIENT_NOT_CONFIGURED");
    let dialled = dial_with(home.ports[1], [second, key, authority]).await.unwrap();
    let request = for_official(office.official, ListMessagesRequest::default());
    MessageServiceClient::new(dialled).list_messages(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_leaves_everything_as_it_was() {
    let parties = Parties::new();
    let (home, certs) = (&parties.us, parties.us.certs());
    let _daemon = serve(home);
    let mut office = Office::open(home).await;
    assert_eq!(reload(home).await.unwrap().changed_files, 0);

    let key = fs::read(certs.join("operations.key")).unwrap();
    let client = fs::read(certs.join("client-backoffice.pem")).unwrap();
    fs::write(certs.join("operations.key"), "nothing").unwrap();
    fs::copy(certs.join("client-second.pem"), certs.join("client-backoffice.pem")).unwrap();
    let refused = reload(home).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "CERTIFICATE_UNUSABLE")
    );
    assert!(refused.message().contains("operations"), "{}", refused.message());
    list(&mut office).await.unwrap();

    fs::write(certs.join("operations.key"), key).unwrap();
    assert_eq!(reload(home).await.unwrap().changed_files, 1);
    assert_eq!(reason(&list(&mut office).await.unwrap_err()), "CLIENT_NOT_CONFIGURED");
    fs::write(certs.join("client-backoffice.pem"), client).unwrap();
    assert_eq!(reload(home).await.unwrap().changed_files, 1);
    list(&mut office).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_in_the_other_party_is_read_anew() {
    let parties = Parties::new();
    let (us, kz) = (&parties.us, &parties.kz);
    let _daemons = (serve(us), serve(kz));
    let mut office = Office::open(kz).await;
    let certs = us.certs();
    // Whose signatures, whose connections, whose receipts are accepted.
    for (file, other) in [("counterparty-signing.pem", "signing.pem"), ("counterparty-peer.pem", "peer.pem")]
    {
        let name = office.submit(&format!("before-{file}"), 0).await.unwrap().name;
        delivered(&mut office, &name).await;
        let trusted = fs::read(certs.join(file)).unwrap();
        fs::copy(certs.join(other), certs.join(file)).unwrap();
        assert_eq!(reload(us).await.unwrap().changed_files, 1, "{file}");
        let name = office.submit(&format!("while-{file}"), 0).await.unwrap().name;
        until(kz, "delivery fails", |status| status.delivery.as_ref().is_some_and(|now| !now.open)).await;
        assert_eq!(office.state(&name).await, DeliveryState::Queued, "{file}");
        fs::write(certs.join(file), trusted).unwrap();
        reload(us).await.unwrap();
        delivered(&mut office, &name).await;
    }
    let key = fs::read(kz.certs().join("counterparty-ledger.pub")).unwrap();
    fs::copy(kz.certs().join("ledger.pub"), kz.certs().join("counterparty-ledger.pub")).unwrap();
    reload(kz).await.unwrap();
    until(kz, "receipts are not accepted", |status| {
        status.delivery.as_ref().is_some_and(|now| now.reason == "KEY_NOT_TRUSTED")
    })
    .await;
    fs::write(kz.certs().join("counterparty-ledger.pub"), key).unwrap();
    reload(kz).await.unwrap();
    let name = office.submit("after", 0).await.unwrap().name;
    delivered(&mut office, &name).await;
    assert!(!log(us).contains("panicked") && !log(kz).contains("panicked"));
}

async fn delivered(office: &mut Office, name: &str) {
    let end = Instant::now() + PATIENCE;
    while office.state(name).await != DeliveryState::Delivered {
        assert!(Instant::now() < end, "{name} is not delivered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_revocation_list_is_told() {
    let parties = Parties::new();
    let home = &parties.us;
    let mut authority = Authority::new("back office");
    own_backoffice(home, &mut authority);
    let list = home.certs().join("backoffice-crl.pem");
    fs::write(&list, authority.crl(&[], When::Past)).unwrap();
    let _daemon = serve(home);
    assert_eq!(status(home).await.stale_revocation_lists, ["backoffice"]);
    assert_eq!(log(home).matches("a revocation list is past").count(), 1);
    reload(home).await.unwrap();
    fs::write(&list, authority.crl(&[], When::Now)).unwrap();
    reload(home).await.unwrap();
    assert!(status(home).await.stale_revocation_lists.is_empty());
    assert_eq!(log(home).matches("a revocation list is past").count(), 1, "not more than once an hour");
}
