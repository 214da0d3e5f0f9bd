//! The caller authenticator: API keys, and the roles of who holds them.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use countersign_domain::Refusal;
use countersign_domain::model::{ApiKey, Caller, Role};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// A caller that proved itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownCaller {
    pub(crate) name: String,
    roles: Vec<Role>,
}

/// Knows the callers by the hashes of their keys.
#[derive(Debug)]
pub(crate) struct CallerAuthenticator {
    callers: ArcSwap<Callers>,
}

#[derive(Debug)]
struct Callers {
    by_hash: HashMap<[u8; 32], Arc<KnownCaller>>,
    /// Who everybody is while there is no caller. Only on loopback, and only
    /// until there is one.
    everybody: Option<Arc<KnownCaller>>,
}

impl KnownCaller {
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

impl CallerAuthenticator {
    /// If the server listens on loopback only and starts without a caller,
    /// everybody may call everything, until there is a caller.
    pub(crate) fn new(callers: Vec<Caller>, is_loopback: bool) -> Self {
        let everybody = || {
            Arc::new(KnownCaller {
                name: "local".into(),
                roles: vec![Role::Service, Role::Gateway, Role::Operator],
            })
        };
        let is_open = is_loopback && callers.is_empty();
        Self {
            callers: ArcSwap::from_pointee(Callers {
                by_hash: by_hash(callers),
                everybody: is_open.then(everybody),
            }),
        }
    }

    /// Takes over the callers of the database, and logs who came, changed and
    /// went. What has been closed stays closed when the last one goes.
    pub(crate) fn replace(&self, callers: Vec<Caller>) {
        let before = self.callers.load();
        let by_hash = by_hash(callers);
        log_changes(&before.by_hash, &by_hash);
        let everybody = before.everybody.clone().filter(|_| by_hash.is_empty());
        if before.everybody.is_some() && everybody.is_none() {
            tracing::info!("there is a caller: from now on each call needs a key");
        }
        self.callers.store(Arc::new(Callers { by_hash, everybody }));
    }

    /// Whether everybody may call everything.
    pub(crate) fn is_open(&self) -> bool {
        self.callers.load().everybody.is_some()
    }

    /// Hands the caller of these headers to `then`. It shares no counter of
    /// references between cores.
    pub(crate) fn identify<T>(
        &self,
        headers: &HeaderMap,
        then: impl FnOnce(Result<&Arc<KnownCaller>, Refusal>) -> T,
    ) -> T {
        then(self.callers.load().identify(headers))
    }
}

impl Callers {
    fn identify(&self, headers: &HeaderMap) -> Result<&Arc<KnownCaller>, Refusal> {
        if let Some(everybody) = &self.everybody {
            return Ok(everybody);
        }
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        // Of two, nobody could tell which one was meant.
        let (Some(only), None) = (shown.next(), shown.next()) else {
            return Err(Refusal::CallerUnknown);
        };
        let key = only.to_str().ok().and_then(|value| value.split_once(' '));
        key.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .and_then(|(_, key)| self.by_hash.get(&ApiKey::hash_of(key)))
            .ok_or(Refusal::CallerUnknown)
    }
}

fn by_hash(callers: Vec<Caller>) -> HashMap<[u8; 32], Arc<KnownCaller>> {
    callers
        .into_iter()
        .map(|caller| {
            let known = KnownCaller {
                name: caller.name.as_str().to_owned(),
                roles: caller.roles,
            };
            (caller.key_hash, Arc::new(known))
        })
        .collect()
}

fn log_changes(
    before: &HashMap<[u8; 32], Arc<KnownCaller>>,
    after: &HashMap<[u8; 32], Arc<KnownCaller>>,
) {
    for (hash, caller) in after {
        let (name, roles) = (&caller.name, &caller.roles);
        match before.get(hash) {
            None => tracing::info!(name, ?roles, "a caller was added"),
            Some(known) if known != caller => {
                tracing::info!(name, ?roles, "a caller was changed");
            }
            Some(_) => {}
        }
    }
    for (hash, KnownCaller { name, .. }) in before.iter().map(|(hash, known)| (hash, &**known)) {
        if !after.contains_key(hash) {
            tracing::info!(name, "a caller was removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::model::{CallerName, Timestamp};

    use super::*;

    const KEY: &str = "csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn shop() -> Caller {
        Caller {
            name: CallerName::parse("shop").expect("a name"),
            roles: vec![Role::Service],
            key_hash: ApiKey::hash_of(KEY),
            created_at: Timestamp::from_seconds(0),
        }
    }

    fn with_keys(keys: &[&str]) -> HeaderMap {
        let header = |key: &&str| format!("Bearer {key}").parse().expect("a header");
        let headers = keys.iter().map(|key| (AUTHORIZATION, header(key)));
        headers.collect()
    }

    fn name_of(callers: &CallerAuthenticator, headers: &HeaderMap) -> Result<String, Refusal> {
        callers.identify(headers, |caller| caller.map(|caller| caller.name.clone()))
    }

    #[test]
    fn without_callers_loopback_is_open_and_nothing_else() {
        let nothing = HeaderMap::new();
        let open = CallerAuthenticator::new(vec![], true);
        assert_eq!(name_of(&open, &nothing), Ok("local".to_owned()));
        let closed = CallerAuthenticator::new(vec![], false);
        assert_eq!(name_of(&closed, &nothing), Err(Refusal::CallerUnknown));
    }

    #[test]
    fn with_a_caller_loopback_is_closed_to_others() {
        let callers = CallerAuthenticator::new(vec![shop()], true);
        assert_eq!(name_of(&callers, &with_keys(&[KEY])), Ok("shop".to_owned()));
        for keys in [
            &[][..],
            &["csk_B"],
            &[KEY, "csk_B"],
            &["csk_B", KEY],
            &[KEY, KEY],
        ] {
            let refused = name_of(&callers, &with_keys(keys));
            assert_eq!(refused, Err(Refusal::CallerUnknown), "{keys:?}");
        }
    }

    #[test]
    fn what_was_closed_stays_closed_when_the_last_caller_goes() {
        let nothing = HeaderMap::new();
        for (callers, changes) in [
            (vec![shop()], vec![vec![]]),
            (vec![], vec![vec![], vec![shop()], vec![]]),
        ] {
            let callers = CallerAuthenticator::new(callers, true);
            for change in changes {
                callers.replace(change);
            }
            assert!(!callers.is_open());
            for headers in [&nothing, &with_keys(&[KEY])] {
                assert_eq!(name_of(&callers, headers), Err(Refusal::CallerUnknown));
            }
        }
    }

    #[test]
    fn a_caller_may_do_what_its_roles_say() {
        let callers = CallerAuthenticator::new(vec![shop()], true);
        let required = |roles: &[Role]| {
            callers.identify(&with_keys(&[KEY]), |caller| {
                caller.expect("it is known").require(roles)
            })
        };
        assert_eq!(required(&[Role::Gateway, Role::Service]), Ok(()));
        assert_eq!(
            required(&[Role::Gateway, Role::Operator]),
            Err(Refusal::CallerNotPermitted(Role::Gateway))
        );
    }
}
