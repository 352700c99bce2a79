//! Where the channel meets the agreement: bodies are opaque to the one and known to the other.

use crate::treaty;
use crate::wire::assistance::v1::Body;
use bytes::Bytes;
use prost::Message as _;

/// What a body does to its case, encoded; empty for a body that cannot be understood.
pub fn effect(body: &[u8]) -> Bytes {
    Body::decode(body).map(|body| treaty::effect(&body).encode_to_vec().into()).unwrap_or_default()
}
