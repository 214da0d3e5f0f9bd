//! The person who changes linked accounts, locked.

use crate::application::{Application, Person};
use crate::error::{Error, Refusal};
use crate::model::{ProvenUser, User};
use crate::ports::{Clock as _, UnitOfWork};

/// The user, if its sessions live on.
pub(super) async fn lock(
    app: &Application,
    uow: &mut dyn UnitOfWork,
    person: &Person,
) -> Result<User, Error> {
    let user = uow.lock_user(person.user.id).await?;
    let now = app.clock.now();
    let user =
        user.filter(|user| user.is_active(now) && ProvenUser::of(&person.user).is_current(user));
    Ok(user.ok_or(Refusal::AccessToken(None))?)
}
