//! Who speaks for a Party, and to whom a request goes.

use crate::chancery::{body, days_ago, list, official};
use crate::kinds;
use crate::play::{By, Play, request, withdrawal};
use crate::runner::conforms;
use crate::support::impostor::{Impostor, SALT};
use crate::support::parties::{Parties, serve, status};
use crate::support::treaty::{Heads, prepare_heads};
use crate::world::{facts, says};
use article6::backoffice::v1::CaseState;
use article6::commands::homes::Running;
use article6::crypto::digest::commitment;
use article6::peer::v1::Delivery;
use article6::treaty::kind_of;
use article6::wire::assistance::v1::body::Content;
use article6::wire::assistance::v1::{Body, NonExecutionGround, Official};
use article6::wire::ledger::v1::{RejectionReason, event::Fact};
use jiff::{Timestamp, ToSpan as _};
use prost::Message as _;

conforms![
    article_6_1_unlisted_official_rejected,
    article_6_1_expired_official_rejected,
    article_6_1_revoked_official_rejected,
    article_6_1_other_partys_official_rejected,
    article_6_2_not_competent_is_no_ground,
    article_6_2_withdrawn_after_forwarding_owes_a_word,
];

/// The daemon of the United States, and Kazakhstan's keys in the hands of one who signs anything.
struct Bench {
    parties: Parties,
    heads: Heads,
    peer: Impostor,
    daemon: Running,
}

impl Bench {
    /// After Kazakhstan's first list.
    async fn after(officials: Vec<Official>) -> Self {
        let parties = Parties::new();
        let heads = Heads::new(&parties);
        prepare_heads(&parties.us, &heads);
        let daemon = serve(&parties.us);
        status(&parties.us).await;
        let peer = Impostor::new(&parties.us, &parties.kz);
        let mut bench = Self { parties, heads, peer, daemon };
        bench.list(1, officials).await;
        bench
    }

    async fn list(&mut self, version: u64, officials: Vec<Official>) {
        let notice = self.heads.kz.sign_list("KZ", list(version, officials));
        let told = self.deliver("KZ-DO-0007", &body(Content::DesignationNotice(notice))).await;
        assert_eq!(told, None);
    }

    /// The signed answer to a message under an official: why it is rejected.
    async fn deliver(&mut self, official: &str, body: &Body) -> Option<RejectionReason> {
        let bytes = body.encode_to_vec();
        let mut fields = self.peer.fields();
        fields.kind = u32::try_from(i32::from(kind_of(body).unwrap())).unwrap();
        fields.case_id = vec![u8::try_from(fields.sequence).unwrap(); 16].into();
        fields.acting_official = official.into();
        fields.body_commitment = commitment(&SALT, &bytes).to_bytes();
        let delivery = Delivery { body: bytes.into(), ..self.peer.delivery(&fields) };
        self.peer.delivered(&delivery).await.1
    }

    async fn speaks(&mut self, official: &str) -> Option<RejectionReason> {
        self.deliver(official, &says(&request())).await
    }

    /// The rejections that the ledger holds.
    fn rejections(self) -> Vec<RejectionReason> {
        let facts = facts(&self.parties.us);
        self.daemon.stop().unwrap();
        facts
            .into_iter()
            .filter_map(|fact| match fact {
                Fact::Rejected(it) => Some(it.reason()),
                _ => None,
            })
            .collect()
    }
}

async fn article_6_1_unlisted_official_rejected() {
    let mut bench = Bench::after(vec![official("KZ-DO-0007")]).await;
    assert_eq!(bench.speaks("KZ-DO-0009").await, Some(RejectionReason::OfficialNotListed));
    assert_eq!(bench.speaks("KZ-DO-0007").await, None);
    assert_eq!(bench.rejections(), [RejectionReason::OfficialNotListed]);
}

async fn article_6_1_expired_official_rejected() {
    let expired = Official { valid_to: days_ago(1), ..official("KZ-DO-0009") };
    let last_day = Official { valid_to: days_ago(-1), ..official("KZ-DO-0012") };
    let mut bench = Bench::after(vec![official("KZ-DO-0007"), expired, last_day]).await;
    assert_eq!(bench.speaks("KZ-DO-0009").await, Some(RejectionReason::OfficialExpired));
    assert_eq!(bench.speaks("KZ-DO-0012").await, None);
    assert_eq!(bench.rejections(), [RejectionReason::OfficialExpired]);
}

async fn article_6_1_revoked_official_rejected() {
    let mut bench = Bench::after(vec![official("KZ-DO-0007"), official("KZ-DO-0009")]).await;
    assert_eq!(bench.speaks("KZ-DO-0009").await, None, "before the list that revokes");
    let at = Timestamp::now().checked_sub(1.hour()).unwrap().as_second();
    let revoked_at = Some(prost_types::Timestamp { seconds: at, nanos: 0 });
    let revoked = Official { revoked_at, ..official("KZ-DO-0009") };
    bench.list(2, vec![official("KZ-DO-0007"), revoked]).await;
    assert_eq!(bench.speaks("KZ-DO-0009").await, Some(RejectionReason::OfficialRevoked));
    assert_eq!(bench.speaks("KZ-DO-0007").await, None);
    assert_eq!(bench.rejections(), [RejectionReason::OfficialRevoked]);
}

async fn article_6_1_other_partys_official_rejected() {
    let mut bench = Bench::after(vec![official("KZ-DO-0007")]).await;
    let mut us = crate::world::Side::open(&bench.parties.us).await;
    crate::chancery::designate(&mut us, &bench.heads, vec![official("US-DO-0011")]).await;
    assert_eq!(bench.speaks("US-DO-0011").await, Some(RejectionReason::OfficialNotListed));
    assert_eq!(bench.speaks("KZ-DO-0007").await, None);
    assert_eq!(bench.rejections(), [RejectionReason::OfficialNotListed]);
}

async fn article_6_2_not_competent_is_no_ground() {
    let grounds: Vec<&str> =
        (1..100).filter_map(|it| NonExecutionGround::try_from(it).ok()).map(|it| it.as_str_name()).collect();
    assert_eq!(grounds.len(), 11, "{grounds:?}");
    assert!(grounds.iter().all(|ground| !ground.contains("COMPETEN") && !ground.contains("AGENCY")));
}

async fn article_6_2_withdrawn_after_forwarding_owes_a_word() {
    let mut play = Play::open(&request()).await;
    play.say(By::Rd, &kinds::of("FORWARDING_NOTICE", "The border service")).await;
    play.stands(CaseState::Executing).await;
    play.say(By::Rq, &withdrawal()).await;
    play.stands(CaseState::Withdrawn).await;
    for by in [By::Rq, By::Rd] {
        let owed = play.case(by).await.obligations;
        assert_eq!(
            owed.iter().map(|it| (it.kind.as_str(), it.owner.as_str())).collect::<Vec<_>>(),
            [("NOTIFY_AGENCY", "KZ")]
        );
    }
    play.close_refused("OBLIGATION_OPEN").await;
    play.say(By::Rd, &kinds::of("PROGRESS_NOTICE", "It has been told.")).await;
    play.closes().await;
}
