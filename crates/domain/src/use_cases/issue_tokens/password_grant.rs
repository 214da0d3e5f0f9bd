//! The password grant: unknown, wrong, not active and locked get one answer at
//! one cost, which is exactly one hash. A place for it is taken before anything
//! is counted; the attempt is counted durably while the hash is computed, and
//! the comparison is answered only if the attempt was counted.

use futures_util::future::try_join;

use super::opening::{Opened, Opening};
use crate::application::{Application, Repeats, compare_password};
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, GroupId, Identifier, MfaFactor, Password, PasswordCredential,
    PasswordHash, User, UserId,
};
use crate::ports::{Account, Clock as _, HashingPlace};

/// A password that proved right, to be checked again in the unit of work.
struct Matched {
    user_id: UserId,
    credential: PasswordCredential,
    rehashed: Option<PasswordHash>,
}

/// Signs a person in with a password.
pub(super) async fn with_password(
    app: &Application,
    group: &GroupId,
    identifier: &Identifier,
    password: Password,
    opening: &Opening,
) -> Result<Opened, Error> {
    let place = app.hasher.admit()?;
    let charge = app
        .limits
        .charge_sign_in(identifier, &opening.client)
        .await?;
    let attempt = async {
        let matched = compare(app, group, identifier, password, place).await?;
        let asked = opening.second_factors(app, matched.user_id).await?;
        let mut repeats = Repeats::default();
        loop {
            match sign_in(app, &matched, opening, &asked).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    };
    let opened = attempt.await;
    app.limits.refund_unless_refused(charge, opened).await
}

async fn compare(
    app: &Application,
    group: &GroupId,
    identifier: &Identifier,
    password: Password,
    place: Box<dyn HashingPlace>,
) -> Result<Matched, Error> {
    let account = app.store.account_by_identifier(group, identifier).await?;
    let credential = account
        .as_ref()
        .and_then(|account| account.credential.clone());
    let verify = compare_password(place, password.clone(), credential.as_ref());
    let count = count(app, identifier, credential.as_ref());
    let (verdict, counted) = try_join(verify, count).await?;
    let (Some(Account { user, .. }), Some(credential)) = (account, credential) else {
        return Err(Refusal::SignIn.into());
    };
    if !verdict.matches || !counted || !user.is_active() {
        return Err(Refusal::SignIn.into());
    }
    let rehashed = if verdict.outdated {
        rehash(app, password).await
    } else {
        None
    };
    Ok(Matched {
        user_id: user.id,
        credential,
        rehashed,
    })
}

/// Counts the attempt with the credential, or with nobody's if there is none or
/// it has no attempts left: that takes as long. Tells whether the password may be
/// compared.
async fn count(
    app: &Application,
    identifier: &Identifier,
    credential: Option<&PasswordCredential>,
) -> Result<bool, Error> {
    if let Some(credential) = credential {
        let cap = app.settings.password_attempts;
        if app.store.count_attempt(credential.user_id, cap).await? {
            return Ok(true);
        }
    }
    let row = app.limits.row_of_nobody(identifier);
    app.store.count_attempt_of_nobody(row).await?;
    Ok(false)
}

/// The password under today's parameters; another time, if the hasher has no
/// place now.
async fn rehash(app: &Application, password: Password) -> Option<PasswordHash> {
    let place = app.hasher.admit().ok()?;
    place.hash(password).await.ok()
}

/// Opens the session, if the user is still active and the password is still
/// the one that was compared: whoever changes it meanwhile ends all sessions,
/// and this must not be one that escapes.
async fn sign_in(
    app: &Application,
    matched: &Matched,
    opening: &Opening,
    asked: &[MfaFactor],
) -> Result<Opened, Error> {
    let mut uow = app.store.begin().await?;
    let user = uow
        .lock_user(matched.user_id)
        .await?
        .filter(User::is_active)
        .ok_or(Refusal::SignIn)?;
    let credential = uow.lock_credential(user.id).await?.ok_or(Refusal::SignIn)?;
    if credential.hash != matched.credential.hash {
        return Err(Refusal::SignIn.into());
    }
    uow.clear_failures(user.id, matched.rehashed.as_ref(), app.clock.now())
        .await?;
    let shown = [AuthenticationMethod::Password];
    let opened = opening.open(app, &mut *uow, &user, &shown, asked).await?;
    uow.commit().await?;
    Ok(opened)
}
