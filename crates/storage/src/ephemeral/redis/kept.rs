//! How values are written down on Redis: each is one string, which is kept,
//! compared and taken by a command each.
//!
//! A value is a `v` and its bytes. One with a secret is an `s`, the series that
//! it belongs to, the number of wrong guesses, its end, the name of its budget,
//! the secret, and the value's bytes. Numbers are big-endian; before what has no
//! length of its own stands its length. `compare_right.lua` reads this, and
//! `compare.lua` overwrites the number.

use countersign_domain::ports::Secret;

const VALUE: u8 = b'v';
const SECRET: u8 = b's';

/// A value without a secret.
pub(super) fn value(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(1 + bytes.len());
    kept.push(VALUE);
    kept.extend_from_slice(bytes);
    kept
}

/// A value with a secret, at which nobody has guessed; and how many of its bytes
/// name the series.
pub(super) fn secret(series: &str, secret: &Secret<'_>) -> (Vec<u8>, usize) {
    let parts = [series.len(), secret.budget.len(), secret.secret.len()];
    let lengths = parts.iter().sum::<usize>() + 4 * parts.len();
    let mut kept = Vec::with_capacity(1 + lengths + 4 + 8 + secret.value.len());
    kept.push(SECRET);
    push(&mut kept, series.as_bytes());
    let of_series = kept.len();
    kept.extend_from_slice(&0_u32.to_be_bytes());
    kept.extend_from_slice(&secret.expires_at.as_millis().to_be_bytes());
    push(&mut kept, secret.budget.as_bytes());
    push(&mut kept, secret.secret);
    kept.extend_from_slice(secret.value);
    (kept, of_series)
}

fn push(kept: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("Redis takes no strings of 4 GiB");
    kept.extend_from_slice(&length.to_be_bytes());
    kept.extend_from_slice(part);
}

/// What was written down, as it is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept<'a> {
    pub(super) value: &'a [u8],
    pub(super) guarded: Option<Guarded<'a>>,
}

/// What a value with a secret has besides.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guarded<'a> {
    pub(super) series: &'a [u8],
    /// How many wrong guesses there were.
    pub(super) tries: u32,
}

/// Reads what was written down. `None` if that is something else.
pub(super) fn read(kept: &[u8]) -> Option<Kept<'_>> {
    let (&mark, mut rest) = kept.split_first()?;
    let guarded = match mark {
        VALUE => None,
        SECRET => {
            let series = part(&mut rest)?;
            let tries = u32::from_be_bytes(*take(&mut rest)?);
            let _expires_at: &[u8; 8] = take(&mut rest)?;
            let _budget = part(&mut rest)?;
            let _secret = part(&mut rest)?;
            Some(Guarded { series, tries })
        }
        _ => return None,
    };
    Some(Kept {
        value: rest,
        guarded,
    })
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(taken)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(*take(rest)?);
    let (part, left) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = left;
    Some(part)
}

#[cfg(test)]
mod tests {
    use countersign_domain::model::Timestamp;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let plain = value(b"plain");
        let read_plain = read(&plain).expect("a value");
        assert_eq!(
            (read_plain.value, read_plain.guarded),
            (&b"plain"[..], None)
        );
        for value in [&b""[..], b"value"] {
            let kept = Secret {
                value,
                secret: b"123",
                budget: "budget",
                expires_at: Timestamp::from_millis(-1),
            };
            let (kept, of_series) = secret("series", &kept);
            let guarded = Some(Guarded {
                series: b"series",
                tries: 0,
            });
            assert_eq!(read(&kept), Some(Kept { value, guarded }));
            assert_eq!(&kept[..of_series], b"s\0\0\0\x06series");
        }
    }

    #[test]
    fn what_was_cut_off_or_is_something_else_is_not_read() {
        let kept = Secret {
            value: b"",
            secret: b"123",
            budget: "budget",
            expires_at: Timestamp::from_millis(1),
        };
        let (kept, _) = secret("series", &kept);
        for length in 0..kept.len() {
            assert_eq!(read(&kept[..length]), None, "{length} bytes");
        }
        assert_eq!(read(b"xyz"), None);
    }
}
