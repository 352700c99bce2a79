//! Names, cursors and page tokens.
//!
//! A cursor names a place in one ledger, so that a cursor of another store is noticed. A page token is bound to the
//! conditions of its list.

use super::refusals;
use crate::crypto::digest::Digest;
use crate::door::Refusal;
use uuid::Uuid;

/// Resource name of a message.
pub fn message_name(id: &[u8; 16]) -> String {
    format!("messages/{}", Uuid::from_bytes(*id))
}

/// Resource name of a case.
pub fn case_name(id: &[u8; 16]) -> String {
    format!("cases/{}", Uuid::from_bytes(*id))
}

/// Resource name of an order.
pub fn order_name(id: &[u8; 16]) -> String {
    format!("orders/{}", Uuid::from_bytes(*id))
}

/// Reads "orders/{uuid}".
pub fn order_id(field: &str, name: &str) -> Result<[u8; 16], Refusal> {
    identifier(name, "orders/").ok_or_else(|| {
        refusals::field(
            field,
            "NAME_MALFORMED",
            "a name \"orders/{order_id}\" is expected, with a UUID in lower case",
        )
    })
}

/// Reads "messages/{uuid}".
pub fn message_id(field: &str, name: &str) -> Result<[u8; 16], Refusal> {
    identifier(name, "messages/").ok_or_else(|| {
        refusals::field(
            field,
            "NAME_MALFORMED",
            "a name \"messages/{message_id}\" is expected, with a UUID in lower case",
        )
    })
}

/// Resource name of a draft.
pub fn draft_name(id: &[u8; 16]) -> String {
    format!("drafts/{}", Uuid::from_bytes(*id))
}

/// Reads "drafts/{uuid}".
pub fn draft_id(field: &str, name: &str) -> Result<[u8; 16], Refusal> {
    identifier(name, "drafts/").ok_or_else(|| {
        refusals::field(
            field,
            "NAME_MALFORMED",
            "a name \"drafts/{uuid}\" is expected, with a UUID in lower case",
        )
    })
}

/// Reads "cases/{uuid}".
pub fn case_id(field: &str, name: &str) -> Result<[u8; 16], Refusal> {
    identifier(name, "cases/").ok_or_else(|| {
        refusals::field(
            field,
            "NAME_MALFORMED",
            "a name \"cases/{case_id}\" is expected, with a UUID in lower case",
        )
    })
}

fn identifier(name: &str, collection: &str) -> Option<[u8; 16]> {
    let text = name.strip_prefix(collection)?;
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text).then(|| id.into_bytes())
}

/// Cursors of one ledger.
#[derive(Debug, Clone, Copy)]
pub struct Cursors {
    ledger: u32,
}

impl Cursors {
    /// Cursors of the ledger whose first leaf this is, or the event that began its epoch.
    pub fn of(founding: &Digest) -> Self {
        let [a, b, c, d, ..] = *founding.as_bytes();
        Self { ledger: u32::from_be_bytes([a, b, c, d]) }
    }

    /// Everything before `next_leaf` has been seen.
    pub fn encode(&self, next_leaf: u64) -> String {
        format!("{:08x}-{next_leaf:x}", self.ledger)
    }

    /// The ledger index to go on from.
    pub fn decode(&self, cursor: &str, size: u64) -> Result<u64, Refusal> {
        let malformed =
            || refusals::field("cursor", "CURSOR_UNKNOWN", "the cursor was not given by this daemon");
        let (ledger, next) = cursor.split_once('-').ok_or_else(malformed)?;
        let next = u64::from_str_radix(next, 16).map_err(|_| malformed())?;
        if ledger != format!("{:08x}", self.ledger) || next > size || self.encode(next) != cursor {
            return Err(malformed());
        }
        Ok(next)
    }
}

/// A token for the page before `before`, of a list with these conditions.
pub fn page_token(before: u64, conditions: &[u8]) -> String {
    format!("{before:x}-{}", &Digest::of(conditions).to_string()[..16])
}

/// The place a page token stands for.
pub fn read_page_token(token: &str, conditions: &[u8]) -> Result<u64, Refusal> {
    let unknown = || {
        refusals::field(
            "page_token",
            "PAGE_TOKEN_UNKNOWN",
            "the token was not given for a list with these conditions",
        )
    };
    let (before, _) = token.split_once('-').ok_or_else(unknown)?;
    let before = u64::from_str_radix(before, 16).map_err(|_| unknown())?;
    if page_token(before, conditions) == token { Ok(before) } else { Err(unknown()) }
}
