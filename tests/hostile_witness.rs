//! A peer with valid keys shows heads as it likes: what is not signed is refused, what is not proven is not cosigned, what
//! contradicts itself holds the channel and is proven, and none of it makes the ledger grow faster than it may.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::crypto::digest::Digest;
use article6::ledger::proof::consistency;
use article6::ledger::{Frontier, Nodes, leaf_hash, node_hash};
use article6::peer::v1::{WitnessRequest, WitnessResponse};
use std::convert::Infallible;
use std::time::Duration;
use support::impostor::Impostor;
use support::parties::{Office, Parties, reason, serve, status, until};
use support::proofs::{assert_proof, contradictions};
use support::relay::{Lie, Relay};
use tonic::Status;

/// A ledger of the test's own.
struct Leaves(Vec<Digest>);

impl Leaves {
    fn of(count: u64) -> Self {
        Self((0..count).map(|number| leaf_hash(&Digest::of(&number.to_be_bytes()))).collect())
    }

    fn root(&self) -> Digest {
        let mut frontier = Frontier::new();
        self.0.iter().for_each(|leaf| frontier.append(*leaf, |_| {}));
        frontier.root()
    }
}

impl Nodes for Leaves {
    type Error = Infallible;

    fn node(&self, level: u8, n: u64) -> Result<Digest, Infallible> {
        if level == 0 {
            return Ok(self.0[usize::try_from(n).unwrap()]);
        }
        Ok(node_hash(&self.node(level - 1, 2 * n)?, &self.node(level - 1, 2 * n + 1)?))
    }
}

async fn show(liar: &Impostor, note: String, from: u64, to: u64) -> Result<WitnessResponse, Status> {
    let proof =
        if from > 0 && from < to { consistency(&Leaves::of(to), from, to).unwrap() } else { Vec::new() };
    let request = WitnessRequest {
        checkpoint: note,
        accepted_size: from,
        consistency: proof.iter().map(Digest::to_bytes).collect(),
        complaint: None,
    };
    liar.dial().await.witness(request).await.map(tonic::Response::into_inner)
}

fn honest(liar: &Impostor, size: u64) -> String {
    liar.checkpoint(size, Leaves::of(size).root())
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_cosigned_only_where_they_are_signed_and_proven() {
    let parties = Parties::new();
    let us = serve(&parties.us);
    status(&parties.us).await;
    let mut liar = Impostor::new(&parties.us, &parties.kz);
    let size = async || status(&parties.us).await.ledger_size;

    // Not signed by the ledger's key, of another ledger, or no note at all.
    let sound = honest(&liar, 5);
    for bad in [sound.replace("/KZ/", "/US/"), sound.replace("\n5\n", "\n6\n"), "nothing".to_owned()] {
        let refused = show(&liar, bad, 0, 5).await.unwrap_err();
        assert_eq!(reason(&refused), "PEER_CHECKPOINT_INVALID");
    }
    let before = size().await;
    assert!(!show(&liar, sound.clone(), 0, 5).await.unwrap().cosignature.is_empty());
    assert_eq!(size().await, before + 1, "the accepted head is recorded");
    for _ in 0..20 {
        assert!(!show(&liar, sound.clone(), 5, 5).await.unwrap().cosignature.is_empty());
    }
    assert_eq!(size().await, before + 1, "a head cosigned again is recorded no second time");

    // Proven from elsewhere, or smaller: no cosignature, and the size to prove from.
    let elsewhere = show(&liar, honest(&liar, 9), 4, 9).await.unwrap();
    assert_eq!((elsewhere.accepted_size, elsewhere.cosignature.as_str()), (5, ""));
    let older = show(&liar, honest(&liar, 3), 5, 3).await.unwrap();
    assert_eq!((older.accepted_size, older.cosignature.as_str()), (5, ""));

    // A flood of new heads makes no flood of events.
    let (before, mut accepted) = (size().await, 5);
    for next in 6..66 {
        match show(&liar, honest(&liar, next), accepted, next).await {
            Ok(answer) => accepted = answer.accepted_size,
            Err(status) => assert_eq!(reason(&status), "TOO_MANY_HEADS"),
        }
    }
    assert!(size().await <= before + 20, "{} events of 60 heads", size().await - before);

    // Unproven once is refused, and the honest head still counts.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let other = liar.checkpoint(accepted + 3, Digest::of(b"another ledger"));
    let refused = show(&liar, other, accepted, accepted + 3).await.unwrap_err();
    assert_eq!(reason(&refused), "LEDGER_UNPROVEN");
    assert!(!status(&parties.us).await.witness.unwrap().held);

    // Two roots of one size need no second time: the channel is held, and takes nothing in.
    let fork = liar.checkpoint(accepted, Digest::of(b"another ledger"));
    assert_eq!(reason(&show(&liar, fork, accepted, accepted).await.unwrap_err()), "LEDGER_CONTRADICTED");
    assert!(status(&parties.us).await.witness.unwrap().held);
    let next = honest(&liar, accepted);
    assert_eq!(reason(&show(&liar, next, accepted, accepted).await.unwrap_err()), "CHANNEL_HELD");
    let message = liar.honest();
    us.stop().unwrap();
    let proofs = contradictions(&parties.us);
    assert_eq!(proofs.len(), 1);
    assert_proof(&proofs[0], &Digest::of(&parties.us.counterparty_ledger_key().unwrap()));

    // Over a restart too.
    let us = serve(&parties.us);
    assert!(status(&parties.us).await.witness.unwrap().held);
    let refused = liar.deliver_unopened(vec![message]).await.unwrap_err();
    assert!(["CHANNEL_HELD", "LEDGER_UNPROVEN"].contains(&reason(&refused).as_str()), "{refused:?}");
    us.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cosigner_that_takes_back_what_it_cosigned_proves_it() {
    let parties = Parties::new();
    let relay = Relay::serve(&parties.us, &parties.kz).await;
    let (us, _kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("one", 0).await.unwrap();
    let cosigned =
        |status: &article6::operations::v1::GetStatusResponse| status.witness.unwrap().cosigned_size;
    until(&parties.us, "cosigned", |status| cosigned(status) > 4).await;
    // Both had their say: nothing more is cosigned meanwhile.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = status(&parties.us).await;
    // The word alone holds nothing: what it says it accepted is the head it cosigned last.
    relay.lies(Lie::Accepted(cosigned(&before)));
    office.submit("two", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 2).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!status(&parties.us).await.witness.unwrap().held);
    relay.lies(Lie::Accepted(4));
    until(&parties.us, "held", |status| status.witness.unwrap().held).await;
    us.stop().unwrap();
    let proofs = contradictions(&parties.us);
    let [proof] = proofs.as_slice() else { panic!("{proofs:?}") };
    assert!(proof.file_name().unwrap().to_str().unwrap().starts_with("retraction-"), "{proof:?}");
    assert_proof(proof, &Digest::of(&parties.us.counterparty_ledger_key().unwrap()));
}
