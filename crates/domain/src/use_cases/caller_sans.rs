//! Changing the names in client certificates by which a caller is recognised.

use crate::application::CallerKeeper;
use crate::model::{AuditAction, CallerName, SubjectAltName};
use crate::ports::{Store, StoreError};

/// An operator gives a caller a further name in certificates.
#[derive(Debug)]
pub struct AddCallerSan {
    /// The caller's name.
    pub name: CallerName,
    /// The name in certificates.
    pub san: SubjectAltName,
}

/// An operator takes a name in certificates from a caller.
#[derive(Debug)]
pub struct RemoveCallerSan {
    /// The caller's name.
    pub name: CallerName,
    /// The name in certificates.
    pub san: SubjectAltName,
}

/// Why the names of a caller are not changed.
#[derive(Debug, thiserror::Error)]
pub enum CallerSanError {
    /// There is no such caller.
    #[error("there is no such caller")]
    NoSuchCaller,
    /// The name is a caller's already: this one's.
    #[error("the name is one of the caller {} already", .0.as_str())]
    Taken(CallerName),
    /// The caller has no such name, but these.
    #[error("the caller has no such name")]
    NoSuchSan(Vec<SubjectAltName>),
    /// It is the caller's only name, and it has no key.
    #[error("the caller would have nothing to prove itself by")]
    OnlySan,
    /// The database could not tell, or it is not certain what it did.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

impl AddCallerSan {
    /// Adds the name.
    ///
    /// # Errors
    /// A caller that is not there, or a name that is a caller's already.
    pub async fn execute(self, keeper: CallerKeeper<'_>) -> Result<(), CallerSanError> {
        let store = keeper.store;
        let mut uow = store.begin().await?;
        let caller = uow.lock_caller(&self.name).await?;
        caller.ok_or(CallerSanError::NoSuchCaller)?;
        match uow.insert_caller_san(&self.name, &self.san).await {
            Ok(()) => {
                let event = keeper.event(AuditAction::CallerSanAdded, &self.name);
                let event = event.with_detail(self.san.as_str());
                uow.insert_audit_event(&event).await?;
                Ok(uow.commit().await?)
            }
            Err(StoreError::Taken) => {
                drop(uow);
                Err(owner(store, &self.san).await?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whose a name is that is taken.
async fn owner(store: &dyn Store, san: &SubjectAltName) -> Result<CallerSanError, StoreError> {
    let callers = store.callers().await?.readable;
    let owner = callers.into_iter().find(|known| known.sans.contains(san));
    // It was given up meanwhile, or its row cannot be read.
    let owner = owner.ok_or(StoreError::Conflict)?;
    Ok(CallerSanError::Taken(owner.name))
}

impl RemoveCallerSan {
    /// Removes the name.
    ///
    /// # Errors
    /// A caller or a name that is not there, or the only name of a caller that has
    /// no key.
    pub async fn execute(self, keeper: CallerKeeper<'_>) -> Result<(), CallerSanError> {
        let mut uow = keeper.store.begin().await?;
        let caller = uow.lock_caller(&self.name).await?;
        let caller = caller.ok_or(CallerSanError::NoSuchCaller)?;
        if !caller.sans.contains(&self.san) {
            return Err(CallerSanError::NoSuchSan(caller.sans));
        }
        if caller.sans.len() == 1 && caller.keys.is_empty() {
            return Err(CallerSanError::OnlySan);
        }
        uow.delete_caller_san(&self.name, &self.san).await?;
        let event = keeper.event(AuditAction::CallerSanRemoved, &self.name);
        let event = event.with_detail(self.san.as_str());
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(())
    }
}
