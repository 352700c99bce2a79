//! One Party's back office: what it sends, what arrives, and what it checks for itself.

use super::super::client::{BackOffice, ClientError, Profile};
use super::super::homes::Home;
use crate::backoffice::v1::{
    Case, DeliveryState, FeedKind, Message, MessageView, Submission, WatchMessagesRequest,
    WatchMessagesResponse,
};
use crate::channel::proof_check::Checker;
use crate::channel::receipt::SentEnvelope;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::wire::assistance::v1::Purpose;
use crate::wire::channel::v1::Environment;
use anyhow::Context as _;
use std::time::Duration;
use tokio::time::timeout;
use tonic::Streaming;

/// Longest wait for a message to cross.
const PATIENCE: Duration = Duration::from_secs(30);

/// A back office, connected.
pub struct Office {
    /// Its Party.
    pub party: &'static str,
    door: BackOffice,
    feed: Streaming<WatchMessagesResponse>,
    checker: Checker,
}

impl Office {
    /// Connects to the daemon of a home, which is up.
    pub async fn open(home: &Home, other: &Home) -> anyhow::Result<Self> {
        let profile = Profile::read(&home.profile()).map_err(told)?;
        let door = BackOffice::connect(&profile).await.map_err(told)?;
        let watch = WatchMessagesRequest {
            view: MessageView::Full.into(),
            purpose: Purpose::PreventInvestigateRepressOffence.into(),
            kinds: vec![FeedKind::Received.into(), FeedKind::Outcome.into()],
            ..WatchMessagesRequest::default()
        };
        let feed = door.watch(watch).await.map_err(told)?;
        let terms = Terms {
            environment: Environment::Test,
            agreement: "US-KZ-1997".into(),
            party: home.party.into(),
            counterparty: other.party.into(),
        };
        let checker = Checker::new(vec![terms.vkey(1, other.counterparty_ledger_key()?)], Vec::new());
        Ok(Self { party: home.party, door, feed, checker })
    }

    /// Submits a message; its name.
    pub async fn submit(
        &self,
        request_id: &str,
        submission: Submission,
        official: &str,
    ) -> anyhow::Result<String> {
        let (message, warnings) = self.door.submit(request_id, submission, official).await.map_err(told)?;
        let warned = warnings.first().map(|it| format!("{}: {}", it.field, it.description));
        anyhow::ensure!(
            warned.is_none(),
            "an example has a code that no list has: {}",
            warned.unwrap_or_default()
        );
        Ok(message.name)
    }

    /// A case as this Party's daemon has it.
    pub async fn case(&self, name: &str) -> anyhow::Result<Case> {
        self.door.case(name).await.map_err(told)
    }

    /// Waits until a message that was sent has its receipt.
    pub async fn delivered(&mut self, name: &str) -> anyhow::Result<Message> {
        let (message, _) = self.shown(FeedKind::Outcome, name).await?;
        let delivery = message.delivery.clone().unwrap_or_default();
        match delivery.state() {
            DeliveryState::Delivered => Ok(message),
            _ => anyhow::bail!("the other Party turned the message down: {:?}", delivery.rejection()),
        }
    }

    /// Waits for a message of the other Party and takes it over.
    pub async fn take_over(&mut self, name: &str) -> anyhow::Result<Message> {
        let (message, cursor) = self.shown(FeedKind::Received, name).await?;
        anyhow::ensure!(message.content.is_some(), "the message arrived without its content");
        self.door.acknowledge(&cursor).await.map_err(told)?;
        Ok(message)
    }

    /// Whether the receipt that the sender shows proves that this Party's ledger holds the message.
    pub fn proves(&mut self, delivered: &Message) -> bool {
        let receipt = delivered.delivery.as_ref().and_then(|delivery| delivery.receipt.as_ref());
        let (Some(receipt), Some(content)) = (receipt, &delivered.content) else { return false };
        let sent = SentEnvelope {
            sequence: delivered.sequence,
            digest: Digest::of(&content.envelope),
            signature: Digest::of(&content.signature),
        };
        self.checker.receipt(receipt, &sent).is_ok_and(|(receipted, _)| receipted.rejection.is_none())
    }

    /// The next item of this kind about this message, and the cursor after it.
    async fn shown(&mut self, kind: FeedKind, name: &str) -> anyhow::Result<(Message, String)> {
        loop {
            let item = timeout(PATIENCE, self.feed.message()).await;
            let item = item.with_context(|| format!("nothing is heard of {name} within {PATIENCE:?}"))?;
            let item = item?.context("the feed ended")?;
            let of_kind = item.kind() == kind;
            if let Some(message) = item.message.filter(|message| of_kind && message.name == name) {
                return Ok((message, item.cursor));
            }
        }
    }
}

fn told(error: ClientError) -> anyhow::Error {
    anyhow::Error::msg(error.in_words())
}
