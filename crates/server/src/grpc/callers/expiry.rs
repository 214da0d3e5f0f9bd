//! Logs that keys expire: in advance, once a day, and when it has come to pass.

use std::collections::HashMap;
use std::time::Duration;

use countersign_domain::model::{KeyHash, Timestamp};

use super::known::{KnownCallers, KnownKey};
use crate::rfc3339::rfc3339;

/// How long in advance a warning begins.
const IN_ADVANCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Between two warnings of one key.
const BETWEEN: Duration = Duration::from_secs(24 * 60 * 60);

/// What has been logged of each key.
#[derive(Debug, Default)]
pub(super) struct ExpiryLog(HashMap<KeyHash, Logged>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Logged {
    Warning(Timestamp),
    Expired,
}

impl ExpiryLog {
    /// Logs what is due.
    pub(super) fn log(&mut self, callers: &KnownCallers, now: Timestamp) {
        self.0.retain(|hash, _| callers.by_hash.contains_key(hash));
        for (hash, key) in &callers.by_hash {
            let Some(expires_at) = key.expires_at else {
                continue;
            };
            let logged = self.0.get(hash).copied();
            if let Some(due) = due(expires_at, logged, now) {
                log(key, expires_at, due);
                self.0.insert(*hash, due);
            }
        }
    }
}

fn due(expires_at: Timestamp, logged: Option<Logged>, now: Timestamp) -> Option<Logged> {
    if expires_at <= now {
        return (logged != Some(Logged::Expired)).then_some(Logged::Expired);
    }
    let was_warned = matches!(logged, Some(Logged::Warning(at)) if now.since(at) < BETWEEN);
    (expires_at.since(now) <= IN_ADVANCE && !was_warned).then_some(Logged::Warning(now))
}

fn log(key: &KnownKey, expires_at: Timestamp, due: Logged) {
    let (name, id) = (&key.caller.name, key.hash.id());
    let expires = rfc3339(expires_at);
    match due {
        Logged::Warning(_) => tracing::warn!(
            name, key = %id, expires,
            "a key of a caller expires soon: add another, `countersign caller add-key {name}`"
        ),
        Logged::Expired => {
            tracing::info!(name, key = %id, expires, "a key of a caller has expired");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_warned_of_once_a_day_for_a_week_and_its_end_is_told_once() {
        const HOUR: u64 = 60 * 60;
        let start = Timestamp::from_seconds(1_790_000_000);
        let expires_at = start.plus(Duration::from_secs(30 * 24 * HOUR));
        let (mut logged, mut warnings, mut ends) = (None, Vec::new(), 0);
        for hour in 0..40 * 24 {
            let now = start.plus(Duration::from_secs(hour * HOUR));
            match due(expires_at, logged, now) {
                None => continue,
                Some(Logged::Expired) => ends += 1,
                Some(Logged::Warning(_)) => warnings.push(hour / 24),
            }
            logged = due(expires_at, logged, now);
        }
        assert_eq!(warnings, [23, 24, 25, 26, 27, 28, 29]);
        assert_eq!(ends, 1);
    }
}
