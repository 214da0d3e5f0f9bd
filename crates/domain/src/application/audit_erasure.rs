//! Taking the personal data of a user who is erased or deleted out of the audit log,
//! however many entries tell of it.

use crate::error::Error;
use crate::model::UserId;
use crate::ports::{Store, StoreError, UnitOfWork};

/// How many entries a unit of work changes at the most, so that none takes long.
const MOST: u32 = 1_000;

/// Erases a user from the audit log in the unit of work in which the user itself goes. If
/// that is too much for one, it is dropped, and units of work of their own erase the
/// entries.
///
/// # Errors
/// A conflict, once they have: the unit of work is to be begun anew.
pub(crate) async fn erase_from_audit_log(
    store: &dyn Store,
    mut uow: Box<dyn UnitOfWork>,
    user: UserId,
) -> Result<Box<dyn UnitOfWork>, Error> {
    if uow.erase_from_audit_log(user, None, MOST).await?.is_none() {
        return Ok(uow);
    }
    drop(uow);
    let mut after = None;
    loop {
        let mut uow = store.begin().await?;
        after = uow.erase_from_audit_log(user, after.as_ref(), MOST).await?;
        uow.commit().await?;
        if after.is_none() {
            return Err(StoreError::Conflict.into());
        }
    }
}
