//! Statements of the daemons themselves: keys that come into use and go out of it.

use super::deliver::Arrival;
use super::event::{Attachments, derive_message_id};
use super::submit::Outgoing;
use super::writer::{Desk, Fatal};
use crate::channel::envelope::Draft;
use crate::channel::keys::Side;
use crate::channel::lookup::Lookup;
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::{Digest, commitment};
use crate::rules;
use crate::store::StoreError;
use crate::wire::channel::v1::{
    Envelope, KeyIntroduction, KeyRetirement, KeyUse, ServiceKind, StatementType,
};
use crate::wire::ledger::v1::{KeyIntroduced, KeyRetired, event::Fact};
use bytes::Bytes;
use prost::Message as _;

/// Cases are of the agreement; a service statement belongs to none.
const NO_CASE: [u8; 16] = [0; 16];

/// What a service statement says.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// A further key.
    Introduction(KeyIntroduction),
    /// A key less.
    Retirement(KeyRetirement),
}

/// What is known of a service statement before it is judged.
#[derive(Debug, Clone, PartialEq)]
pub enum ServiceArrival {
    /// It is none.
    None,
    /// Of a kind that is not known here.
    Unknown,
    /// What it says is malformed.
    Malformed,
    /// What it says, and the certificate (DER) of the key that signed it.
    Sound(Service, Bytes),
}

impl Service {
    fn decode(kind: u32, body: &[u8]) -> ServiceReading {
        let kind = i32::try_from(kind).ok().and_then(|kind| ServiceKind::try_from(kind).ok());
        let name = match kind {
            Some(ServiceKind::KeyIntroduction) => "article6.channel.v1.KeyIntroduction",
            Some(ServiceKind::KeyRetirement) => "article6.channel.v1.KeyRetirement",
            _ => return ServiceReading::Unknown,
        };
        if !rules::check(name, body).is_empty() {
            return ServiceReading::Malformed;
        }
        let read = match kind {
            Some(ServiceKind::KeyRetirement) => KeyRetirement::decode(body).map(Self::Retirement),
            _ => KeyIntroduction::decode(body).map(Self::Introduction),
        };
        match read {
            Ok(Self::Introduction(it)) if !is_usable(&it) => ServiceReading::Malformed,
            Ok(service) => ServiceReading::Sound(service),
            Err(_) => ServiceReading::Malformed,
        }
    }
}

enum ServiceReading {
    Unknown,
    Malformed,
    Sound(Service),
}

/// Whether the key is what its certificate says, and fit for its use.
pub fn is_usable(it: &KeyIntroduction) -> bool {
    if matches!(it.r#use(), KeyUse::Recovery | KeyUse::Unspecified) {
        return false;
    }
    if it.r#use() == KeyUse::Ledger {
        return it.key.len() == 32 && it.certificate.is_empty();
    }
    let Ok(certificate) = Certificate::from_der(&it.certificate) else { return false };
    let fits = it.r#use() != KeyUse::Signing || (certificate.may_sign() && certificate.curve().is_some());
    fits && certificate.spki_der() == it.key
}

/// What an arriving statement says, if it is one of the daemons.
pub(super) fn read(envelope: &Envelope, body: Option<&[u8]>, trusted: &[Certificate]) -> ServiceArrival {
    if StatementType::try_from(envelope.statement_type) != Ok(StatementType::Service) {
        return ServiceArrival::None;
    }
    let signer = trusted.iter().find(|it| it.key_id().as_bytes().as_slice() == envelope.signing_key_id);
    match (Service::decode(envelope.kind, body.unwrap_or_default()), signer) {
        (ServiceReading::Unknown, _) => ServiceArrival::Unknown,
        (ServiceReading::Sound(service), Some(signer)) => {
            ServiceArrival::Sound(service, Bytes::copy_from_slice(signer.der()))
        }
        _ => ServiceArrival::Malformed,
    }
}

