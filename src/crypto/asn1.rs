//! The little DER (X.690) that CMS needs: write a value, walk the fields of a value. Decoding itself, with its
//! strict tags and minimal lengths, is done by the `der` crate.

use der::asn1::AnyRef;
use der::{Decode, Reader as _, SliceReader, Tagged as _};

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
/// Context-specific, constructed, number 0, 1, 4.
pub const CONTEXT_0: u8 = 0xa0;
pub const CONTEXT_1: u8 = 0xa1;
pub const CONTEXT_4: u8 = 0xa4;

/// The bytes are not the DER that was expected at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// One DER value: tag, minimal length, and the concatenation of `parts`.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length.saturating_add(10));
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let octets = octets.iter().skip_while(|octet| **octet == 0);
            out.push(octets.clone().fold(0x80, |count, _| count + 1));
            out.extend(octets);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The fields of one DER value, read in order; [`Fields::finish`] refuses what was not read.
pub struct Fields<'a>(SliceReader<'a>);

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        SliceReader::new(bytes).map(Self).map_err(|_| Malformed)
    }

    /// The next field, whatever its tag: (tag, value).
    pub fn any(&mut self) -> Result<(u8, &'a [u8]), Malformed> {
        let field = AnyRef::decode(&mut self.0).map_err(|_| Malformed)?;
        Ok((field.tag().octet(), field.value()))
    }

    /// The value of the next field, which must have this tag.
    pub fn take(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        match self.any()? {
            (found, value) if found == tag => Ok(value),
            _ => Err(Malformed),
        }
    }

    /// The fields inside the next field, which must have this tag.
    pub fn open(&mut self, tag: u8) -> Result<Self, Malformed> {
        Self::new(self.take(tag)?)
    }

    /// The tag byte of the next field; `None` at the end.
    pub fn peek(&self) -> Option<u8> {
        self.0.peek_byte()
    }

    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    pub fn finish(self) -> Result<(), Malformed> {
        if self.is_finished() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_agrees_with_the_der_crate(value in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let written = tlv(OCTET_STRING, &[&value]);
            let expected = der::asn1::OctetString::new(value.as_slice()).unwrap().to_der().unwrap();
            prop_assert_eq!(&written, &expected);
            let mut fields = Fields::new(&written).unwrap();
            prop_assert_eq!(fields.peek(), Some(OCTET_STRING));
            prop_assert_eq!(fields.take(OCTET_STRING), Ok(value.as_slice()));
            prop_assert_eq!(fields.finish(), Ok(()));
        }
    }

    #[test]
    fn trailing_bytes_long_lengths_and_other_tags_are_refused() {
        let mut two = Fields::new(&[0x05, 0x00, 0x05, 0x00]).unwrap();
        assert_eq!(two.take(SEQUENCE), Err(Malformed));
        let mut two = Fields::new(&[0x05, 0x00, 0x05, 0x00]).unwrap();
        two.take(NULL).unwrap();
        assert_eq!(two.finish(), Err(Malformed));
        assert_eq!(Fields::new(&[0x04, 0x81, 0x01, 0xff]).unwrap().any(), Err(Malformed));
        assert_eq!(Fields::new(&[0x04, 0x80, 0x00, 0x00]).unwrap().any(), Err(Malformed));
    }
}
