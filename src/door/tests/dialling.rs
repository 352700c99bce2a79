//! What dialling says when nothing good is at the other end.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::house::check;
use super::pki::{Leaf, Pki};
use crate::door::dial::Stage;
use crate::door::{DialError, DialSettings, TlsState, dial};

fn settings(address: &str) -> (Pki, DialSettings) {
    let pki = Pki::new();
    let tls = TlsState::load(pki.settings(&pki.leaf("client", Leaf::Good))).unwrap();
    let short = Duration::from_millis(200);
    let settings = DialSettings { handshake: short, ..DialSettings::new(address, "localhost", tls) };
    (pki, settings)
}

#[tokio::test]
async fn every_stage_names_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_pki, settings) = settings(&address);
    assert_eq!(dial(&settings).await.err(), Some(DialError::Timeout(Stage::Tls)));

    let garbage = tokio::spawn(async move {
        let mut last = None;
        for _ in 0..2 {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            last = Some(tcp);
        }
        drop((last, listener));
    });
    assert!(matches!(
        dial(&settings).await.err(),
        Some(DialError::Tls(_) | DialError::Network(Stage::Tls, _))
    ));
    garbage.abort();
    let _ = garbage.await;
    let refused = DialError::Network(Stage::Tcp, ErrorKind::ConnectionRefused);
    assert_eq!(dial(&settings).await.err(), Some(refused));

    let nowhere = DialSettings { address: "nowhere".into(), ..settings.clone() };
    assert_eq!(dial(&nowhere).await.err(), Some(DialError::Name));
    let nameless = DialSettings { server_name: "not a name".into(), ..settings };
    assert_eq!(dial(&nameless).await.err(), Some(DialError::Name));
}

#[tokio::test]
async fn a_server_without_http2_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (pki, settings) = settings(&listener.local_addr().unwrap().to_string());
    let server = TlsState::load(pki.settings(&pki.leaf("server", Leaf::Good))).unwrap();
    let mut without = (*server.server_config()).clone();
    without.alpn_protocols.clear();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(without));
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let _stream = acceptor.accept(tcp).await;
        // TLS, and then silence.
        let (tcp, _) = listener.accept().await.unwrap();
        let _silent = tokio_rustls::TlsAcceptor::from(server.server_config()).accept(tcp).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(dial(&settings).await.err(), Some(DialError::Protocol));
    assert_eq!(dial(&settings).await.err(), Some(DialError::Timeout(Stage::Http2)));
}

#[tokio::test]
async fn a_broken_connection_is_noticed_without_a_call() {
    let house = super::house::House::new().await;
    let dialled = house.dial(&house.client).await.unwrap();
    house.shutdown.stop(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_secs(5), dialled.closed()).await.unwrap();
    assert!(dialled.is_closed());
    assert_eq!(check(&dialled).await.unwrap_err().code(), tonic::Code::Unavailable);
}
