//! The caller authenticator: API keys and client certificates, and the roles of
//! who holds them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use countersign_domain::model::{ApiKey, KeyHash, KeyUse, Role};
use countersign_domain::ports::{AllCallers, Clock};
use countersign_proto::KEY_MUST_BE_KNOWN;
use countersign_transport::PeerCertificate;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::changes;
use super::expiry::ExpiryLog;
use super::known::{KnownCaller, KnownCallers, minute};
use super::unidentified::Unidentified;

/// The name of the gateway of this process.
pub(crate) const GATEWAY: &str = "gateway";

/// Knows the callers by the hashes of their keys and the names in their
/// certificates.
pub(crate) struct CallerAuthenticator {
    state: ArcSwap<State>,
    /// The gateway of this process, by the hashes of the keys that were made for it.
    built_in: Vec<(KeyHash, Arc<KnownCaller>)>,
    clock: Arc<dyn Clock>,
    /// The minute by the clock, when it was looked at last.
    minute: AtomicU32,
    expiry_log: Mutex<ExpiryLog>,
}

#[derive(Debug)]
struct State {
    callers: KnownCallers,
    /// Who everybody is while there is no caller. Only on loopback, and only
    /// until there is one.
    everybody: Option<Arc<KnownCaller>>,
}

impl CallerAuthenticator {
    /// If the server listens on loopback only and starts without a caller,
    /// everybody may call everything, until there is a caller: one that cannot be
    /// read is one.
    pub(crate) fn new(callers: AllCallers, is_loopback: bool, clock: Arc<dyn Clock>) -> Self {
        let everybody = || {
            let all = vec![Role::Service, Role::Gateway, Role::Operator];
            Arc::new(KnownCaller::new("local", all))
        };
        let is_open = is_loopback && callers.is_empty();
        Self {
            minute: AtomicU32::new(minute(clock.now())),
            state: ArcSwap::from_pointee(State {
                callers: KnownCallers::new(callers.readable, &KnownCallers::default()),
                everybody: is_open.then(everybody),
            }),
            built_in: Vec::new(),
            clock,
            expiry_log: Mutex::default(),
        }
    }

    /// Knows the gateway of this process by this key, which nobody else has.
    #[must_use]
    pub(crate) fn with_gateway(self, key: &ApiKey) -> Self {
        self.with_built_in(GATEWAY, Role::Gateway, key)
    }

    /// Knows the pages of the gateway on which operators look after users by this key, which nobody else has.
    #[must_use]
    pub(crate) fn with_gateway_operators(self, key: &ApiKey) -> Self {
        self.with_built_in("gateway-operators", Role::Operator, key)
    }

    fn with_built_in(mut self, name: &str, role: Role, key: &ApiKey) -> Self {
        let caller = Arc::new(KnownCaller::new(name, vec![role]));
        self.built_in.push((KeyHash::of(key.expose()), caller));
        self
    }

    /// Logs which keys expire, and takes the minute over in which calls are
    /// noted. It asks no database.
    pub(crate) fn look_at_the_clock(&self) {
        let now = self.clock.now();
        self.minute.store(minute(now), Ordering::Relaxed);
        let log = self.expiry_log.lock();
        let mut log = log.unwrap_or_else(PoisonError::into_inner);
        log.log(&self.state.load().callers, now);
    }

    /// Takes over the callers of the database, and logs who came, changed and
    /// went. What has been closed stays closed when the last one goes.
    pub(crate) fn replace(&self, callers: AllCallers) {
        let before = self.state.load();
        let everybody = before.everybody.clone().filter(|_| callers.is_empty());
        let closes = before.everybody.is_some() && everybody.is_none();
        let callers = KnownCallers::new(callers.readable, &before.callers);
        if callers.is_same(&before.callers) && !closes {
            return;
        }
        changes::log(&before.callers, &callers);
        if closes {
            tracing::info!(
                "there is a caller: from now on each call needs a key or a client certificate"
            );
        }
        self.state.store(Arc::new(State { callers, everybody }));
    }

    /// Whether everybody may call everything.
    pub(crate) fn is_open(&self) -> bool {
        self.state.load().everybody.is_some()
    }

    /// When keys were used, as far as the database does not know it.
    pub(crate) fn uses_to_note(&self) -> Vec<KeyUse> {
        let state = self.state.load();
        let keys = state.callers.by_hash.values();
        keys.filter_map(|key| key.use_to_note()).collect()
    }

    /// The database knows of these uses.
    pub(crate) fn noted(&self, uses: &[KeyUse]) {
        let state = self.state.load();
        for used in uses {
            if let Some(key) = state.callers.by_hash.get(&used.hash) {
                key.note(used.at);
            }
        }
    }

    /// Hands the caller of these headers, on a connection with this certificate,
    /// to `then`. It shares no counter of references between cores.
    pub(crate) fn identify<T>(
        &self,
        headers: &HeaderMap,
        certificate: Option<&PeerCertificate>,
        then: impl FnOnce(Result<&Arc<KnownCaller>, Unidentified>) -> T,
    ) -> T {
        let state = self.state.load();
        if let Some(everybody) = &state.everybody {
            // The gateway is told from the others, so that its sessions stay its own when a caller comes.
            let built_in = shown_key(headers).and_then(|hash| self.built_in(hash));
            return then(match built_in {
                Some(built_in) => Ok(built_in),
                None if headers.contains_key(KEY_MUST_BE_KNOWN) => Err(Unidentified::Unknown),
                None => Ok(everybody),
            });
        }
        let minute = self.minute.load(Ordering::Relaxed);
        let by_key = || {
            let hash = shown_key(headers).ok_or(Unidentified::Unknown)?;
            if let Some(built_in) = self.built_in(hash) {
                return Ok(built_in);
            }
            let key = state.callers.by_hash.get(&hash);
            key.ok_or(Unidentified::Unknown)?
                .admit(&*self.clock, minute)
        };
        let Some(certificate) = certificate else {
            return then(by_key());
        };
        let by_certificate = state.callers.of_certificate(certificate);
        if !headers.contains_key(AUTHORIZATION) {
            return then(by_certificate);
        }
        then(by_certificate.and_then(|caller| agreed(caller, by_key()?)))
    }

    fn built_in(&self, shown: KeyHash) -> Option<&Arc<KnownCaller>> {
        let found = self.built_in.iter().find(|(hash, _)| *hash == shown);
        found.map(|(_, caller)| caller)
    }
}

/// The caller that a certificate and a key are both of.
fn agreed<'a>(
    certificate: &'a Arc<KnownCaller>,
    key: &Arc<KnownCaller>,
) -> Result<&'a Arc<KnownCaller>, Unidentified> {
    if certificate.name == key.name {
        return Ok(certificate);
    }
    Err(Unidentified::Contradiction {
        certificate: certificate.name.clone(),
        key: key.name.clone(),
    })
}

/// The hash of the key that is shown.
fn shown_key(headers: &HeaderMap) -> Option<KeyHash> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    // Of two, nobody could tell which one was meant.
    let (Some(only), None) = (shown.next(), shown.next()) else {
        return None;
    };
    let (scheme, key) = only.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| KeyHash::of(key))
}

impl std::fmt::Debug for CallerAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallerAuthenticator")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
