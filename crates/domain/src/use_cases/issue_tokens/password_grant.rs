//! The password grant: unknown, wrong, not active and locked get one answer at
//! one cost, which is exactly one hash. A place for it is taken before anything
//! is counted; the attempt is counted durably while the hash is computed, and
//! the comparison is answered only if the attempt was counted.
//!
//! An attempt from a known device of the user is charged to, and counted with,
//! that device alone. Any other device token is as good as none.

use futures_util::future::try_join;

use super::asked::First;
use super::opening::{Facts, Opened, Opening};
use crate::application::{Application, Repeats, compare_password};
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, Device, GroupId, Identifier, Password, PasswordCredential, PasswordHash,
    ProvenUser, UserId,
};
use crate::ports::{Account, Clock as _, HashingPlace};

/// What is read before an attempt is charged, if there is a device token.
struct Early {
    account: Option<Account>,
    /// The device, if it is one of the account's.
    known: Option<Device>,
}

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
    let early = read_early(app, group, identifier, opening).await?;
    let known = early.as_ref().and_then(|early| early.known.clone());
    let charge = match &known {
        Some(device) => app.limits.charge_known_device(&device.digest).await?,
        None => {
            let charge = app.limits.charge_sign_in(identifier, &opening.client);
            charge.await?
        }
    };
    let attempt = async {
        let account = match early {
            Some(early) => early.account,
            None => app.store.account_by_identifier(group, identifier).await?,
        };
        let matched = compare(app, identifier, password, place, account, known.as_ref()).await?;
        let first = First {
            group,
            user: matched.user_id,
            method: AuthenticationMethod::Password,
            proved: None,
        };
        let facts = opening.facts(app, first, known).await?;
        let mut repeats = Repeats::default();
        let opened = loop {
            match sign_in(app, &matched, opening, &facts).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        Opening::committed(app, &facts);
        Ok(opened)
    };
    let opened = attempt.await;
    app.limits.refund_unless_refused(charge, opened).await
}

/// The account and its device, if the gateway tells of one that is known. One that
/// has no attempts left is as good as none.
async fn read_early(
    app: &Application,
    group: &GroupId,
    identifier: &Identifier,
    opening: &Opening,
) -> Result<Option<Early>, Error> {
    let Some(device) = app.devices.find(opening.device).await? else {
        return Ok(None);
    };
    let account = app.store.account_by_identifier(group, identifier).await?;
    let user = account
        .as_ref()
        .map(|account| ProvenUser::of(&account.user));
    let is_good = user.is_some_and(|user| device.is_of(user))
        && device.failures < app.settings.password_attempts;
    let known = is_good.then_some(device);
    Ok(Some(Early { account, known }))
}

async fn compare(
    app: &Application,
    identifier: &Identifier,
    password: Password,
    place: Box<dyn HashingPlace>,
    account: Option<Account>,
    known: Option<&Device>,
) -> Result<Matched, Error> {
    let credential = account
        .as_ref()
        .and_then(|account| account.credential.clone());
    let verify = compare_password(place, password.clone(), credential.as_ref());
    let count = count(app, identifier, credential.as_ref(), known);
    let (verdict, counted) = try_join(verify, count).await?;
    let (Some(Account { user, .. }), Some(credential)) = (account, credential) else {
        return Err(Refusal::SignIn.into());
    };
    if !verdict.matches || !counted {
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

/// Counts the attempt with the known device or the credential, or with nobody's
/// if there is none or it has no attempts left: that takes as long. Tells whether
/// the password may be compared.
async fn count(
    app: &Application,
    identifier: &Identifier,
    credential: Option<&PasswordCredential>,
    known: Option<&Device>,
) -> Result<bool, Error> {
    let cap = app.settings.password_attempts;
    let counted = match (credential, known) {
        (Some(_), Some(device)) => app.store.count_device_attempt(&device.digest, cap).await?,
        (Some(credential), None) => app.store.count_attempt(credential.user_id, cap).await?,
        (None, _) => false,
    };
    if counted {
        return Ok(true);
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

/// Opens the session, if the user is active and the password is still the one that
/// was compared: whoever changes it meanwhile ends all sessions,
/// and this must not be one that escapes.
async fn sign_in(
    app: &Application,
    matched: &Matched,
    opening: &Opening,
    facts: &Facts,
) -> Result<Opened, Error> {
    let mut uow = app.store.begin().await?;
    let user = uow.lock_user(matched.user_id).await?;
    let user = user.ok_or(Refusal::SignIn)?;
    let credential = uow.lock_credential(user.id).await?.ok_or(Refusal::SignIn)?;
    if credential.hash != matched.credential.hash {
        return Err(Refusal::SignIn.into());
    }
    let rehashed = matched.rehashed.as_ref();
    // What a known device does gives strangers nothing to guess with: a password
    // that is locked to them stays so.
    let is_locked = credential.failures >= app.settings.password_attempts;
    let is_clear = credential.failures == 0 && rehashed.is_none();
    let now = app.clock.now();
    if facts.known.is_none() || !(is_locked || is_clear) {
        uow.clear_failures(user.id, rehashed, now).await?;
    }
    if !user.is_active(now) {
        // The password was right: it is told why, and costs no attempt.
        uow.commit().await?;
        return Ok(Opened::Blocked(Refusal::of_state(&user.state)));
    }
    let shown = [AuthenticationMethod::Password];
    let opened = opening.open(app, &mut *uow, &user, &shown, facts).await?;
    uow.commit().await?;
    Ok(opened)
}
