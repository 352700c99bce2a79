//! Two Parties' engines in one process, on disks that fail on purpose, with everything checked after each step.

use super::acknowledge::Accepted;
use super::clock::Clock;
use super::deliver::ConsumeError;
use super::engine::Engine;
use super::event::derive_message_id;
use super::keys::OwnKeys;
use super::parcel::{inspect, sealed_from};
use super::receipts::{Checker, receipt};
use super::start::{Keeper, StartError, StoreSettings, found, start};
use super::submit::{Outgoing, SubmitError};
use crate::channel::envelope::Draft;
use crate::channel::lookup::Lookup;
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::{Digest, commitment};
use crate::crypto::ed25519::LedgerKey;
use crate::crypto::keyfile::generate_ed25519;
use crate::crypto::scheme::Curve;
use crate::crypto::signing::SigningKey;
use crate::crypto::testing::{Authority, Identity};
use crate::disk::Disk;
use crate::disk::sim::{Aftermath, SimDisk};
use crate::journal::{Paths, Sizes};
use crate::ledger::tree::{Frontier, leaf_hash};
use crate::wire::channel::v1::{Environment, StatementType};
use crate::wire::ledger::v1::event::Fact;
use bytes::Bytes;
use prost::Message as _;
use prost_types::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that tests move.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp { seconds: 1_800_000_000 + self.0.load(Ordering::Relaxed), nanos: 0 }
    }
}

/// One Party: its keys, its disk, and its engine while it runs.
pub struct Side {
    pub terms: Terms,
    pub disk: SimDisk,
    pub clock: Arc<ManualClock>,
    pub engine: Option<Engine>,
    signing: Identity,
    ledger: Vec<u8>,
    pub settings: StoreSettings,
    /// What the engine said yes to: request, and the ledger index it gave.
    pub acknowledged: BTreeMap<String, u64>,
}

impl Side {
    pub fn new(authority: &Authority, party: &str, counterparty: &str, sizes: Sizes) -> Self {
        let folder = PathBuf::from("/store");
        Self {
            terms: Terms {
                environment: Environment::Test,
                agreement: "US-KZ-1997".into(),
                party: party.into(),
                counterparty: counterparty.into(),
            },
            disk: SimDisk::default(),
            clock: Arc::default(),
            engine: None,
            signing: authority.identity(Curve::P256),
            ledger: generate_ed25519().unwrap().to_vec(),
            settings: StoreSettings {
                paths: Paths { data: folder, head: "/head/head".into() },
                key_file: "/keys/store.key".into(),
                sizes,
                rejections_per_second: 10,
            },
            acknowledged: BTreeMap::new(),
        }
    }

    fn keeper(&self) -> Keeper {
        Keeper {
            terms: self.terms.clone(),
            keys: OwnKeys {
                signing: vec![SigningKey::from_pkcs8(&self.signing.pkcs8, self.certificate()).unwrap()],
                ledger: vec![LedgerKey::from_pkcs8(&self.ledger).unwrap()],
                tls: Vec::new(),
            },
            heads: Default::default(),
        }
    }

    pub fn found(&self) -> Result<(), StartError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        found(&disk, &self.settings, &self.keeper(), Digest::of(b"recovery"), self.clock.as_ref())
    }

    pub fn start(&mut self) -> Result<(), StartError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        self.engine = Some(start(&disk, &self.settings, self.keeper(), self.clock.clone())?);
        Ok(())
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    /// Ends the engine and waits until its tasks have let go of the store.
    pub async fn stop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.stop();
            let mut progress = engine.progress();
            drop(engine);
            while progress.changed().await.is_ok() {}
        }
    }

    pub async fn restart(&mut self, aftermath: Aftermath) {
        self.stop().await;
        self.disk.restart(aftermath);
        self.start().unwrap();
    }

    pub fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.signing.certificate_pem.as_bytes()).unwrap()
    }

    pub fn ledger_public(&self) -> [u8; 32] {
        LedgerKey::from_pkcs8(&self.ledger).unwrap().public()
    }

    pub fn checker(&self) -> Checker {
        Checker::new(vec![self.terms.vkey(1, self.ledger_public())], Vec::new())
    }

    /// Submits a message; what the engine says yes to is remembered.
    pub async fn submit(&mut self, request: &str, body: &[u8]) -> Result<u64, SubmitError> {
        let leaf = self.engine().submit(outgoing(&self.terms, request, body)).await?;
        let before = self.acknowledged.insert(request.to_owned(), leaf);
        assert!(before.is_none_or(|before| before == leaf), "the same submission got another answer");
        Ok(leaf)
    }
}

