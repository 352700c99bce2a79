//! What strangers do to the listening socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::house::{House, check, watch};
use super::pki::Leaf;
use crate::door::counters::Count;
use crate::door::{DialError, Limits};

/// Raw TLS with settings that our own client would never use.
async fn raw(
    house: &House,
    alpn: &[&[u8]],
    change: impl FnOnce(&mut rustls::ClientConfig),
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&house.pki.authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_file(&house.client.chain).unwrap()],
            PrivateKeyDer::from_pem_file(&house.client.key).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    change(&mut config);
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

async fn read_to_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Reset and clean close are both an end.
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

#[tokio::test]
async fn no_certificate_no_alpn_no_entry() {
    let house = House::new().await;
    let mut stream = raw(&house, &[b"h2"], |config| {
        config.client_auth_cert_resolver = Arc::new(NoCertificate);
    })
    .await
    .unwrap();
    assert!(read_to_end(&mut stream).await.is_empty());
    house.counted(Count::HandshakeFailed, 1).await;
    let mut stream = raw(&house, &[], |_| {}).await.unwrap();
    assert!(read_to_end(&mut stream).await.is_empty());
    house.counted(Count::ProtocolRefused, 1).await;
    assert!(raw(&house, &[b"http/1.1"], |_| {}).await.is_err());
    house.counted(Count::HandshakeFailed, 2).await;
    house.is_well().await;
}

#[derive(Debug)]
struct NoCertificate;

impl rustls::client::ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn plain_http_and_older_tls_are_refused() {
    let house = House::new().await;
    let mut tcp = TcpStream::connect(house.address).await.unwrap();
    tcp.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    read_to_end(&mut tcp).await;
    house.counted(Count::HandshakeFailed, 1).await;
    // A ClientHello of TLS 1.2: no supported_versions extension (RFC 8446 §4.2.1).
    let mut tcp = TcpStream::connect(house.address).await.unwrap();
    tcp.write_all(&hello_tls12()).await.unwrap();
    // Fatal alert 70, protocol_version (RFC 8446 §6.2).
    assert_eq!(read_to_end(&mut tcp).await, [21, 3, 3, 0, 2, 2, 70]);
    house.counted(Count::HandshakeFailed, 2).await;
    house.is_well().await;
}

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

#[tokio::test]
async fn silent_sockets_do_not_delay_an_honest_client() {
    let house = House::with(Limits { handshakes: 4, ..Limits::default() }, |_, _| {}).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(house.address).await.unwrap());
    }
    let begun = Instant::now();
    house.is_well().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    house.counted(Count::HandshakeEvicted, 16).await;
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let limits = Limits { handshake: Duration::from_millis(100), ..Limits::default() };
    let house = House::with(limits, |_, _| {}).await;
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let begun = Instant::now();
    assert!(read_to_end(&mut silent).await.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(2));
    house.counted(Count::HandshakeTimeout, 1).await;
    house.is_well().await;
}

#[tokio::test]
async fn a_key_and_the_door_hold_so_many_connections() {
    let limits = Limits { connections: 3, connections_per_key: 2, ..Limits::default() };
    let house = House::with(limits, |_, _| {}).await;
    let other = house.pki.leaf("other", Leaf::Good);
    let first = house.dial(&house.client).await.unwrap();
    let second = house.dial(&house.client).await.unwrap();
    assert_eq!(house.dial(&house.client).await.err(), Some(DialError::Closed));
    house.counted(Count::KeyFull, 1).await;
    let third = house.dial(&other).await.unwrap();
    assert!(house.dial(&other).await.is_err());
    house.counted(Count::ConnectionsFull, 1).await;
    for dialled in [&first, &second, &third] {
        check(dialled).await.unwrap();
    }
    drop(first);
    for _ in 0..200 {
        if house.dial(&house.client).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place was not given back");
}

#[tokio::test]
async fn idle_and_aged_connections_end() {
    let tick = Duration::from_millis(20);
    let idle = Limits { idle: Duration::from_millis(100), tick, ..Limits::default() };
    let house = House::with(idle, |_, _| {}).await;
    let busy = house.dial(&house.client).await.unwrap();
    let _stream = watch(&busy).await.unwrap();
    let lazy = house.dial(&house.client).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), lazy.closed()).await.unwrap();
    assert_eq!((house.counters.get(Count::Idle), busy.is_closed()), (1, false));

    let aged =
        Limits { age: Duration::from_millis(100), grace: Duration::from_millis(100), ..Limits::default() };
    let house = House::with(aged, |_, _| {}).await;
    let dialled = house.dial(&house.client).await.unwrap();
    let mut stream = watch(&dialled).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap();
    assert_eq!(ended.unwrap_err().code(), tonic::Code::Unavailable);
    dialled.closed().await;
    assert_eq!((house.counters.get(Count::Aged), house.counters.get(Count::Cut)), (1, 1));
    assert_eq!(check(&dialled).await.unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn after_goaway_old_calls_go_on_and_new_ones_are_told_to_go_elsewhere() {
    let aged = Limits { age: Duration::from_millis(100), ..Limits::default() };
    let house = House::with(aged, |_, _| {}).await;
    let dialled = house.dial(&house.client).await.unwrap();
    let mut stream = watch(&dialled).await.unwrap();
    house.counted(Count::Aged, 1).await;
    let mut outcome = Ok(());
    for _ in 0..100 {
        outcome = check(&dialled).await;
        if outcome.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(outcome.unwrap_err().code(), tonic::Code::Unavailable);
    assert!(tokio::time::timeout(Duration::from_millis(100), stream.message()).await.is_err());
    drop(stream);
    tokio::time::timeout(Duration::from_secs(5), dialled.closed()).await.unwrap();
}

#[tokio::test]
async fn http1_is_served_where_the_settings_allow_it() {
    let house = House::with(Limits::default(), |_, tls| tls.http1 = true).await;
    let mut stream = raw(&house, &[b"http/1.1"], |_| {}).await.unwrap();
    let request = b"GET /test.Slow/Whoami HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains(&house.client.key_id().to_string()),
        "{answer}"
    );
    house.is_well().await;
}
