//! The callers and their keys as they are looked up on each call. What a call
//! writes is one number of its key, and that only when the minute has changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use countersign_domain::Refusal;
use countersign_domain::model::{Caller, CallerKey, CallerName, KeyHash, KeyUse, Role, Timestamp};
use countersign_domain::ports::Clock;
use countersign_transport::PeerCertificate;

use super::unidentified::Unidentified;

/// A caller that proved itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownCaller {
    pub(crate) name: String,
    pub(super) roles: Vec<Role>,
}

/// A key, whose it is, and when it was used.
#[derive(Debug)]
pub(super) struct KnownKey {
    pub(super) caller: Arc<KnownCaller>,
    pub(super) hash: KeyHash,
    pub(super) expires_at: Option<Timestamp>,
    /// The minute in which it was used last; 0: never.
    used: AtomicU32,
    /// The minute that the database knows.
    noted: AtomicU32,
}

/// All callers at one time.
#[derive(Debug, Default)]
pub(super) struct KnownCallers {
    pub(super) by_name: HashMap<String, Arc<KnownCaller>>,
    pub(super) by_hash: HashMap<KeyHash, Arc<KnownKey>>,
    /// By the names in their certificates.
    pub(super) by_san: HashMap<String, Arc<KnownCaller>>,
}

impl KnownCaller {
    pub(super) fn new(name: &str, roles: Vec<Role>) -> Self {
        let name = name.to_owned();
        Self { name, roles }
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Refuses a caller who has none of the roles.
    pub(crate) fn require(&self, roles: &[Role]) -> Result<(), Refusal> {
        match roles.first() {
            Some(&wanted) if !roles.iter().any(|&role| self.has(role)) => {
                Err(Refusal::CallerNotPermitted(wanted))
            }
            _ => Ok(()),
        }
    }
}

impl KnownKey {
    fn new(caller: &Arc<KnownCaller>, key: &CallerKey) -> Self {
        let known = key.last_used_at.map_or(0, minute);
        Self {
            caller: Arc::clone(caller),
            hash: key.hash,
            expires_at: key.expires_at,
            used: AtomicU32::new(known),
            noted: AtomicU32::new(known),
        }
    }

    /// The key's caller, if the key has not expired. Only a key that can expire
    /// asks for the time.
    pub(super) fn admit(
        &self,
        clock: &dyn Clock,
        minute: u32,
    ) -> Result<&Arc<KnownCaller>, Unidentified> {
        if let Some(since) = self.expires_at
            && since <= clock.now()
        {
            return Err(Unidentified::KeyExpired {
                caller: self.caller.name.clone(),
                key: self.hash.id(),
                since,
            });
        }
        if self.used.load(Ordering::Relaxed) != minute {
            self.used.store(minute, Ordering::Relaxed);
        }
        Ok(&self.caller)
    }

    /// The last use, if the database does not know it.
    pub(super) fn use_to_note(&self) -> Option<KeyUse> {
        let used = self.used.load(Ordering::Relaxed);
        let name = CallerName::parse(&self.caller.name).ok()?;
        (used > self.noted.load(Ordering::Relaxed)).then(|| KeyUse {
            caller: name,
            hash: self.hash,
            at: Timestamp::from_seconds(i64::from(used) * 60),
        })
    }

    /// The database knows of a use.
    pub(super) fn note(&self, at: Timestamp) {
        self.noted.fetch_max(minute(at), Ordering::Relaxed);
    }

    /// Takes over when the key was used from what it was known as before.
    fn after(self, before: &Self) -> Self {
        let newer = |now: &AtomicU32, before: &AtomicU32| {
            now.fetch_max(before.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        newer(&self.used, &before.used);
        newer(&self.noted, &before.noted);
        self
    }
}

impl KnownCallers {
    /// What the database has, and as much of `before` as has not changed.
    pub(super) fn new(callers: Vec<Caller>, before: &Self) -> Self {
        let mut known = Self::default();
        for caller in callers {
            let name = caller.name.as_str();
            let now = KnownCaller::new(name, caller.roles);
            let same = before.by_name.get(name).filter(|known| ***known == now);
            let now = same.map_or_else(|| Arc::new(now), Arc::clone);
            for key in &caller.keys {
                let found = known_key(before.by_hash.get(&key.hash), &now, key);
                known.by_hash.insert(key.hash, found);
            }
            for san in &caller.sans {
                let san = san.as_str().to_owned();
                known.by_san.insert(san, Arc::clone(&now));
            }
            known.by_name.insert(now.name.clone(), now);
        }
        known
    }

    /// The caller to whom all names in a certificate belong that belong to anybody.
    pub(super) fn of_certificate(
        &self,
        certificate: &PeerCertificate,
    ) -> Result<&Arc<KnownCaller>, Unidentified> {
        let mut callers = certificate
            .names
            .iter()
            .filter_map(|name| self.by_san.get(name));
        let first = callers
            .next()
            .ok_or_else(|| Unidentified::CertificateUnknown(shown(certificate)))?;
        if callers.any(|other| other.name != first.name) {
            return Err(Unidentified::CertificateOfTwo(shown(certificate)));
        }
        Ok(first)
    }

    /// Whether there is nothing in it that is not in the other.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_same_key = |key: &Arc<KnownKey>| {
            let other = other.by_hash.get(&key.hash);
            other.is_some_and(|other| Arc::ptr_eq(key, other))
        };
        self.by_name == other.by_name
            && self.by_san == other.by_san
            && self.by_hash.len() == other.by_hash.len()
            && self.by_hash.values().all(is_same_key)
    }
}

/// A key as it was known before, if it is the same.
fn known_key(
    before: Option<&Arc<KnownKey>>,
    caller: &Arc<KnownCaller>,
    key: &CallerKey,
) -> Arc<KnownKey> {
    let now = KnownKey::new(caller, key);
    match before {
        None => Arc::new(now),
        Some(before) if before.caller == *caller && before.expires_at == key.expires_at => {
            if let Some(at) = key.last_used_at {
                before.note(at);
            }
            Arc::clone(before)
        }
        Some(before) => Arc::new(now.after(before)),
    }
}

/// The names in a certificate as the log shows them: the first few, without
/// characters that could be taken for another line.
fn shown(certificate: &PeerCertificate) -> String {
    const FEW: usize = 4;
    match certificate.names.len() {
        0 => "it has no names".into(),
        1..=FEW => format!("{:?}", certificate.names),
        more => format!("{:?} and {} more", &certificate.names[..FEW], more - FEW),
    }
}

/// Whole minutes since 1970.
pub(super) fn minute(at: Timestamp) -> u32 {
    let minutes = at.since(Timestamp::from_millis(0)).as_secs() / 60;
    u32::try_from(minutes).unwrap_or(u32::MAX)
}
