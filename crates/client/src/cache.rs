//! Valid verdicts, remembered for a few seconds. Bounded; keyed by the whole
//! question; and only a yes is kept, so garbage pushes nothing out.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::claims::Identity;
use crate::clock::Clock;
use crate::verify::Requirement;

/// The verdicts of a verifier.
pub(crate) struct VerdictCache {
    entries: Cache<Key, Entry>,
    ttl: Duration,
    clock: Arc<dyn Clock>,
}

struct Key {
    token: Box<str>,
    requirement: Requirement,
}

/// A [`Key`] that owns nothing. The two have one hash.
#[derive(Hash)]
struct Question<'a> {
    token: &'a str,
    requirement: &'a Requirement,
}

#[derive(Clone)]
struct Entry {
    identity: Identity,
    stale_from: Instant,
}

impl VerdictCache {
    pub(crate) fn new(capacity: usize, ttl: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            entries: Cache::new(capacity),
            ttl,
            clock,
        }
    }

    /// When the answer to a question that is asked now becomes stale: taken
    /// before asking, since the answer is as old as the question.
    pub(crate) fn stale_from(&self) -> Instant {
        self.clock.instant() + self.ttl
    }

    pub(crate) fn get(&self, token: &str, requirement: &Requirement) -> Option<Identity> {
        let question = Question { token, requirement };
        let entry = self.entries.get(&question)?;
        if self.is_fresh(&entry, requirement) {
            return Some(entry.identity);
        }
        self.entries
            .remove_if(&question, |entry| !self.is_fresh(entry, requirement));
        None
    }

    pub(crate) fn insert(
        &self,
        token: &str,
        requirement: &Requirement,
        identity: Identity,
        stale_from: Instant,
    ) {
        let key = Key {
            token: token.into(),
            requirement: requirement.clone(),
        };
        let entry = Entry {
            identity,
            stale_from,
        };
        if self.is_fresh(&entry, requirement) {
            self.entries.insert(key, entry);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether what was answered is still so: by this machine's clock, which may
    /// differ from the service's, neither the token nor the authentication has become
    /// too old since.
    fn is_fresh(&self, entry: &Entry, requirement: &Requirement) -> bool {
        let now = self.clock.now();
        let is_young = requirement.max_authentication_age().is_none_or(|age| {
            let passed = now.duration_since(entry.identity.authentication_time);
            passed.unwrap_or_default() <= age
        });
        self.clock.instant() < entry.stale_from && now < entry.identity.expire_time && is_young
    }
}

impl Key {
    fn question(&self) -> Question<'_> {
        Question {
            token: &self.token,
            requirement: &self.requirement,
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.question().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.question().equivalent(other)
    }
}

impl Eq for Key {}

impl Equivalent<Key> for Question<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.token == *key.token && *self.requirement == key.requirement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acr::Acr;

    #[test]
    fn the_key_is_the_whole_question() {
        let key = Key {
            token: "token".into(),
            requirement: Requirement::new().with_audience("orders"),
        };
        let is_key = |token, requirement: Requirement| {
            let question = Question {
                token,
                requirement: &requirement,
            };
            question.equivalent(&key)
        };
        let orders = || Requirement::new().with_audience("orders");
        assert!(is_key("token", orders()));
        assert!(!is_key("tokem", orders()));
        assert!(!is_key("token", Requirement::new()));
        assert!(!is_key("token", Requirement::new().with_audience("order")));
        assert!(!is_key("token", orders().with_scope("orders.read")));
        assert!(!is_key("token", orders().with_acr(Acr::Aal2)));
        let minute = Duration::from_secs(60);
        assert!(!is_key(
            "token",
            orders().with_max_authentication_age(minute)
        ));
    }
}
