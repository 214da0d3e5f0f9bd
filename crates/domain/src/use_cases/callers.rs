//! Adding a program that may call the service, and changing its keys.

use std::time::Duration;

use crate::application::CallerKeeper;
use crate::error::Error;
use crate::model::{
    ApiKey, AuditAction, Caller, CallerKey, CallerName, KeyHash, KeyId, Role, SubjectAltName,
    Timestamp,
};
use crate::ports::{Random, Store, StoreError};

/// An operator adds a caller.
#[derive(Debug)]
pub struct CreateCaller {
    /// Its name.
    pub name: CallerName,
    /// What it may do.
    pub roles: Vec<Role>,
    /// By what it proves itself.
    pub credential: NewCredential,
}

/// By what a new caller proves itself.
#[derive(Debug)]
pub enum NewCredential {
    /// An API key, which is made.
    Key {
        /// How long it is good; `None`: until it is removed.
        expires_in: Option<Duration>,
    },
    /// A client certificate with one of these names.
    Certificate(Vec<SubjectAltName>),
}

/// An operator gives a caller a second key, which takes over from the first.
#[derive(Debug)]
pub struct AddCallerKey {
    /// The caller's name.
    pub name: CallerName,
    /// How long the key is good; `None`: until it is removed.
    pub expires_in: Option<Duration>,
}

/// An operator removes a key of a caller.
#[derive(Debug)]
pub struct RemoveCallerKey {
    /// The caller's name.
    pub name: CallerName,
    /// Which key.
    pub id: KeyId,
}

/// Why the keys of a caller are not changed.
#[derive(Debug, thiserror::Error)]
pub enum CallerKeyError {
    /// There is no such caller.
    #[error("there is no such caller")]
    NoSuchCaller,
    /// The caller has as many keys as it may have: these.
    #[error("the caller has {} keys, as many as it may have", .0.len())]
    Full(Vec<CallerKey>),
    /// The caller has no such key, but these.
    #[error("the caller has no such key")]
    NoSuchKey(Vec<CallerKey>),
    /// It is the caller's only key.
    #[error("it is the only key of the caller")]
    OnlyKey,
    /// The database could not tell, or it is not certain what it did.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

impl CreateCaller {
    /// Adds the caller and returns its key, if it has one; only a hash is kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the field `name` or `san`, which is taken.
    pub async fn execute(self, keeper: CallerKeeper<'_>) -> Result<Option<ApiKey>, Error> {
        let mut caller = Caller {
            name: self.name,
            roles: self.roles,
            keys: vec![],
            sans: vec![],
            created_at: keeper.clock.now(),
        };
        let mut made = None;
        match self.credential {
            NewCredential::Key { expires_in } => {
                let (secret, key) = new_key(expires_in, caller.created_at, keeper.random);
                caller.keys.push(key);
                made = Some(secret);
            }
            NewCredential::Certificate(mut sans) => {
                sans.sort();
                sans.dedup();
                caller.sans = sans;
            }
        }
        match insert(keeper, &caller).await {
            Ok(()) => Ok(made),
            Err(StoreError::Taken) => Err(taken(keeper.store, &caller).await?),
            Err(error) => Err(error.into()),
        }
    }
}

async fn insert(keeper: CallerKeeper<'_>, caller: &Caller) -> Result<(), StoreError> {
    let mut uow = keeper.store.begin().await?;
    uow.insert_caller(caller).await?;
    let roles: Vec<_> = caller.roles.iter().map(|role| role.as_str()).collect();
    let event = keeper.event(AuditAction::CallerAdded, &caller.name);
    let event = event.with_detail(roles.join(" "));
    uow.insert_audit_event(&event).await?;
    uow.commit().await
}

/// What of a new caller is taken.
async fn taken(store: &dyn Store, caller: &Caller) -> Result<Error, StoreError> {
    let callers = store.callers().await?.readable;
    let mut sans = callers.iter().flat_map(|known| &known.sans);
    Ok(match sans.find(|san| caller.sans.contains(san)) {
        Some(san) => Error::invalid(
            "san",
            format!("must not be another caller's, as {} is", san.as_str()),
        ),
        None => Error::invalid("name", "must not be the name of another caller"),
    })
}

impl AddCallerKey {
    /// Adds the key and returns it; only a hash of it is kept.
    ///
    /// # Errors
    /// A caller that is not there, or has as many keys as it may have.
    pub async fn execute(self, keeper: CallerKeeper<'_>) -> Result<ApiKey, CallerKeyError> {
        let (secret, key) = new_key(self.expires_in, keeper.clock.now(), keeper.random);
        let mut uow = keeper.store.begin().await?;
        let caller = uow.lock_caller(&self.name).await?;
        let caller = caller.ok_or(CallerKeyError::NoSuchCaller)?;
        if caller.keys.len() >= Caller::MAX_KEYS {
            return Err(CallerKeyError::Full(caller.keys));
        }
        uow.insert_caller_key(&self.name, &key).await?;
        let event = keeper.event(AuditAction::CallerKeyAdded, &self.name);
        let event = event.with_detail(key.id().to_string());
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(secret)
    }
}

impl RemoveCallerKey {
    /// Removes the key.
    ///
    /// # Errors
    /// A caller or a key that is not there, or the only key of a caller that has
    /// no certificate.
    pub async fn execute(self, keeper: CallerKeeper<'_>) -> Result<(), CallerKeyError> {
        let mut uow = keeper.store.begin().await?;
        let caller = uow.lock_caller(&self.name).await?;
        let caller = caller.ok_or(CallerKeyError::NoSuchCaller)?;
        let Some(key) = caller.keys.iter().find(|key| key.id() == self.id) else {
            return Err(CallerKeyError::NoSuchKey(caller.keys));
        };
        if caller.keys.len() == 1 && caller.sans.is_empty() {
            return Err(CallerKeyError::OnlyKey);
        }
        uow.delete_caller_key(&self.name, &key.hash).await?;
        let event = keeper.event(AuditAction::CallerKeyRemoved, &self.name);
        let event = event.with_detail(key.id().to_string());
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(())
    }
}

fn new_key(
    expires_in: Option<Duration>,
    now: Timestamp,
    random: &dyn Random,
) -> (ApiKey, CallerKey) {
    let secret = ApiKey::generate(random);
    let key = CallerKey {
        hash: KeyHash::of(secret.expose()),
        created_at: now,
        expires_at: expires_in.map(|time| now.plus(time)),
        last_used_at: None,
    };
    (secret, key)
}
