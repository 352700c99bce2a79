//! Officials and accords: what is signed, by whom, and what then is in force (Articles 6.1 and 11).

use super::super::accords::Accords;
use super::super::designations::{Designations, Objection};
use super::super::effect;
use super::super::examples;
use super::super::heads::{
    Ground, Head, Subject, accord_digest, is_accord_signed, is_list_signed, list_digest, statement,
};
use crate::crypto::Digest;
use crate::crypto::cms;
use crate::crypto::scheme::Curve;
use crate::crypto::testing::{Authority, Identity};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::*;
use jiff::Timestamp;
use jiff::civil::date;
use prost_types::Timestamp as Wire;
use std::time::{Duration, SystemTime};

const GROUND: Ground<'_> = Ground { environment: "TEST", agreement: "US-KZ-1997" };

fn sign(identity: &Identity, party: &str, subject: Subject, digest: Digest) -> HeadSignature {
    let content = statement(GROUND, party, subject, &digest, "The head");
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    HeadSignature {
        party: party.into(),
        signatory: "The head".into(),
        signed_at: Some(Wire { seconds: 1_790_000_000, nanos: 0 }),
        key_id: identity.key.key_id().to_bytes(),
        signature: cms::sign(&identity.key, &content, at).unwrap().into(),
    }
}

fn list_effect(list: DesignationNotice) -> DesignationEffect {
    let effect = effect(&Body { content: Some(Content::DesignationNotice(list)) });
    let Some(Detail::Designation(it)) = effect.detail else { panic!() };
    it
}

fn accord_effect(accord: Accord) -> AccordEffect {
    let Some(Detail::Accord(it)) = effect(&Body { content: Some(Content::Accord(accord)) }).detail else {
        panic!()
    };
    it
}

#[test]
fn article_6_1_a_list_is_the_heads_word_for_word() {
    let authority = Authority::new();
    for curve in [Curve::P256, Curve::P384] {
        let (head, other) = (authority.identity(curve), authority.identity(curve));
        let mut list = examples::designation();
        list.signature =
            Some(sign(&head, "KZ", Subject::DesignationList, list_digest(GROUND.agreement, "KZ", &list)));
        let certificates = [head.key.certificate().clone()];
        let kz = Head { party: "KZ", certificates: &certificates };
        assert!(is_list_signed(GROUND, kz, &list));
        let others = [other.key.certificate().clone()];
        assert!(!is_list_signed(GROUND, Head { certificates: &others, ..kz }, &list));
        assert!(!is_list_signed(GROUND, Head { party: "US", ..kz }, &list));
        assert!(!is_list_signed(Ground { environment: "PRODUCTION", ..GROUND }, kz, &list));
        let changes: [fn(&mut DesignationNotice); 6] = [
            |it| it.list_version += 1,
            |it| it.officials[0].name.push('x'),
            |it| it.officials[0].valid_to = "2027-01-01".into(),
            |it| it.officials.push(examples::official("KZ-DO-0009")),
            |it| it.officials[0].scope = vec![1],
            |it| it.signature.as_mut().unwrap().signatory.push('x'),
        ];
        for change in changes {
            let mut changed = list.clone();
            change(&mut changed);
            assert!(!is_list_signed(GROUND, kz, &changed));
        }
    }
}

#[test]
fn article_11_an_accord_needs_both_heads_over_one_digest() {
    let authority = Authority::new();
    let (us, kz) = (authority.identity(Curve::P256), authority.identity(Curve::P384));
    let mut accord = examples::accord();
    let digest = accord_digest(GROUND.agreement, &accord);
    accord.digest = digest.to_bytes();
    accord.signatures =
        vec![sign(&us, "US", Subject::Accord, digest), sign(&kz, "KZ", Subject::Accord, digest)];
    let (ours, theirs) = ([us.key.certificate().clone()], [kz.key.certificate().clone()]);
    let heads = [Head { party: "US", certificates: &ours }, Head { party: "KZ", certificates: &theirs }];
    assert!(is_accord_signed(GROUND, heads, &accord));
    for lacking in 0..2 {
        let mut one = accord.clone();
        one.signatures.remove(lacking);
        assert!(!is_accord_signed(GROUND, heads, &one));
    }
    let mut twice = accord.clone();
    twice.signatures[1] = twice.signatures[0].clone();
    assert!(!is_accord_signed(GROUND, heads, &twice));
    let mut other = accord.clone();
    other.text.push('.');
    assert!(!is_accord_signed(GROUND, heads, &other));
    other.digest = accord_digest(GROUND.agreement, &other).to_bytes();
    assert!(!is_accord_signed(GROUND, heads, &other));
    let mut settings = accord;
    settings.settings = Some(Settings { spontaneous_information_enabled: Some(true), ..Settings::default() });
    assert!(!is_accord_signed(GROUND, heads, &settings));
}

