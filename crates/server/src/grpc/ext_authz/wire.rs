//! The fields of a protobuf message, read where they lie: of all that a proxy tells of
//! a request little is needed, and the rest is neither copied nor looked at.

use std::str;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// They end too early.
    #[error("It broke off.")]
    BrokenOff,
    /// A number is longer than numbers are, or a kind of value is none.
    #[error("It is no message.")]
    Nonsense,
    /// A field is not of the kind that the contract has there.
    #[error("Field {0} has another type.")]
    AnotherType(u64),
    /// A text is none.
    #[error("A text is not UTF-8.")]
    NotText,
}

/// A field: its number, and its value if that has a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    value: Option<&'a [u8]>,
}

/// The fields of a message, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next field, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(Malformed::Nonsense);
        }
        let value = match tag & 7 {
            0 => {
                self.varint()?;
                None
            }
            1 => {
                self.take(8)?;
                None
            }
            2 => {
                let length = self.varint()?;
                Some(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                None
            }
            // Groups (3 and 4) are in no contract of today.
            _ => return Err(Malformed::Nonsense),
        };
        Ok(Some(Field { number, value }))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed::BrokenOff)?;
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Malformed::BrokenOff)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for (place, &byte) in self.0.iter().enumerate().take(10) {
            if place == 9 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                self.0 = &self.0[place + 1..];
                return Ok(number);
            }
        }
        match self.0.len() < 10 {
            true => Err(Malformed::BrokenOff),
            false => Err(Malformed::Nonsense),
        }
    }
}

impl<'a> Field<'a> {
    /// The value, if the contract has one with a length there.
    pub(super) fn bytes(self) -> Result<&'a [u8], Malformed> {
        self.value.ok_or(Malformed::AnotherType(self.number))
    }
}

/// Bytes that must be a text.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(bytes).map_err(|_| Malformed::NotText)
}

/// An entry of a map, or a header of a list, which has the same form: key and value.
pub(super) fn pair(entry: &[u8], raw: bool) -> Result<(&[u8], &[u8]), Malformed> {
    let mut entry = Message::new(entry);
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    while let Some(field) = entry.next()? {
        match field.number {
            1 => key = field.bytes()?,
            2 => value = field.bytes()?,
            // A value that need not be text stands in place of one that must.
            3 if raw => {
                let bytes = field.bytes()?;
                if !bytes.is_empty() {
                    value = bytes;
                }
            }
            _ => {}
        }
    }
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Field<'_>>, Malformed> {
        let mut message = Message::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = message.next()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn fields_of_every_kind_are_passed_over() {
        let bytes = [
            &[0x08, 0xac, 0x02][..],
            &[0x11, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x1a, 2, b'h', b'i'],
            &[0x25, 1, 2, 3, 4],
        ]
        .concat();
        let fields = all(&bytes).expect("a message");
        let numbers: Vec<_> = fields.iter().map(|field| field.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert_eq!(fields[2].bytes().and_then(text), Ok("hi"));
        assert_eq!(fields[0].bytes(), Err(Malformed::AnotherType(1)));
        // Wherever it is cut within a field, it is none.
        for end in [1, 2, 4, 11, 13, 14, 15, 17, 20] {
            assert_eq!(all(&bytes[..end]), Err(Malformed::BrokenOff), "{end}");
        }
    }

    #[test]
    fn what_is_no_message_is_said() {
        for (bytes, why) in [
            (&[0x00, 0x00][..], Malformed::Nonsense),
            (&[0x0b], Malformed::Nonsense),
            (&[0x0c], Malformed::Nonsense),
            (&[0x0e], Malformed::Nonsense),
            (&[0xff; 11], Malformed::Nonsense),
            (
                &[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                Malformed::BrokenOff,
            ),
            (
                &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
                Malformed::Nonsense,
            ),
        ] {
            assert_eq!(all(bytes), Err(why), "{bytes:?}");
        }
        let not_text = all(&[0x0a, 1, 0xff]).expect("a message");
        let not_text = not_text[0].bytes().and_then(text);
        assert_eq!(not_text, Err(Malformed::NotText));
    }
}
