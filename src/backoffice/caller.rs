//! Who calls, for which official, for which purpose.

use super::refusals;
use crate::crypto::digest::Digest;
use crate::door::{PeerIdentity, Refusal};
use crate::limits;
use crate::wire::assistance::v1::Purpose;
use crate::wire::ledger::v1::Read;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request};

/// The metadata key that names the official a call is made for.
pub const OFFICIAL: &str = "article6-official";

/// The clients of this door and the officials they act for.
#[derive(Debug, Default)]
pub struct Callers {
    clients: BTreeMap<Digest, Client>,
}

#[derive(Debug)]
struct Client {
    name: String,
    officials: BTreeSet<String>,
    feeds: Arc<Semaphore>,
}

/// A call that may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the client, from the configuration.
    pub client: String,
    /// The official; empty where the call named none.
    pub official: String,
    key: Digest,
}

/// A call that may read content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Who reads.
    pub caller: Caller,
    /// What for.
    pub purpose: Purpose,
}

impl Reading {
    /// What is recorded of it, without the messages read.
    pub fn fact(&self) -> Read {
        Read {
            client: self.caller.client.clone(),
            official: self.caller.official.clone(),
            purpose: u32::try_from(i32::from(self.purpose)).unwrap_or(0),
            leaves: Vec::new(),
        }
    }
}

impl Callers {
    /// Adds a client with the officials it may act for.
    pub fn add(&mut self, key: Digest, name: &str, officials: impl IntoIterator<Item = String>) {
        let feeds = Arc::new(Semaphore::new(limits::FEEDS_PER_CLIENT));
        self.clients
            .insert(key, Client { name: name.to_owned(), officials: officials.into_iter().collect(), feeds });
    }

    /// Recognises the client by its certificate's key, and the official by the call's metadata.
    pub fn recognise<T>(&self, request: &Request<T>) -> Result<Caller, Refusal> {
        let identity = request.extensions().get::<PeerIdentity>();
        let known =
            identity.and_then(|identity| Some((identity.key_id, self.clients.get(&identity.key_id)?)));
        let Some((key, client)) = known else {
            return Err(Refusal::new(
                Code::PermissionDenied,
                "CLIENT_NOT_CONFIGURED",
                "the certificate is valid, but no [[clients]] entry names it",
            ));
        };
        let official = official(request.metadata())?;
        if !official.is_empty() && !client.officials.contains(&official) {
            return Err(Refusal::new(
                Code::PermissionDenied,
                "OFFICIAL_NOT_ALLOWED",
                "this client may not act for the official it named",
            ));
        }
        Ok(Caller { client: client.name.clone(), official, key })
    }

    /// A place among the feeds a client may have open.
    pub fn feed_place(&self, caller: &Caller) -> Result<OwnedSemaphorePermit, Refusal> {
        let feeds = self.clients.get(&caller.key).map(|client| client.feeds.clone());
        feeds.and_then(|feeds| feeds.try_acquire_owned().ok()).ok_or_else(|| {
            Refusal::new(Code::ResourceExhausted, "TOO_MANY_FEEDS", "this client has too many feeds open")
                .retry_after(limits::OVERLOAD_RETRY)
        })
    }
}

impl Caller {
    /// The official, where a call must name one.
    pub fn acting_official(&self) -> Result<&str, Refusal> {
        if self.official.is_empty() {
            return Err(Refusal::new(
                Code::InvalidArgument,
                "OFFICIAL_REQUIRED",
                format!("name the official you act for in the metadata key {OFFICIAL} (Article 6.1)"),
            ));
        }
        Ok(&self.official)
    }

    /// The right to read content for a declared purpose (Article 3.1).
    pub fn read_for(self, purpose: i32) -> Result<Reading, Refusal> {
        self.acting_official()?;
        match Purpose::try_from(purpose) {
            Err(_) | Ok(Purpose::Unspecified) => Err(refusals::field(
                "purpose",
                "PURPOSE_REQUIRED",
                "say what the content is read for (Article 3.1)",
            )),
            Ok(Purpose::Other) => Err(Refusal::new(
                Code::PermissionDenied,
                "CONSENT_REQUIRED",
                "use for other purposes needs the supplying Party's express consent (Article 3.1)",
            )),
            Ok(purpose) => Ok(Reading { caller: self, purpose }),
        }
    }
}

fn official(metadata: &MetadataMap) -> Result<String, Refusal> {
    let mut values = metadata.get_all(OFFICIAL).iter();
    let Some(first) = values.next() else { return Ok(String::new()) };
    let text = first.to_str().unwrap_or_default();
    let sound = (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if values.next().is_some() || !sound {
        return Err(Refusal::new(
            Code::InvalidArgument,
            "OFFICIAL_MALFORMED",
            format!(
                "{OFFICIAL} must name one official by his identifier: 1 to 40 letters, digits and - _ . :"
            ),
        ));
    }
    Ok(text.to_owned())
}
