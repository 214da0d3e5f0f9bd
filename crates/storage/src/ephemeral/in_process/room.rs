//! A bounded number of entries, each with its end.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Keeps entries by name until they are removed. Whoever inserts makes sure that
/// there is room.
///
/// Expired entries take up room until [`pop_expired`](Self::pop_expired) has
/// removed them; nothing else tells them apart from missing ones. Ends are by
/// the clock that never goes back.
pub(super) struct Room<T> {
    max: usize,
    by_name: HashMap<Arc<str>, Entry<T>>,
    /// Each entry once, the one that expires first in front.
    by_expiry: BTreeSet<(Duration, Arc<str>)>,
}

pub(super) struct Entry<T> {
    pub(super) content: T,
    pub(super) expires_at: Duration,
}

impl<T> Room<T> {
    /// An empty room for so many entries.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            by_name: HashMap::new(),
            by_expiry: BTreeSet::new(),
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// How many entries are kept, expired ones included.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is room for so many new names.
    pub(super) fn has_room_for(&self, names: usize) -> bool {
        self.len().saturating_add(names) <= self.max
    }

    /// When the next entry expires.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.by_expiry.first().map(|(expires_at, _)| *expires_at)
    }

    /// Removes one expired entry, if there is one.
    pub(super) fn pop_expired(&mut self, now: Duration) -> Option<T> {
        if self.next_expiry()? > now {
            return None;
        }
        self.pop_first()
    }

    /// Removes the entry that expires first, if there is one.
    pub(super) fn pop_first(&mut self) -> Option<T> {
        let (_, name) = self.by_expiry.pop_first()?;
        self.by_name.remove(&name).map(|entry| entry.content)
    }

    pub(super) fn live(&self, name: &str, now: Duration) -> Option<&Entry<T>> {
        self.by_name
            .get(name)
            .filter(|entry| entry.expires_at > now)
    }

    pub(super) fn live_mut(&mut self, name: &str, now: Duration) -> Option<&mut T> {
        self.by_name
            .get_mut(name)
            .filter(|entry| entry.expires_at > now)
            .map(|entry| &mut entry.content)
    }

    /// Inserts an entry, or puts it in place of the one of this name.
    pub(super) fn insert(&mut self, name: &str, content: T, expires_at: Duration) {
        self.remove(name);
        let name: Arc<str> = name.into();
        self.by_expiry.insert((expires_at, Arc::clone(&name)));
        let entry = Entry {
            content,
            expires_at,
        };
        self.by_name.insert(name, entry);
    }

    /// Removes an entry, expired or not.
    pub(super) fn remove(&mut self, name: &str) -> Option<Entry<T>> {
        let (name, entry) = self.by_name.remove_entry(name)?;
        self.by_expiry.remove(&(entry.expires_at, name));
        Some(entry)
    }
}
