//! Who gets in.

use rustls::{AlertDescription, CertificateError, Error};

use super::house::{House, call, check};
use super::pki::{Identity, Leaf, Pki};
use crate::door::DialError;
use crate::door::counters::Count;
use crate::door::tls::{RevocationPolicy, Unqualified};

#[tokio::test]
async fn a_good_client_is_served_and_known() {
    let house = House::new().await;
    let dialled = house.dial(&house.client).await.unwrap();
    check(&dialled).await.unwrap();
    assert_eq!(dialled.server_key(), house.server.key_id());
    let seen = call(&dialled, "Whoami", &[]).await;
    assert_eq!(seen.headers()["key"], house.client.key_id().to_string());
    assert_eq!((seen.headers()["group"].to_str().unwrap(), dialled.group()), ("X25519", "X25519"));
    assert_eq!(house.counters.get(Count::Established), 1);
}

async fn refused(house: &House, identity: &Identity, alert: AlertDescription) {
    let failures = house.counters.get(Count::HandshakeFailed);
    let outcome = house.dial(identity).await.err();
    assert_eq!(outcome, Some(DialError::Refused(Error::AlertReceived(alert))));
    house.counted(Count::HandshakeFailed, failures + 1).await;
    house.is_well().await;
}

#[tokio::test]
async fn bad_certificates_are_refused() {
    let house = House::new().await;
    let pki = &house.pki;
    refused(&house, &pki.leaf("expired", Leaf::Expired), AlertDescription::CertificateExpired).await;
    refused(&house, &pki.leaf("early", Leaf::NotYetValid), AlertDescription::CertificateExpired).await;
    refused(&house, &pki.leaf("usage", Leaf::ServerOnly), AlertDescription::UnsupportedCertificate).await;
    refused(&house, &pki.self_signed("self"), AlertDescription::UnknownCA).await;
    // Another authority under the same name: found by name, then its signature does not fit.
    refused(&house, &Pki::new().leaf("other", Leaf::Good), AlertDescription::DecryptError).await;
}

#[tokio::test]
async fn a_revoked_client_is_refused_and_a_stale_list_enforced() {
    let house =
        House::with(Default::default(), |pki, tls| tls.revocation = Some(pki.revocation(&[], false))).await;
    house.is_well().await;
    let revoked = house.pki.leaf("revoked", Leaf::Good);
    house.pki.revocation(&[&revoked], false);
    assert_eq!(house.tls.reload(), Ok(1));
    refused(&house, &revoked, AlertDescription::CertificateRevoked).await;
    house.pki.revocation(&[&revoked], true);
    assert_eq!(house.tls.reload(), Ok(1));
    assert!(matches!(house.dial(&house.client).await, Err(DialError::Refused(_))));
    assert_eq!(house.tls.stale_lists(std::time::SystemTime::now()), 1);
}

#[tokio::test]
async fn a_stale_list_that_only_alarms_still_revokes() {
    let house = House::with(Default::default(), |pki, tls| {
        tls.revocation = Some(pki.revocation(&[], true));
        tls.revocation_policy = RevocationPolicy::AlarmOnly;
    })
    .await;
    house.is_well().await;
    assert_eq!(house.tls.stale_lists(std::time::SystemTime::now()), 1);
    let revoked = house.pki.leaf("revoked", Leaf::Good);
    house.pki.revocation(&[&revoked], true);
    assert_eq!(house.tls.reload(), Ok(1));
    refused(&house, &revoked, AlertDescription::CertificateRevoked).await;
}

#[tokio::test]
async fn only_pinned_keys_are_accepted_by_either_side() {
    let house = House::new().await;
    let mut settings = house.pki.settings(&house.server);
    settings.pins.insert(house.client.key_id());
    assert_eq!(house.tls.reconfigure(settings), Ok(0));
    let stranger = house.pki.leaf("stranger", Leaf::Good);
    refused(&house, &stranger, AlertDescription::CertificateUnknown).await;
    let renewed = house.pki.renew(&house.client, "renewed");
    check(&house.dial(&renewed).await.unwrap()).await.unwrap();

    let mut settings = house.pki.settings(&house.client);
    settings.pins.insert(stranger.key_id());
    let Err(DialError::Tls(error)) = house.dial_with(settings.clone()).await else { panic!("accepted") };
    assert_eq!(Unqualified::of(&error), Some(Unqualified::NotPinned));
    settings.pins.insert(house.server.key_id());
    assert!(house.dial_with(settings).await.is_ok());
}

#[tokio::test]
async fn production_refuses_development_certificates() {
    let house = House::with(Default::default(), |_, tls| tls.production = true).await;
    refused(&house, &house.pki.leaf("dev", Leaf::Development), AlertDescription::CertificateUnknown).await;
}

#[tokio::test]
async fn a_server_of_another_name_is_not_spoken_to() {
    let house = House::new().await;
    let tls = crate::door::TlsState::load(house.pki.settings(&house.client)).unwrap();
    let settings = crate::door::DialSettings::new(house.address.to_string(), "peer.example", tls);
    let Err(DialError::Tls(Error::InvalidCertificate(error))) = crate::door::dial(&settings).await else {
        panic!("accepted")
    };
    assert!(matches!(error, CertificateError::NotValidForNameContext { .. }), "{error:?}");
}
