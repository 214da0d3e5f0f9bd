//! The ephemeral store of a single server, in its memory. A restart empties it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use countersign_domain::ports::{Clock, Comparison, Count, EphemeralError, EphemeralStore};

/// How many expired entries each write removes: more than it can add, so that
/// they do not pile up, and few enough that no write is slow.
const SWEPT_PER_WRITE: usize = 4;

/// Keeps a bounded number of entries in memory.
///
/// When it is full it refuses new ones, and never drops a live one to make room:
/// a counter that is dropped is a limit that is lifted.
pub struct InProcess {
    clock: Arc<dyn Clock>,
    max_entries: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<Arc<str>, Entry>,
    /// Each entry once, the one that expires first in front.
    by_expiry: BTreeSet<(Duration, Arc<str>)>,
}

struct Entry {
    value: Option<Box<[u8]>>,
    /// Tries of a value, or events of a count.
    count: u32,
    /// By the clock that never goes back.
    expires_at: Duration,
}

impl InProcess {
    /// An empty store that keeps at most `max_entries`, each of which takes some
    /// 300 bytes and its value.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, max_entries: usize) -> Self {
        Self {
            clock,
            max_entries,
            entries: Mutex::default(),
        }
    }

    /// How many entries are kept, expired ones that were not removed yet included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries
            .lock()
            .expect("nothing panics while it holds the entries")
    }

    /// The entries for a read, and the time.
    fn read(&self) -> (MutexGuard<'_, Entries>, Duration) {
        (self.lock(), self.clock.monotonic())
    }

    /// The entries for a write, swept, and the time.
    fn write(&self) -> (MutexGuard<'_, Entries>, Duration) {
        let (mut entries, now) = self.read();
        entries.sweep(now);
        (entries, now)
    }

    fn keep(&self, entries: &mut Entries, key: &str, entry: Entry) -> Result<(), EphemeralError> {
        entries.remove(key);
        if entries.by_key.len() >= self.max_entries {
            let max = self.max_entries;
            return Err(EphemeralError(format!(
                "the in-process store is full: it keeps at most {max} entries"
            )));
        }
        entries.insert(key, entry);
        Ok(())
    }
}

impl Entries {
    /// Removes a few of the expired entries.
    fn sweep(&mut self, now: Duration) {
        for _ in 0..SWEPT_PER_WRITE {
            match self.by_expiry.first() {
                Some((expires_at, _)) if *expires_at <= now => {
                    if let Some((_, key)) = self.by_expiry.pop_first() {
                        self.by_key.remove(&key);
                    }
                }
                _ => return,
            }
        }
    }

    fn live(&self, key: &str, now: Duration) -> Option<&Entry> {
        self.by_key.get(key).filter(|entry| entry.expires_at > now)
    }

    fn live_mut(&mut self, key: &str, now: Duration) -> Option<&mut Entry> {
        let entry = self.by_key.get_mut(key);
        entry.filter(|entry| entry.expires_at > now)
    }

    fn insert(&mut self, key: &str, entry: Entry) {
        let key: Arc<str> = key.into();
        self.by_expiry.insert((entry.expires_at, Arc::clone(&key)));
        self.by_key.insert(key, entry);
    }

    fn remove(&mut self, key: &str) -> Option<Entry> {
        let (key, entry) = self.by_key.remove_entry(key)?;
        self.by_expiry.remove(&(entry.expires_at, key));
        Some(entry)
    }
}

fn value(value: &[u8], now: Duration, ttl: Duration) -> Entry {
    Entry {
        value: Some(value.into()),
        count: 0,
        expires_at: now.saturating_add(ttl),
    }
}

#[async_trait]
impl EphemeralStore for InProcess {
    async fn put(&self, key: &str, bytes: &[u8], ttl: Duration) -> Result<(), EphemeralError> {
        let (mut entries, now) = self.write();
        self.keep(&mut entries, key, value(bytes, now, ttl))
    }

    async fn put_if_absent(
        &self,
        key: &str,
        bytes: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let (mut entries, now) = self.write();
        if entries.live(key, now).is_some() {
            return Ok(false);
        }
        self.keep(&mut entries, key, value(bytes, now, ttl))?;
        Ok(true)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (entries, now) = self.read();
        let value = entries.live(key, now).and_then(|e| e.value.as_deref());
        Ok(value.map(<[u8]>::to_vec))
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (mut entries, now) = self.write();
        let taken = entries.remove(key).filter(|entry| entry.expires_at > now);
        Ok(taken.and_then(|entry| entry.value).map(Vec::from))
    }

    async fn count_within(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Count, EphemeralError> {
        let (mut entries, now) = self.write();
        if let Some(entry) = entries.live_mut(key, now) {
            if entry.count >= limit {
                let retry_after = entry.expires_at - now;
                return Ok(Count::Exceeded { retry_after });
            }
            entry.count += 1;
            return Ok(Count::Counted(entry.count));
        }
        if limit == 0 {
            let retry_after = window;
            return Ok(Count::Exceeded { retry_after });
        }
        let first = Entry {
            value: None,
            count: 1,
            expires_at: now.saturating_add(window),
        };
        self.keep(&mut entries, key, first)?;
        Ok(Count::Counted(1))
    }

    async fn compare(
        &self,
        key: &str,
        guess: &[u8],
        tries: u32,
    ) -> Result<Comparison, EphemeralError> {
        let (mut entries, now) = self.write();
        let Some(entry) = entries.live_mut(key, now) else {
            return Ok(Comparison::Absent);
        };
        let Some(value) = &entry.value else {
            return Ok(Comparison::Absent);
        };
        entry.count = entry.count.saturating_add(1);
        let comparison = match tries.checked_sub(entry.count) {
            None => Comparison::Absent,
            Some(_) if verify_slices_are_equal(value, guess).is_ok() => Comparison::Matches,
            Some(remaining) => Comparison::Differs { remaining },
        };
        if !matches!(comparison, Comparison::Differs { remaining: 1.. }) {
            entries.remove(key);
        }
        Ok(comparison)
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        let (entries, now) = self.read();
        Ok(entries.live(key, now).map_or(0, |entry| entry.count))
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        Ok(())
    }
}
