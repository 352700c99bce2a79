//! Who calls, for which official, for which purpose.

use super::official_token::{self, Expected, OfficialToken};
use super::refusals;
use super::roles::Verb;
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

/// The clients of this door, the officials they act for, and what these may do. Made anew at each reload.
#[derive(Debug, Default)]
pub struct Callers {
    clients: BTreeMap<Digest, Client>,
    officials: BTreeMap<String, Official>,
    audience: String,
}

/// An official and what is known of him here.
#[derive(Debug, Clone, Default)]
pub struct Official {
    /// What he may do.
    pub roles: Vec<String>,
    /// The key his tokens are signed with: the point of a P-256 key.
    pub token_key: Option<Vec<u8>>,
    /// He may read confidential content.
    pub cleared: bool,
}

#[derive(Debug)]
struct Client {
    name: String,
    trusted: bool,
    officials: BTreeSet<String>,
    feeds: Arc<Semaphore>,
}

/// A call that may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the client, from the configuration.
    pub client: String,
    /// The official.
    pub official: String,
    /// His own token stands behind the call.
    pub token: Option<OfficialToken>,
    /// He is a designated official by his roles.
    pub designated: bool,
    /// He may read confidential content.
    pub cleared: bool,
    /// He may read content for the purposes of the agreement.
    reads: bool,
    /// He may read for a use outside the agreement, where consent was given.
    pub for_other: bool,
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
    /// Whether what may be read for this purpose depends on what was agreed in the case (Articles 3.1 and 4).
    pub fn depends_on_case(&self) -> bool {
        matches!(self.purpose, Purpose::JudicialProceeding | Purpose::Other)
    }

    /// What is recorded of it, without the messages read.
    pub fn fact(&self) -> Read {
        Read {
            client: self.caller.client.clone(),
            official: self.caller.official.clone(),
            purpose: u32::try_from(i32::from(self.purpose)).unwrap_or(0),
            leaves: Vec::new(),
            withheld: String::new(),
        }
    }
}

impl Callers {
    /// Nobody yet; officials with their roles. Tokens are meant for `audience`.
    pub fn of(officials: BTreeMap<String, Official>, audience: String) -> Self {
        Self { clients: BTreeMap::new(), officials, audience }
    }

    /// Adds a client with the officials it may act for. Feeds it has open in `before` go on counting.
    pub fn add(
        &mut self,
        key: Digest,
        name: &str,
        trusted: bool,
        officials: impl IntoIterator<Item = String>,
        before: Option<&Self>,
    ) {
        let same = before.and_then(|before| before.clients.values().find(|client| client.name == name));
        let feeds = same.map(|client| client.feeds.clone());
        let feeds = feeds.unwrap_or_else(|| Arc::new(Semaphore::new(limits::FEEDS_PER_CLIENT)));
        let officials = officials.into_iter().collect();
        self.clients.insert(key, Client { name: name.to_owned(), trusted, officials, feeds });
    }

    /// Recognises the client by its certificate's key, and the official by the call's metadata, who must have a role
    /// for what the call does.
    pub fn recognise<T>(&self, request: &Request<T>, verb: Verb) -> Result<Caller, Refusal> {
        let identity = request.extensions().get::<PeerIdentity>();
        let known =
            identity.and_then(|identity| Some((identity.key_id, self.clients.get(&identity.key_id)?)));
        let Some((key, client)) = known else { return Err(not_configured()) };
        let official = official(request.metadata())?;
        if !client.officials.contains(&official) {
            return Err(Refusal::new(
                Code::PermissionDenied,
                "OFFICIAL_NOT_ALLOWED",
                "this client may not act for the official it named",
            ));
        }
        let unknown = Official::default();
        let known = self.officials.get(&official).unwrap_or(&unknown);
        let expected = Expected { audience: &self.audience, client: &client.name, official: &official };
        let token = official_token::read(request.metadata(), known.token_key.as_deref(), &expected)?;
        if token.is_none() && !client.trusted {
            return Err(official_token::required());
        }
        let may = |verb: Verb| verb.allowed(&known.roles).is_ok();
        // Who may read for another use alone may look for it, too: the purpose decides with the content.
        if !(matches!(verb, Verb::Read | Verb::Export) && may(Verb::ReadForOther)) {
            verb.allowed(&known.roles)?;
        }
        Ok(Caller {
            client: client.name.clone(),
            token,
            designated: may(Verb::Send),
            cleared: known.cleared,
            reads: may(Verb::Read) || may(Verb::Export),
            for_other: may(Verb::ReadForOther),
            key,
            official,
        })
    }

    /// Whether the client of a call is still configured, with this key.
    pub fn knows(&self, caller: &Caller) -> bool {
        self.clients.get(&caller.key).is_some_and(|client| client.name == caller.client)
    }

    /// What tokens are meant for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whether there is an official of this identifier.
    pub fn has_official(&self, official: &str) -> bool {
        self.officials.contains_key(official)
    }

    /// Whether an official has a role.
    pub fn has_role(&self, official: &str, role: &str) -> bool {
        self.officials.get(official).is_some_and(|official| official.roles.iter().any(|has| has == role))
    }

    /// The officials, by identifier.
    pub fn officials(&self) -> impl Iterator<Item = &String> {
        self.officials.keys()
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

/// The client's key is in no entry of the configuration.
pub fn not_configured() -> Refusal {
    Refusal::new(
        Code::PermissionDenied,
        "CLIENT_NOT_CONFIGURED",
        "the certificate is valid, but no [[clients]] entry names it",
    )
}

impl Caller {
    /// The right to read content for a declared purpose (Article 3.1).
    pub fn read_for(self, purpose: i32) -> Result<Reading, Refusal> {
        match Purpose::try_from(purpose) {
            Err(_) | Ok(Purpose::Unspecified) => Err(refusals::field(
                "purpose",
                "PURPOSE_REQUIRED",
                "say what the content is read for (Article 3.1)",
            )),
            Ok(purpose) if purpose != Purpose::Other && !self.reads => Err(Refusal::new(
                Code::PermissionDenied,
                "ROLE_MISSING",
                "this official reads for other purposes alone, where consent was given (Article 3.1)",
            )),
            // Whether another use is permitted depends on the item.
            Ok(purpose) => Ok(Reading { caller: self, purpose }),
        }
    }
}

fn official(metadata: &MetadataMap) -> Result<String, Refusal> {
    let mut values = metadata.get_all(OFFICIAL).iter();
    let Some(first) = values.next() else {
        return Err(Refusal::new(
            Code::InvalidArgument,
            "OFFICIAL_REQUIRED",
            format!("name the official you act for in the metadata key {OFFICIAL} (Article 6.1)"),
        ));
    };
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