#[test]
fn article_6_1_a_designation_holds_from_its_first_day_to_its_last() {
    let mut list = examples::designation();
    list.officials[0].valid_to = "2026-06-30".into();
    list.officials.push(Official {
        scope: vec![DesignationScope::Release.into()],
        revoked_at: Some(Wire { seconds: 1_780_000_000, nanos: 0 }),
        ..examples::official("KZ-DO-0009")
    });
    let mut designations = Designations::default();
    assert!(designations.take(&list_effect(list.clone())));
    let judge = |id, at: &str, scope| designations.judge(id, at.parse::<Timestamp>().unwrap(), scope);
    let requests = DesignationScope::Requests;
    assert_eq!(judge("KZ-DO-0007", "2025-12-31T23:59:59Z", requests), Err(Objection::NotYetValid));
    assert_eq!(judge("KZ-DO-0007", "2026-01-01T00:00:00Z", requests), Ok(()));
    assert_eq!(judge("KZ-DO-0007", "2026-06-30T23:59:59Z", requests), Ok(()));
    assert_eq!(judge("KZ-DO-0007", "2026-07-01T00:00:00Z", requests), Err(Objection::Expired));
    assert_eq!(judge("US-DO-0011", "2026-02-01T00:00:00Z", requests), Err(Objection::NotListed));
    assert_eq!(judge("KZ-DO-0009", "2026-02-01T00:00:00Z", requests), Err(Objection::OutOfScope));
    assert_eq!(judge("KZ-DO-0009", "2026-02-01T00:00:00Z", DesignationScope::Release), Ok(()));
    assert_eq!(
        judge("KZ-DO-0009", "2026-08-01T00:00:00Z", DesignationScope::Release),
        Err(Objection::Revoked)
    );
    // An old list, or the same again, changes nothing.
    let before = designations.clone();
    list.officials.clear();
    assert!(!designations.take(&list_effect(list)));
    assert_eq!(designations, before);
}

#[test]
fn article_11_directives_supersede_and_settings_follow() {
    let directive = |number, supersedes, from: &str, enabled| Accord {
        number,
        supersedes,
        effective_on: from.into(),
        digest: vec![u8::try_from(number).unwrap(); 32].into(),
        settings: Some(Settings { spontaneous_information_enabled: enabled, ..Settings::default() }),
        ..examples::accord()
    };
    let mut accords = Accords::default();
    let july = date(2026, 7, 15);
    assert_eq!(accords.digest(july), None);
    accords.take(&accord_effect(directive(1, 0, "2026-07-01", Some(true))));
    accords.take(&accord_effect(directive(2, 1, "2026-08-01", None)));
    assert_eq!(accords.digest(date(2026, 6, 30)), None);
    assert!(accords.shared(july).spontaneous_information_enabled);
    assert!(!accords.shared(date(2026, 8, 1)).spontaneous_information_enabled, "replaced");
    assert_eq!(accords.directives(july).map(|(number, _)| number).collect::<Vec<_>>(), [1]);
    assert_eq!(accords.directives(date(2026, 8, 1)).map(|(number, _)| number).collect::<Vec<_>>(), [2]);
    accords.take(&accord_effect(Accord {
        r#type: AccordType::Interpretation.into(),
        settings: None,
        ..directive(3, 0, "2026-07-01", None)
    }));
    assert_eq!(accords.in_force(july).count(), 2);
    assert_eq!(accords.directives(july).count(), 1, "an interpretation makes no settings");
    accords.take(&accord_effect(directive(4, 0, "2026-07-01", Some(false))));
    assert!(!accords.shared(july).spontaneous_information_enabled, "the highest number counts");
}

proptest::proptest! {
    #[test]
    fn the_set_in_force_does_not_depend_on_the_order(seed in proptest::collection::vec((1_u32..6, 0_u32..6, 1_u8..28, 0_u8..4), 0..12)) {
        let all: Vec<AccordEffect> = seed.iter().map(|(number, supersedes, day, digest)| AccordEffect {
            r#type: AccordType::Directive.into(),
            number: *number,
            supersedes: *supersedes,
            // Two texts of one digest there are not.
            digest: Digest::of(format!("{number} {supersedes} {day} {digest}").as_bytes()).to_bytes(),
            effective_on: format!("2026-07-{day:02}"),
            ..AccordEffect::default()
        }).collect();
        let fold = |list: &mut dyn Iterator<Item = &AccordEffect>| {
            let mut accords = Accords::default();
            list.for_each(|it| accords.take(it));
            accords.digest(date(2026, 7, 20))
        };
        proptest::prop_assert_eq!(fold(&mut all.iter()), fold(&mut all.iter().rev()));
    }
}
