//! Decodes requests strictly: every bound of every field, and nothing unknown.
//!
//! prost drops fields it does not know, and a client that sent one would believe it was taken. So the bytes of a
//! request are checked before they are decoded. Responses are read tolerantly, so that an older client understands a
//! newer daemon.

use std::marker::PhantomData;

use bytes::Buf as _;
use prost::{Message, Name};
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::{Code, Status};
use tonic_prost::{ProstCodec, ProstEncoder};

use super::refusal::{FieldViolation, Refusal};
use crate::rules::{self, Violation};

/// A codec for generated services whose requests are checked by the rules of the protos.
#[derive(Debug, Clone)]
pub struct StrictCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for StrictCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for StrictCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = StrictDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        StrictDecoder(PhantomData)
    }
}

/// Decodes one message.
#[derive(Debug)]
pub struct StrictDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for StrictDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        if U::NAME.ends_with("Request") {
            let mut violations = rules::check(&U::full_name(), &bytes);
            violations.retain(is_for_the_door);
            if !violations.is_empty() {
                return Err(invalid(&violations).status());
            }
        }
        U::decode(bytes).map(Some).map_err(|_| malformed().status())
    }
}

/// A message's body is judged by the agreement, which says better what is missing and why; here only what decoding
/// would lose is looked for in it.
fn is_for_the_door(violation: &Violation) -> bool {
    const LOST_BY_DECODING: [&str; 4] = ["UNKNOWN_FIELD", "DUPLICATE_FIELD", "INVALID_UTF8", "MALFORMED"];
    !violation.field.starts_with("submission.body.") || LOST_BY_DECODING.contains(&violation.code)
}

/// Fields of a request that are wrong.
pub fn invalid(violations: &[Violation]) -> Refusal {
    let text = match violations {
        [one] => format!("{}: {}", one.field, one.description),
        many => format!("{} fields are missing, unknown or out of bounds", many.len()),
    };
    let refusal = Refusal::new(Code::InvalidArgument, "FIELD_INVALID", text);
    violations.iter().fold(refusal, |refusal, violation| refusal.violation(told(violation)))
}

fn told(violation: &Violation) -> FieldViolation {
    let description = match violation.article {
        "" => violation.description.to_owned(),
        article => format!("{} (Article {article})", violation.description),
    };
    FieldViolation { field: violation.field.clone(), reason: violation.code.into(), description }
}

fn malformed() -> Refusal {
    Refusal::new(Code::InvalidArgument, "REQUEST_MALFORMED", "the request cannot be decoded")
}
