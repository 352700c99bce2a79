//! Where the channel meets the agreement: bodies are opaque to the one and known to the other.

use crate::treaty;
use crate::wire::assistance::v1::{Body, Effect};
use bytes::Bytes;
use prost::Message as _;

/// Most bytes of an effect: a record holds one beside an envelope and a signature. No body within its bounds has a longer one.
const EFFECT_BYTES_MAX: usize = 64 << 10;

/// What a body does to its case, encoded; empty for a body that cannot be understood. One that exceeds its bounds so far
/// that its effect would not fit is kept with nothing but its kind
/// and its supplier's wish for confidentiality.
pub fn effect(body: &[u8]) -> Bytes {
    let Ok(body) = Body::decode(body) else { return Bytes::new() };
    let effect = treaty::effect(&body);
    if effect.encoded_len() <= EFFECT_BYTES_MAX {
        return effect.encode_to_vec().into();
    }
    Effect { kind: effect.kind, confidential: effect.confidential, ..Effect::default() }
        .encode_to_vec()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::assistance::v1::{Accord, ForwardingNotice, HeadSignature, Kind, body::Content};

    /// A certified peer may send a body far beyond its bounds: what is kept of it must still fit a record.
    #[test]
    fn an_effect_fits_its_record_whatever_the_body_says() {
        let accord = Accord { signatures: vec![HeadSignature::default(); 100_000], ..Accord::default() };
        let forwarding =
            ForwardingNotice { measure_ids: vec!["m".repeat(250); 1000], ..ForwardingNotice::default() };
        for (content, kind) in [
            (Content::Accord(accord), Kind::Accord),
            (Content::ForwardingNotice(forwarding), Kind::ForwardingNotice),
        ] {
            let kept = effect(&Body { content: Some(content) }.encode_to_vec());
            assert!(kept.len() <= EFFECT_BYTES_MAX);
            assert_eq!(Effect::decode(kept).unwrap(), Effect { kind: kind.into(), ..Effect::default() });
        }
    }
}