pub fn outgoing(terms: &Terms, request: &str, body: &[u8]) -> Outgoing {
    let salt = *Digest::of(request.as_bytes()).as_bytes();
    Outgoing {
        draft: Draft {
            statement_type: StatementType::Treaty,
            message_id: derive_message_id(terms, "client", request),
            case_id: [1; 16],
            kind: 1,
            in_reply_to: None,
            acting_official: "O-1".into(),
            releasing_official: String::new(),
            language: "en".into(),
            body_commitment: commitment(&salt, body),
            directives: None,
            documents: Vec::new(),
        },
        body: Bytes::copy_from_slice(body),
        body_salt: salt,
        effect: Bytes::new(),
        touches_case: false,
        releases: None,
    }
}

/// Why a message did not get across.
#[derive(Debug)]
#[allow(dead_code, reason = "shown when a test fails")]
pub enum Halt {
    Consume(ConsumeError),
    Engine,
}

/// Delivers what `from` has sealed and `to` has not given a receipt for, one message at a time.
pub async fn deliver(from: &Side, to: &Side) -> Result<u64, Halt> {
    let mut delivered = 0;
    loop {
        let next = acknowledged(from.engine()) + 1;
        let mut parcels = sealed_from(from.engine().store(), next, 1, 1 << 20).map_err(|_| Halt::Engine)?;
        let Some(parcel) = parcels.pop() else { return Ok(delivered) };
        let sent = parcel.expects(next);
        let arrival = inspect(parcel, &[from.certificate()]).unwrap();
        let answer = to.engine().consume(vec![arrival], false).await.map_err(Halt::Consume)?;
        let outcomes = answer.await.map_err(|_| Halt::Engine)?.map_err(Halt::Consume)?;
        let (receipt, size) = receipt(to.engine().store(), &outcomes[0]).map_err(|_| Halt::Engine)?;
        let mut checker = to.checker();
        let (receipted, checkpoint) = checker.receipt(&receipt, &sent).unwrap();
        assert_eq!(checkpoint.size, size);
        let accepted = Accepted {
            peer_note: None,
            sequence: next,
            envelope_digest: sent.digest,
            receipt: receipt.encode_to_vec().into(),
            rejection: receipted.rejection,
            peer_size: checkpoint.size,
            peer_root: checkpoint.root,
        };
        let answer = from.engine().acknowledge(vec![accepted]).await.map_err(|_| Halt::Engine)?;
        answer.await.map_err(|_| Halt::Engine)?.map_err(|_| Halt::Engine)?;
        delivered += 1;
    }
}

/// Highest sequence with a recorded receipt.
pub fn acknowledged(engine: &Engine) -> u64 {
    engine.state().acknowledged()
}

/// Everything a pair of stores must satisfy at any time.
pub fn check_everything(a: &Side, b: &Side) {
    for (side, other) in [(a, b), (b, a)] {
        let store = side.engine().store();
        let head = store.reader().head();
        let mut frontier = Frontier::default();
        let (mut sealed, mut consumed) = (0, 0);
        for leaf in 0..head.size {
            let opened = store.event(leaf).unwrap();
            frontier.append(leaf_hash(&opened.commitment()), |_| {});
            match opened.event.fact.clone().unwrap() {
                Fact::Founded(_) => assert_eq!(leaf, 0),
                Fact::Sealed(event) => {
                    sealed += 1;
                    assert_eq!(event.sequence, sealed, "sequences have no gap");
                    assert_eq!(opened.envelope.as_ref().unwrap().sealed_leaf_index, leaf);
                }
                Fact::Received(event) => {
                    consumed += 1;
                    assert_eq!(event.sequence, consumed, "each message is consumed once");
                    let theirs = other.engine().store().find(&Lookup::Sealed(event.sequence)).unwrap();
                    let theirs = theirs.expect("nothing is received that was not sealed durably");
                    assert_eq!(theirs.record.envelope, opened.record.envelope);
                    let item = store.item(&opened).unwrap().unwrap();
                    assert_eq!(
                        item,
                        other.engine().store().item(&theirs).unwrap().unwrap(),
                        "bytes out are bytes in"
                    );
                }
                Fact::Acknowledged(event) => {
                    let theirs = other.engine().store().find(&Lookup::Consumed(event.sequence)).unwrap();
                    assert!(theirs.is_some(), "a receipt is only given for what is durable");
                    let peer = other.engine().store().reader().head();
                    assert!(event.peer_size <= peer.size, "an accepted head is never taken back");
                }
                _ => {}
            }
        }
        assert_eq!(frontier.root(), head.root, "the head is the root of the events");
        for (request, leaf) in &side.acknowledged {
            let id = derive_message_id(&side.terms, "client", request);
            let found = store.find(&Lookup::Message(id)).unwrap().expect("nothing acknowledged is lost");
            assert_eq!(found.leaf, *leaf);
        }
        for size in 1..head.size {
            store.consistency(size, head.size).unwrap();
        }
    }
}
