//! The room of values, those with a secret included.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Budget, EphemeralError, Guess, Reward, Secret};

use super::room::{Entry, Room};

/// How many expired values each write removes: more than it can add, so that
/// they do not pile up, and few enough that no write is slow.
const SWEPT_PER_WRITE: usize = 4;

/// Values by key, and the latest secret of each series.
pub(super) struct Values {
    room: Room<Value>,
    /// The key of the latest of each series, as long as that is kept: the value
    /// of this key names this series.
    series: HashMap<Box<str>, Box<str>>,
}

pub(super) struct Value {
    pub(super) bytes: Box<[u8]>,
    pub(super) guarded: Option<Guarded>,
}

/// What a value with a secret has besides.
pub(super) struct Guarded {
    secret: Box<[u8]>,
    budget: Box<str>,
    /// By the clock of those who guess.
    pub(super) expires_at: Timestamp,
    series: Box<str>,
    /// How many wrong guesses there were.
    pub(super) tries: u32,
    /// What the right guess does besides.
    pub(super) reward: Option<Box<Reward>>,
}

impl Values {
    pub(super) fn new(max: usize) -> Self {
        Self {
            room: Room::new(max),
            series: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.room.len()
    }

    /// Removes a few of the expired values, before a write.
    pub(super) fn sweep(&mut self, now: Duration) {
        for _ in 0..SWEPT_PER_WRITE {
            let Some(expired) = self.room.pop_expired(now) else {
                return;
            };
            self.leave_series(&expired);
        }
    }

    pub(super) fn get(&self, key: &str, now: Duration) -> Option<&Value> {
        self.room.live(key, now).map(|entry| &entry.content)
    }

    pub(super) fn guarded_mut(&mut self, key: &str, now: Duration) -> Option<&mut Guarded> {
        self.room.live_mut(key, now)?.guarded.as_mut()
    }

    /// The value of the latest secret of a series.
    pub(super) fn latest(&self, series: &str, now: Duration) -> Option<&Value> {
        self.get(self.series.get(series)?, now)
    }

    /// Keeps a value, in place of whatever was there.
    ///
    /// # Errors
    /// If there is no room. Nothing has changed then.
    pub(super) fn put(
        &mut self,
        key: &str,
        bytes: &[u8],
        expires_at: Duration,
    ) -> Result<(), EphemeralError> {
        let value = Value {
            bytes: bytes.into(),
            guarded: None,
        };
        self.remove(key);
        self.insert(key, value, expires_at)
    }

    /// Keeps a value with a secret, in place of whatever was there and of the
    /// latest of its series.
    ///
    /// # Errors
    /// If there is no room. Nothing has changed then.
    pub(super) fn supersede(
        &mut self,
        series: &str,
        key: &str,
        secret: Secret<'_>,
        expires_at: Duration,
    ) -> Result<(), EphemeralError> {
        let value = Value {
            bytes: secret.value.into(),
            guarded: Some(Guarded {
                secret: secret.secret.into(),
                budget: secret.budget.into(),
                expires_at: secret.expires_at,
                series: series.into(),
                tries: 0,
                reward: secret.reward.cloned().map(Box::new),
            }),
        };
        if let Some(earlier) = self.series.get(series).cloned() {
            self.remove(&earlier);
        }
        self.remove(key);
        self.insert(key, value, expires_at)?;
        self.series.insert(series.into(), key.into());
        Ok(())
    }

    /// Removes a value. `None` if there was none or it had expired.
    pub(super) fn take(&mut self, key: &str, now: Duration) -> Option<Value> {
        let removed = self.remove(key)?;
        (removed.expires_at > now).then_some(removed.content)
    }

    fn remove(&mut self, key: &str) -> Option<Entry<Value>> {
        let removed = self.room.remove(key)?;
        self.leave_series(&removed.content);
        Some(removed)
    }

    /// Inserts under a key of which nothing is kept. There is always room after
    /// something was removed.
    fn insert(
        &mut self,
        key: &str,
        value: Value,
        expires_at: Duration,
    ) -> Result<(), EphemeralError> {
        if !self.room.has_room_for(1) {
            let max = self.room.max();
            return Err(EphemeralError(format!(
                "the in-process store is full: it keeps at most {max} values"
            )));
        }
        self.room.insert(key, value, expires_at);
        Ok(())
    }

    fn leave_series(&mut self, removed: &Value) {
        if let Some(guarded) = &removed.guarded {
            self.series.remove(&guarded.series);
        }
    }
}

impl Guarded {
    /// The budget that a guess is charged to.
    pub(super) fn budget(&self, guess: &Guess<'_>) -> Budget {
        Budget {
            name: self.budget.as_ref().into(),
            limit: guess.limit,
            window: guess.window,
        }
    }

    /// Compares in a time that does not depend on where the first difference is.
    pub(super) fn equals(&self, guess: &[u8]) -> bool {
        verify_slices_are_equal(&self.secret, guess).is_ok()
    }
}
