//! The ephemeral store of the domain's own tests: a map and a clock turned by
//! hand. It can be made to fail.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::HandClock;
use crate::ports::{Clock as _, Comparison, Count, EphemeralError, EphemeralStore};

/// Keeps everything, for as long as the clock says.
pub struct MemoryEphemeral {
    clock: Arc<HandClock>,
    entries: Mutex<HashMap<String, Entry>>,
    broken: AtomicBool,
}

#[derive(Clone)]
struct Entry {
    value: Option<Vec<u8>>,
    count: u32,
    expires_at: Duration,
}

impl MemoryEphemeral {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<HandClock>) -> Self {
        Self {
            clock,
            entries: Mutex::default(),
            broken: AtomicBool::new(false),
        }
    }

    /// From now on every verb fails, or none does.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    /// Works on the entry of a key as it is now, and keeps what is left of it.
    fn with<T>(
        &self,
        key: &str,
        work: impl FnOnce(&mut Option<Entry>, Duration) -> T,
    ) -> Result<T, EphemeralError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(EphemeralError("the store is broken".into()));
        }
        let now = self.clock.monotonic();
        let mut entries = self.entries.lock().expect("no test panics while it works");
        let mut entry = entries.remove(key).filter(|entry| entry.expires_at > now);
        let result = work(&mut entry, now);
        if let Some(entry) = entry {
            entries.insert(key.into(), entry);
        }
        Ok(result)
    }
}

fn entry(value: Option<&[u8]>, expires_at: Duration) -> Entry {
    Entry {
        value: value.map(<[u8]>::to_vec),
        count: 0,
        expires_at,
    }
}

#[async_trait]
impl EphemeralStore for MemoryEphemeral {
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError> {
        self.with(key, |kept, now| *kept = Some(entry(Some(value), now + ttl)))
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        self.with(key, |kept, now| {
            let absent = kept.is_none();
            kept.get_or_insert_with(|| entry(Some(value), now + ttl));
            absent
        })
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        self.with(key, |kept, _| kept.clone().and_then(|entry| entry.value))
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        self.with(key, |kept, _| kept.take().and_then(|entry| entry.value))
    }

    async fn count_within(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Count, EphemeralError> {
        self.with(key, |kept, now| {
            let current = kept.clone().unwrap_or_else(|| entry(None, now + window));
            if current.count >= limit {
                return Count::Exceeded {
                    retry_after: current.expires_at - now,
                };
            }
            let count = current.count + 1;
            *kept = Some(Entry { count, ..current });
            Count::Counted(count)
        })
    }

    async fn compare(
        &self,
        key: &str,
        guess: &[u8],
        tries: u32,
    ) -> Result<Comparison, EphemeralError> {
        self.with(key, |kept, _| {
            let Some(mut current) = kept.take_if(|entry| entry.value.is_some()) else {
                return Comparison::Absent;
            };
            current.count += 1;
            if current.count > tries {
                return Comparison::Absent;
            }
            if current.value.as_deref() == Some(guess) {
                return Comparison::Matches;
            }
            let remaining = tries - current.count;
            if remaining > 0 {
                *kept = Some(current);
            }
            Comparison::Differs { remaining }
        })
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        self.with(key, |kept, _| kept.as_ref().map_or(0, |entry| entry.count))
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        self.with("", |_, _| ())
    }
}
