//! The protobuf wire format (protobuf.dev, "Encoding"), read without decoding into types.

/// Largest field number.
const MAX_NUMBER: u32 = (1 << 29) - 1;

/// How the payload of a field is delimited. Groups are gone from proto3 and are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Varint,
    Fixed64,
    Delimited,
    Fixed32,
}

/// What has not been read of an encoded message. `None` from any method: the bytes are no protobuf
/// message, and nothing more can be read.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Field number and wire type.
    pub(super) fn key(&mut self) -> Option<(u32, Wire)> {
        let key = u32::try_from(self.varint()?).ok()?;
        let wire = match key & 7 {
            0 => Wire::Varint,
            1 => Wire::Fixed64,
            2 => Wire::Delimited,
            5 => Wire::Fixed32,
            _ => return None,
        };
        let number = key >> 3;
        (1..=MAX_NUMBER).contains(&number).then_some((number, wire))
    }

    /// At most ten bytes, and no more than 64 bits.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for (place, byte) in self.0.iter().take(10).enumerate() {
            if place == 9 && *byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                self.0 = self.0.get(place + 1..)?;
                return Some(value);
            }
        }
        None
    }

    pub(super) fn fixed32(&mut self) -> Option<[u8; 4]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn fixed64(&mut self) -> Option<[u8; 8]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn delimited(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn skip(&mut self, wire: Wire) -> Option<()> {
        match wire {
            Wire::Varint => self.varint().map(drop),
            Wire::Fixed64 => self.fixed64().map(drop),
            Wire::Delimited => self.delimited().map(drop),
            Wire::Fixed32 => self.fixed32().map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_end_at_64_bits() {
        let mut largest = [0xff; 10];
        largest[9] = 1;
        assert_eq!(Reader::new(&largest).varint(), Some(u64::MAX));
        largest[9] = 2;
        assert_eq!(Reader::new(&largest).varint(), None);
        assert_eq!(Reader::new(&[0x80; 11]).varint(), None);
        assert_eq!(Reader::new(&[]).varint(), None);
    }

    #[test]
    fn keys_have_a_number_and_a_wire_type() {
        assert_eq!(Reader::new(&[0x0a]).key(), Some((1, Wire::Delimited)));
        assert_eq!(Reader::new(&[0x02]).key(), None, "number 0");
        assert_eq!(Reader::new(&[0x0b]).key(), None, "a group");
        assert_eq!(Reader::new(&[0x0f]).key(), None, "no such wire type");
        assert_eq!(Reader::new(&[0x0a, 0xff]).delimited(), None, "longer than what is left");
    }
}