/// The statement that introduces or retires a key, ready to be sealed: always the same for the same key.
pub fn statement(terms: &Terms, service: &Service, salt: [u8; 32]) -> Outgoing {
    let (kind, key, body) = match service {
        Service::Introduction(it) => {
            (ServiceKind::KeyIntroduction, Digest::of(&it.key).to_string(), it.encode_to_vec())
        }
        Service::Retirement(it) => {
            let key = Digest::from_slice(&it.key_id).unwrap_or(Digest::ZERO);
            (ServiceKind::KeyRetirement, key.to_string(), it.encode_to_vec())
        }
    };
    // No client is called so: names of clients have no slash.
    let message_id = derive_message_id(terms, "article6/service", &format!("{}/{key}", kind.as_str_name()));
    let draft = Draft {
        statement_type: StatementType::Service,
        message_id,
        case_id: NO_CASE,
        kind: u32::try_from(i32::from(kind)).unwrap_or(0),
        in_reply_to: None,
        acting_official: String::new(),
        releasing_official: String::new(),
        language: String::new(),
        body_commitment: commitment(&salt, &body),
        directives: None,
        documents: Vec::new(),
    };
    Outgoing {
        draft,
        body: body.into(),
        body_salt: salt,
        effect: Bytes::new(),
        touches_case: false,
        releases: None,
    }
}

/// What follows from a statement of the other Party that is stored with this batch.
pub(super) fn received(desk: &mut Desk, arrival: &ServiceArrival, sequence: u64) -> Result<(), Fatal> {
    let ServiceArrival::Sound(service, signer) = arrival else { return Ok(()) };
    let fact = fact(service, Side::Peer, sequence, signer.clone());
    desk.record(fact, None, Attachments::default()).map(drop)
}

/// What follows from a statement of this Party whose receipt is recorded with this batch: made durable at once, so that
/// nothing is signed with the new key before.
pub(super) fn acknowledged(desk: &mut Desk, sequence: u64) -> Result<(), Fatal> {
    let failed = |error: StoreError| Fatal::Store(error.to_string());
    let store = desk.core.store.clone();
    let Some(sealed) = store.find(&Lookup::Sealed(sequence)).map_err(failed)? else { return Ok(()) };
    let Some(envelope) = &sealed.envelope else { return Ok(()) };
    let Some(item) = store.item(&sealed).map_err(failed)? else { return Ok(()) };
    let ServiceReading::Sound(service) = Service::decode(envelope.kind, &item.body) else { return Ok(()) };
    let keys = desk.core.keys.load();
    let signer = keys.certificate(&envelope.signing_key_id).map(|it| Bytes::copy_from_slice(it.der()));
    let fact = fact(&service, Side::Own, sequence, signer.unwrap_or_default());
    desk.record(fact, None, Attachments::default())?;
    desk.settle()
}

fn fact(service: &Service, side: Side, sequence: u64, introducer: Bytes) -> Fact {
    let of_counterparty = side == Side::Peer;
    match service.clone() {
        Service::Introduction(KeyIntroduction { r#use, key, certificate }) => {
            Fact::KeyIntroduced(KeyIntroduced {
                of_counterparty,
                r#use,
                key,
                certificate,
                sequence,
                introducer,
            })
        }
        Service::Retirement(KeyRetirement { r#use, key_id }) => {
            Fact::KeyRetired(KeyRetired { of_counterparty, r#use, key_id, sequence })
        }
    }
}

/// Whether what an arriving statement says can be, as far as the state tells.
pub(super) fn is_acceptable(desk: &Desk, arrival: &Arrival) -> bool {
    match &arrival.service {
        ServiceArrival::Sound(Service::Introduction(it), _) => {
            desk.state.keys().may_introduce(it.r#use(), &Digest::of(&it.key))
        }
        // A key cannot end its own Party's chain: whoever retires the key that signs the retirement says two things. And the
        // recovery key is what ends a thief who has every other one.
        ServiceArrival::Sound(Service::Retirement(it), _) => {
            let used_for = matches!(it.r#use(), KeyUse::Signing | KeyUse::Ledger | KeyUse::Tls);
            used_for && it.key_id != arrival.envelope.key().as_bytes().as_slice()
        }
        ServiceArrival::None => true,
        ServiceArrival::Unknown | ServiceArrival::Malformed => false,
    }
}
