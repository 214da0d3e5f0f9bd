//! The caller authenticator: API keys, and the roles of who holds them.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use countersign_domain::model::{ApiKey, Caller, Role};
use countersign_domain::{Error, Refusal};
use tonic::metadata::MetadataMap;

/// A caller that proved itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownCaller {
    pub(crate) name: String,
    roles: Vec<Role>,
}

/// Knows the callers by the hashes of their keys.
#[derive(Debug)]
pub(crate) struct CallerAuthenticator {
    callers: ArcSwap<HashMap<[u8; 32], Arc<KnownCaller>>>,
    /// Lets everybody in while there is no caller. Only on loopback.
    open: Option<Arc<KnownCaller>>,
}

impl KnownCaller {
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl CallerAuthenticator {
    /// A callers for these callers. If the server listens on loopback only and
    /// there is no caller, everybody may call everything.
    pub(crate) fn new(callers: Vec<Caller>, is_loopback: bool) -> Self {
        let local = || {
            Arc::new(KnownCaller {
                name: "local".into(),
                roles: vec![Role::Service, Role::Gateway, Role::Operator],
            })
        };
        Self {
            callers: ArcSwap::from_pointee(by_hash(callers)),
            open: is_loopback.then(local),
        }
    }

    /// Takes over the callers of the database.
    pub(crate) fn replace(&self, callers: Vec<Caller>) {
        self.callers.store(Arc::new(by_hash(callers)));
    }

    /// Whether everybody may call everything.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some() && self.callers.load().is_empty()
    }

    /// The caller, if it has one of the roles.
    pub(crate) fn admit(
        &self,
        metadata: &MetadataMap,
        roles: &[Role],
    ) -> Result<Arc<KnownCaller>, Error> {
        self.find(&self.callers.load(), metadata, roles).cloned()
    }

    /// Whether the caller has one of the roles. The hot path, which shares no
    /// counter of references between cores.
    pub(crate) fn permit(&self, metadata: &MetadataMap, roles: &[Role]) -> Result<(), Error> {
        self.find(&self.callers.load(), metadata, roles).map(drop)
    }

    fn find<'a>(
        &'a self,
        callers: &'a HashMap<[u8; 32], Arc<KnownCaller>>,
        metadata: &MetadataMap,
        roles: &[Role],
    ) -> Result<&'a Arc<KnownCaller>, Error> {
        if callers.is_empty()
            && let Some(local) = &self.open
        {
            return Ok(local);
        }
        let key = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key)
            .ok_or(Refusal::CallerUnknown)?;
        let caller = callers
            .get(&ApiKey::hash_of(key))
            .ok_or(Refusal::CallerUnknown)?;
        match roles.first() {
            Some(&wanted) if !roles.iter().any(|&role| caller.has(role)) => {
                Err(Refusal::CallerNotPermitted(wanted).into())
            }
            _ => Ok(caller),
        }
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

    fn with_key(key: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert(
            "authorization",
            format!("Bearer {key}").parse().expect("a header"),
        );
        metadata
    }

    fn refusal(result: Result<Arc<KnownCaller>, Error>) -> Refusal {
        match result {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn without_callers_loopback_is_open_and_nothing_else() {
        assert!(
            CallerAuthenticator::new(vec![], true)
                .admit(&MetadataMap::new(), &[Role::Operator])
                .is_ok()
        );
        let refused =
            CallerAuthenticator::new(vec![], false).admit(&MetadataMap::new(), &[Role::Service]);
        assert_eq!(refusal(refused), Refusal::CallerUnknown);
    }

    #[test]
    fn with_a_caller_loopback_is_closed_to_others() {
        let callers = CallerAuthenticator::new(vec![shop()], true);
        assert!(callers.admit(&with_key(KEY), &[Role::Service]).is_ok());
        assert_eq!(
            refusal(callers.admit(&MetadataMap::new(), &[Role::Service])),
            Refusal::CallerUnknown
        );
        assert_eq!(
            refusal(callers.admit(&with_key("csk_B"), &[Role::Service])),
            Refusal::CallerUnknown
        );
    }

    #[test]
    fn a_caller_may_do_what_its_roles_say() {
        let callers = CallerAuthenticator::new(vec![shop()], true);
        let refused = callers.admit(&with_key(KEY), &[Role::Gateway, Role::Operator]);
        assert_eq!(refusal(refused), Refusal::CallerNotPermitted(Role::Gateway));
    }
}
