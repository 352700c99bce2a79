//! Who must not get in at the back-office door: strangers with every kind of bad certificate, old TLS, plain HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::message_service_client::MessageServiceClient;
use article6::backoffice::v1::{GetMessageRequest, MessageView, SubmitMessageRequest};
use article6::commands::homes::Home;
use article6::door::{DialError, Dialled};
use article6::wire::assistance::v1::Purpose;
use rustix::process::Signal;
use rustls::{AlertDescription, Error};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::bad_certificates::{Authority, Leaf, When, self_signed};
use support::parties::{
    Office, PATIENCE, Parties, dial_with, for_official, log, own_backoffice, reason, serve, signal, status,
    submission,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;

/// Dials the back-office door of a home with a certificate of the test.
async fn dial_as(home: &Home, leaf: &Leaf) -> Result<Dialled, DialError> {
    let folder = tempfile::tempdir_in(&home.folder).unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("client.pem"), &leaf.certificate).unwrap();
    std::fs::write(path("client.key"), &leaf.key).unwrap();
    std::fs::set_permissions(path("client.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let authority: PathBuf = home.certs().join("backoffice-ca.pem");
    dial_with(home.ports[1], [path("client.pem"), path("client.key"), authority]).await
}

fn alert(outcome: Result<Dialled, DialError>) -> AlertDescription {
    match outcome {
        Err(DialError::Refused(Error::AlertReceived(alert))) => alert,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_certified_and_configured_clients_get_in() {
    let parties = Parties::new();
    let home = &parties.us;
    let mut authority = Authority::new("back office");
    let client = own_backoffice(home, &mut authority);
    let daemon = serve(home);
    let mut office = Office::open(home).await;

    assert_eq!(alert(dial_as(home, &authority.expired("old")).await), AlertDescription::CertificateExpired);
    assert_eq!(
        alert(dial_as(home, &authority.not_yet_valid("early")).await),
        AlertDescription::CertificateExpired
    );
    assert_eq!(alert(dial_as(home, &self_signed("self")).await), AlertDescription::UnknownCA);
    let stranger = Authority::new("somebody else").good("backoffice");
    assert_eq!(alert(dial_as(home, &stranger).await), AlertDescription::UnknownCA);
    // Another authority under the same name: found by its name, then its signature does not fit.
    let namesake = Authority::new("back office").good("backoffice");
    assert_eq!(alert(dial_as(home, &namesake).await), AlertDescription::DecryptError);
    let kz = |name: &str| parties.kz.certs().join(name);
    let other_party =
        [kz("client-backoffice.pem"), kz("client-backoffice.key"), home.certs().join("backoffice-ca.pem")];
    assert_eq!(alert(dial_with(home.ports[1], other_party).await), AlertDescription::UnknownCA);
    // Each door has its own authority: what opens one opens no other.
    let certs = home.certs();
    let [peer, _, operations] = home.ports;
    let through = |name: &str, authority: PathBuf| {
        [certs.join(format!("{name}.pem")), certs.join(format!("{name}.key")), authority]
    };
    let us_peers = kz("counterparty-tls-ca.pem");
    for name in ["peer", "client-backoffice", "client-operations"] {
        assert_eq!(
            alert(dial_with(peer, through(name, us_peers.clone())).await),
            AlertDescription::UnknownCA,
            "{name}"
        );
    }
    for name in ["peer", "client-backoffice"] {
        let files = through(name, certs.join("operations-ca.pem"));
        assert_eq!(alert(dial_with(operations, files).await), AlertDescription::UnknownCA, "{name}");
    }

    let unlisted = MessageServiceClient::new(dial_as(home, &authority.good("unlisted")).await.unwrap());
    let submit = SubmitMessageRequest { request_id: "r".into(), submission: Some(submission(0)) };
    let refused = unlisted.clone().submit_message(for_official("US-DO-0011", submit)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "CLIENT_NOT_CONFIGURED")
    );
    let get = GetMessageRequest {
        name: "messages/00000000-0000-8000-8000-000000000000".into(),
        ..Default::default()
    };
    assert_eq!(reason(&unlisted.clone().get_message(get).await.unwrap_err()), "CLIENT_NOT_CONFIGURED");
    let renewed = authority.renew("backoffice", &client);
    assert!(dial_as(home, &renewed).await.is_ok(), "a renewed certificate of the same key");

    // Revoked while it is connected: nothing new at once, and the open connection ends soon.
    std::fs::write(home.certs().join("backoffice-crl.pem"), authority.crl(&[&client], When::Now)).unwrap();
    signal(&daemon, Signal::HUP);
    let end = Instant::now() + PATIENCE;
    let refused = loop {
        match dial_as(home, &client).await {
            Ok(_) if Instant::now() < end => tokio::time::sleep(Duration::from_millis(20)).await,
            refused => break refused,
        }
    };
    assert_eq!(alert(refused), AlertDescription::CertificateRevoked);
    while office.submit("late", 0).await.is_ok() {
        assert!(Instant::now() < end, "the revoked client's connection stays");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(dial_as(home, &renewed).await.is_ok(), "another certificate of the same key is not revoked");
    assert!(status(home).await.sealed_sequence <= 1);
    assert!(!log(home).contains("panicked"), "{}", log(home));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_1_3_and_a_certificate_there_is_no_answer() {
    let parties = Parties::new();
    let home = &parties.us;
    let _daemon = serve(home);
    status(home).await;
    for port in home.ports {
        let greetings: [&[u8]; 4] = [
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            &[0x16; 4096],
            b"\x16\x03\x01\xff\xff",
        ];
        for greeting in greetings {
            let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tcp.write_all(greeting).await.unwrap();
            let told = read_to_end(&mut tcp).await;
            assert!(told.is_empty() || told[0] == 21, "a TLS alert or nothing, but {told:?}");
        }
        // Fatal alert 70, protocol_version (RFC 8446 §6.2).
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tcp.write_all(&hello_tls12()).await.unwrap();
        assert_eq!(read_to_end(&mut tcp).await, [21, 3, 3, 0, 2, 2, 70]);
    }
    let certs = home.certs();
    let authorities = [
        parties.kz.certs().join("counterparty-tls-ca.pem"),
        certs.join("backoffice-ca.pem"),
        certs.join("operations-ca.pem"),
    ];
    for (port, authority) in home.ports.into_iter().zip(authorities) {
        assert!(anonymous(port, &authority).await.is_empty(), "no certificate, no answer");
    }
    Office::open(home).await.submit("r", 0).await.unwrap();
    assert_eq!(status(home).await.ledger_size, 4);
}

/// Speaks TLS 1.3 without a certificate, asks, and returns what the server says.
async fn anonymous(port: u16, authority: &PathBuf) -> Vec<u8> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let _ = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    read_to_end(&mut stream).await
}

async fn read_to_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Reset and clean close are both an end.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .expect("an end of the connection");
    bytes
}

/// A ClientHello of TLS 1.2: no supported_versions extension (RFC 8446 §4.2.1).
fn hello_tls12() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    // No session, one cipher suite (ECDHE-ECDSA-AES128-GCM), no compression, groups and signature algorithms.
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 16]);
    body.extend([0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut hello = vec![22, 3, 1, 0, u8::try_from(body.len() + 4).unwrap(), 1, 0, 0];
    hello.push(u8::try_from(body.len()).unwrap());
    hello.extend(body);
    hello
}

/// Each read is an event for ever: a client that reads in a loop is slowed down.
#[tokio::test(flavor = "multi_thread")]
async fn reads_grow_the_ledger_no_faster_than_configured() {
    let parties = Parties::new();
    support::parties::edit(&parties.us, "[backoffice]", "[backoffice]\nreads_per_second = 2");
    let _us = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    let name = office.submit("one", 0).await.unwrap().name;
    let mut refused = None;
    for _ in 0..60 {
        let request = GetMessageRequest {
            name: name.clone(),
            view: MessageView::Full.into(),
            purpose: Purpose::AssessDutiesTaxes.into(),
        };
        if let Err(status) = office.client.get_message(office.request(request)).await {
            refused = Some(status);
            break;
        }
    }
    let status = refused.expect("it is slowed down");
    assert_eq!((status.code(), reason(&status)), (Code::ResourceExhausted, "TOO_MANY_READS".into()));
    let basic = GetMessageRequest { name, ..GetMessageRequest::default() };
    office.client.get_message(office.request(basic)).await.expect("what is not recorded is not slowed down");
}
