//! How values are written down on Redis: each is one string, which is kept,
//! compared and taken by a command each.
//!
//! A value is a `v` and its bytes. One with a secret is an `s`, the series that
//! it belongs to, the number of wrong guesses, its end, the name of its budget,
//! the secret, and the value's bytes. One whose secret has a reward is an `r`, and
//! the reward stands before the value: the number of names of budgets and these,
//! then the number of counters, and of each its name, its slot and how many
//! milliseconds it is kept. Numbers are big-endian; before what has no length of
//! its own stands its length. `compare_right.lua` and `reward.lua` read this,
//! `compare.lua` overwrites the number of guesses, and `supersede_guarded.lua`
//! writes the names of budgets.

use countersign_domain::ports::{Raise, Reward, Secret};

use super::handle::millis;

const VALUE: u8 = b'v';
const SECRET: u8 = b's';
const REWARDED: u8 = b'r';

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
    let mark = secret.reward.map_or(SECRET, |_| REWARDED);
    let (mut kept, of_series) = head(mark, series, secret);
    if let Some(reward) = secret.reward {
        push(&mut kept, &whole_reward(reward));
    }
    kept.extend_from_slice(secret.value);
    (kept, of_series)
}

/// The same up to the reward, of one that has one.
pub(super) fn rewarded_head(series: &str, secret: &Secret<'_>) -> (Vec<u8>, usize) {
    head(REWARDED, series, secret)
}

/// What of a reward raises counters.
pub(super) fn raises(raises: &[Raise]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(4 + 64 * raises.len());
    push_length(&mut kept, raises.len());
    for Raise { counter, slot, ttl } in raises {
        push(&mut kept, counter.as_bytes());
        kept.extend_from_slice(&slot.to_be_bytes());
        kept.extend_from_slice(&millis(*ttl).to_be_bytes());
    }
    kept
}

fn whole_reward(reward: &Reward) -> Vec<u8> {
    let mut kept = Vec::with_capacity(8 + 64 * (reward.refunds.len() + reward.raises.len()));
    push_length(&mut kept, reward.refunds.len());
    for name in &reward.refunds {
        push(&mut kept, name.as_bytes());
    }
    kept.extend(raises(&reward.raises));
    kept
}

fn head(mark: u8, series: &str, secret: &Secret<'_>) -> (Vec<u8>, usize) {
    let parts = [series.len(), secret.budget.len(), secret.secret.len()];
    let lengths = parts.iter().sum::<usize>() + 4 * parts.len();
    let mut kept = Vec::with_capacity(1 + lengths + 4 + 8 + secret.value.len());
    kept.push(mark);
    push(&mut kept, series.as_bytes());
    let of_series = kept.len();
    kept.extend_from_slice(&0_u32.to_be_bytes());
    kept.extend_from_slice(&secret.expires_at.as_millis().to_be_bytes());
    push(&mut kept, secret.budget.as_bytes());
    push(&mut kept, secret.secret);
    (kept, of_series)
}

fn push_length(kept: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("Redis takes no strings of 4 GiB");
    kept.extend_from_slice(&length.to_be_bytes());
}

fn push(kept: &mut Vec<u8>, part: &[u8]) {
    push_length(kept, part.len());
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
        SECRET | REWARDED => {
            let series = part(&mut rest)?;
            let tries = u32::from_be_bytes(*take(&mut rest)?);
            let _expires_at: &[u8; 8] = take(&mut rest)?;
            let _budget = part(&mut rest)?;
            let _secret = part(&mut rest)?;
            if mark == REWARDED {
                part(&mut rest)?;
            }
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
    use std::time::Duration;

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
                reward: None,
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

    fn reward() -> Reward {
        Reward {
            refunds: vec!["budget".into()],
            raises: vec![Raise {
                counter: "counter".into(),
                slot: 20_000,
                ttl: Duration::from_secs(1),
            }],
        }
    }

    #[test]
    fn a_value_is_read_behind_a_reward() {
        let reward = reward();
        let kept = Secret {
            value: b"value",
            secret: b"123",
            budget: "budget",
            expires_at: Timestamp::from_millis(1),
            reward: Some(&reward),
        };
        let (kept, of_series) = secret("series", &kept);
        let guarded = Some(Guarded {
            series: b"series",
            tries: 0,
        });
        let value = b"value";
        assert_eq!(read(&kept), Some(Kept { value, guarded }));
        assert_eq!(&kept[..of_series], b"r\0\0\0\x06series");
    }

    #[test]
    fn what_was_cut_off_or_is_something_else_is_not_read() {
        let kept = Secret {
            value: b"",
            secret: b"123",
            budget: "budget",
            expires_at: Timestamp::from_millis(1),
            reward: None,
        };
        let reward = reward();
        let rewarded = Secret {
            reward: Some(&reward),
            ..kept
        };
        for kept in [kept, rewarded] {
            let (kept, _) = secret("series", &kept);
            for length in 0..kept.len() {
                assert_eq!(read(&kept[..length]), None, "{length} bytes");
            }
        }
        assert_eq!(read(b"xyz"), None);
    }
}
