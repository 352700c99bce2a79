//! Single values against their shape. `Ok(true)`: the value is present in the sense of `required`.

use super::format::Format;
use super::reader::{Reader, Wire};
use super::table::{Encoding, Shape};
use super::violation::Fault;
use icu_normalizer::ComposingNormalizerBorrowed;

/// Whether the payload of a value of this shape is delimited thus.
pub(super) fn wire_of(shape: &Shape) -> Wire {
    match shape {
        Shape::Text { .. } | Shape::Bytes { .. } | Shape::Message(_) => Wire::Delimited,
        Shape::Enum(_) => Wire::Varint,
        Shape::Float { width: 4 } => Wire::Fixed32,
        Shape::Float { .. } => Wire::Fixed64,
        Shape::Number { encoding, .. } => match encoding {
            Encoding::Unsigned | Encoding::Signed | Encoding::Zigzag => Wire::Varint,
            Encoding::Fixed32 | Encoding::SignedFixed32 => Wire::Fixed32,
            Encoding::Fixed64 | Encoding::SignedFixed64 => Wire::Fixed64,
        },
    }
}

/// Reads one number or enum. `None`: the bytes end before it does.
pub(super) fn scalar(shape: &Shape, input: &mut Reader) -> Option<Result<bool, Fault>> {
    Some(match shape {
        Shape::Number { encoding, min, max } => {
            let value = number(*encoding, input)?;
            if (*min..=*max).contains(&value) { Ok(value != 0) } else { Err(Fault::OutOfRange) }
        }
        Shape::Enum(values) => {
            // An enum is an int32, which travels sign-extended to 64 bits.
            let value = input.varint()?.cast_signed();
            match i32::try_from(value) {
                Ok(value) if values.binary_search(&value).is_ok() => Ok(value != 0),
                _ => Err(Fault::EnumUnknown),
            }
        }
        shape => input.skip(wire_of(shape)).map(|()| Ok(true))?,
    })
}

fn number(encoding: Encoding, input: &mut Reader) -> Option<i128> {
    Some(match encoding {
        Encoding::Unsigned => i128::from(input.varint()?),
        Encoding::Signed => i128::from(input.varint()?.cast_signed()),
        Encoding::Zigzag => {
            let value = input.varint()?;
            i128::from((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
        }
        Encoding::Fixed32 => i128::from(u32::from_le_bytes(input.fixed32()?)),
        Encoding::Fixed64 => i128::from(u64::from_le_bytes(input.fixed64()?)),
        Encoding::SignedFixed32 => i128::from(i32::from_le_bytes(input.fixed32()?)),
        Encoding::SignedFixed64 => i128::from(i64::from_le_bytes(input.fixed64()?)),
    })
}

/// A string of `min` to `max` characters. The empty string is absent and has nothing to comply with.
pub(super) fn text(bytes: &[u8], min: u32, max: u32, format: Format) -> Result<bool, Fault> {
    if bytes.is_empty() {
        return Ok(false);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::InvalidUtf8)?;
    let ascii = bytes.is_ascii();
    let chars = if ascii { bytes.len() } else { text.chars().count() };
    if chars > size(max) {
        return Err(Fault::TextTooLong);
    }
    if chars < size(min) {
        return Err(Fault::TextTooShort);
    }
    let control = if ascii {
        // Without an early end the compiler makes it one comparison for many bytes.
        bytes.iter().fold(false, |found, byte| found | (byte.is_ascii_control() & (*byte != b'\n')))
    } else {
        text.chars().any(|character| character.is_control() && character != '\n')
    };
    if control {
        return Err(Fault::ControlCharacter);
    }
    if !ascii && !ComposingNormalizerBorrowed::new_nfc().is_normalized(text) {
        return Err(Fault::NotNfc);
    }
    if format.accepts(text) { Ok(true) } else { Err(Fault::BadFormat(format)) }
}

/// A byte string of `min` to `max` bytes. The empty one is absent.
pub(super) fn bytes(bytes: &[u8], min: u32, max: u32) -> Result<bool, Fault> {
    if bytes.len() > size(max) {
        Err(Fault::BytesTooLong)
    } else if !bytes.is_empty() && bytes.len() < size(min) {
        Err(Fault::BytesTooShort)
    } else {
        Ok(!bytes.is_empty())
    }
}

fn size(bound: u32) -> usize {
    usize::try_from(bound).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_judged_in_characters() {
        let check = |value: &str| text(value.as_bytes(), 2, 4, Format::Text);
        assert_eq!(check("курс"), Ok(true));
        assert_eq!(check(""), Ok(false));
        assert_eq!(check("a"), Err(Fault::TextTooShort));
        assert_eq!(check("курсы"), Err(Fault::TextTooLong));
        assert_eq!(check("a\nb"), Ok(true));
        assert_eq!(check("a\tb"), Err(Fault::ControlCharacter));
        assert_eq!(check("a\u{85}b"), Err(Fault::ControlCharacter));
        assert_eq!(check("e\u{301}"), Err(Fault::NotNfc));
        assert_eq!(check("\u{e9}\u{e9}"), Ok(true));
        assert_eq!(text(b"\xff", 0, 4, Format::Text), Err(Fault::InvalidUtf8));
        assert_eq!(text(b"USA", 0, 4, Format::Country), Err(Fault::BadFormat(Format::Country)));
    }

    #[test]
    fn numbers_keep_their_sign() {
        let read = |encoding, bytes: &[u8]| number(encoding, &mut Reader::new(bytes));
        assert_eq!(read(Encoding::Zigzag, &[3]), Some(-2));
        assert_eq!(read(Encoding::Zigzag, &[4]), Some(2));
        let minus_one = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(read(Encoding::Signed, &minus_one), Some(-1));
        assert_eq!(read(Encoding::Unsigned, &minus_one), Some(i128::from(u64::MAX)));
        assert_eq!(read(Encoding::Zigzag, &minus_one), Some(i128::from(i64::MIN)));
        assert_eq!(read(Encoding::SignedFixed32, &[0xff; 4]), Some(-1));
        assert_eq!(read(Encoding::Fixed64, &[0xff; 7]), None);
    }
}
