//! Keys, certificates and trust change while sessions live.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::house::{House, call, check, watch};
use super::pki::{Leaf, Pki};
use crate::door::Limits;
use crate::door::counters::Count;
use crate::door::tls::{TlsError, TlsFile, TlsState};

#[tokio::test]
async fn a_reload_swaps_the_certificate_and_keeps_fit_sessions() {
    let house = House::new().await;
    let old = house.dial(&house.client).await.unwrap();
    let next = house.pki.leaf("next", Leaf::Good);
    fs::copy(&next.chain, &house.server.chain).unwrap();
    assert_eq!(house.tls.reload(), Err(TlsError::KeyMismatch));
    assert_eq!(house.tls.generation(), 0);
    house.is_well().await;
    fs::copy(&next.key, &house.server.key).unwrap();
    assert_eq!(house.tls.reload(), Ok(2));
    assert_eq!(house.tls.reload(), Ok(0));
    assert_eq!(house.tls.generation(), 1);
    check(&old).await.unwrap();
    assert_eq!(old.server_key(), house.server.key_id());
    assert_eq!(house.dial(&house.client).await.unwrap().server_key(), next.key_id());
}

#[tokio::test]
async fn unpinning_closes_the_live_session() {
    let house = House::new().await;
    let other = house.pki.leaf("other", Leaf::Good);
    let (kept, dropped) = (house.dial(&house.client).await.unwrap(), house.dial(&other).await.unwrap());
    let mut stream = watch(&dropped).await.unwrap();
    let mut settings = house.pki.settings(&house.server);
    settings.pins.insert(house.client.key_id());
    house.tls.reconfigure(settings).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(1), stream.message()).await.unwrap();
    assert_eq!(ended.unwrap_err().code(), tonic::Code::Unavailable);
    dropped.closed().await;
    house.counted(Count::Disqualified, 1).await;
    check(&kept).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_with_its_certificate() {
    let limits = Limits { tick: Duration::from_millis(50), ..Limits::default() };
    let house = House::with(limits, |_, _| {}).await;
    let dialled = house.dial(&house.pki.leaf("brief", Leaf::Brief)).await.unwrap();
    let mut stream = watch(&dialled).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap();
    assert_eq!(ended.unwrap_err().code(), tonic::Code::Unavailable);
    assert_eq!(house.counters.get(Count::Disqualified), 1);
    house.is_well().await;
}

#[tokio::test]
async fn hybrid_is_negotiated_where_both_offer_it() {
    let house = House::with(Default::default(), |_, tls| tls.hybrid = true).await;
    let mut settings = house.pki.settings(&house.client);
    let classical = house.dial_with(settings.clone()).await.unwrap();
    settings.hybrid = true;
    let hybrid = house.dial_with(settings).await.unwrap();
    assert_eq!((classical.group(), hybrid.group()), ("X25519", "X25519MLKEM768"));
    assert_eq!(call(&hybrid, "Whoami", &[]).await.headers()["group"], "X25519MLKEM768");

    let house = House::new().await;
    let mut settings = house.pki.settings(&house.client);
    settings.hybrid = true;
    assert_eq!(house.dial_with(settings).await.unwrap().group(), "X25519");
}

#[test]
fn a_damaged_or_open_file_is_named() {
    let pki = Pki::new();
    let good = pki.leaf("good", Leaf::Good);
    let settings = pki.settings(&good);
    let mode = |mode| fs::set_permissions(&good.key, fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o640, 0o604, 0o620, 0o644] {
        mode(open);
        assert_eq!(
            TlsState::load(settings.clone()).err(),
            Some(TlsError::OpenKey { path: good.key.clone() }),
            "{open:o}"
        );
    }
    mode(0o600);
    assert!(TlsState::load(settings.clone()).is_ok());

    let development = pki.settings(&pki.leaf("development", Leaf::Development));
    fs::set_permissions(&development.key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(TlsState::load(development.clone()).is_ok());
    let production = crate::door::TlsSettings { production: true, ..development };
    let production_chain = production.chain.clone();
    assert_eq!(
        TlsState::load(production).err(),
        Some(TlsError::Development { file: TlsFile::Chain, path: production_chain })
    );

    let mut none = settings.clone();
    none.authorities.clear();
    assert_eq!(TlsState::load(none).err(), Some(TlsError::NoAuthority));
    let mut garbage = settings.clone();
    garbage.revocation = Some(pki.authority.clone());
    assert_eq!(TlsState::load(garbage).err(), Some(TlsError::Revocation { path: pki.authority.clone() }));
    let mut missing = settings;
    missing.chain = pki.dir.path().join("none");
    assert!(matches!(TlsState::load(missing).err(), Some(TlsError::Unreadable { file: TlsFile::Chain, .. })));
}
