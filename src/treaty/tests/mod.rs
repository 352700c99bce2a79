//! The rules of completeness, each broken once.

mod effects;
mod notices;
mod requests;
mod settings;

use super::examples::*;
use super::{Code, check_body, deficiencies, effect, kind_of};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::*;
use prost::Message as _;

/// Code and field of everything found in a body.
fn found(content: Content) -> Vec<(&'static str, String)> {
    deficiencies(&encode(content)).into_iter().map(|it| (it.code, it.field)).collect()
}

/// Asserts that a change to the valid `message` is found under exactly one code, at one field.
#[track_caller]
fn breaks<M>(mut message: M, wrap: fn(M) -> Content, change: impl FnOnce(&mut M), code: Code, field: &str) {
    change(&mut message);
    assert_eq!(found(wrap(message)), vec![(code.name(), field.to_owned())]);
}

#[test]
fn a_minimal_message_of_each_kind_passes() {
    let examples = all();
    assert_eq!(examples.len(), 24);
    for (content, number) in examples.into_iter().zip(1..) {
        let body = Body { content: Some(content) };
        let checked = check_body(&body.encode_to_vec());
        let kind = kind_of(&body).unwrap();
        assert_eq!(i32::from(kind), number);
        assert_eq!(effect(&body).kind, number);
        assert_eq!(checked, Ok((kind, body)));
    }
}

#[test]
fn what_is_no_body_is_refused() {
    assert!(check_body(b"").is_err());
    assert!(check_body(&[0xff; 8]).is_err());
    assert!(!deficiencies(&[0x0a, 0x7f]).is_empty());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = check_body(&bytes);
    }

    #[test]
    fn a_damaged_body_never_panics(kind in 0..24usize, place in 0..400usize, value: u8) {
        let mut bytes = encode(all().swap_remove(kind));
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(place % length.max(1)) {
            *byte = value;
        }
        let _ = check_body(&bytes);
        if let Ok(body) = Body::decode(bytes.as_slice()) {
            let _ = effect(&body);
        }
    }
}
