//! The password grant: unknown, wrong, not active and locked get one answer at
//! one cost, which is exactly one hash. A place for it is taken before anything
//! is counted; the attempt is counted durably while the hash is computed, and
//! the comparison is answered only if the attempt was counted.
//!
//! An attempt from a known device of the user is charged to, and counted with,
//! that device alone. Any other device token is as good as none.

use super::asked::First;
use super::comparison::{Claimed, Matched};
use super::facts::Facts;
use super::opening::{Opened, Opening};
use crate::application::{Application, Found, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{AuthenticationMethod, Device, GroupId, Identifier, Password, ProvenUser};
use crate::ports::{Account, Clock as _};

/// What is read before an attempt is charged, if there is a device token.
struct Early {
    account: Option<Account>,
    /// The device, if it is one of the account's.
    known: Option<Device>,
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
    // Why it could not be told whether there is somebody to adopt.
    let mut doubt = None;
    let attempt = async {
        let account = match early {
            Some(early) => early.account,
            None => app.store.account_by_identifier(group, identifier).await?,
        };
        let is_known = account.is_some();
        let found = app.adoption.look_up(group, identifier, is_known).await;
        let found = found.unwrap_or_else(|error| {
            doubt = Some(error);
            Found::Nobody
        });
        let (account, found) = match found {
            Found::Adopted(account) => (Some(*account), Found::Nobody),
            found => (account, found),
        };
        let named = account.as_ref().map(|account| account.user.id);
        let claimed = Claimed {
            group,
            identifier,
            account,
            found,
            known: known.as_ref(),
        };
        let compared = claimed.compare(app, password, place).await;
        let matched = compared.inspect_err(|error| {
            // Made-up names leave nothing.
            if let Some(user) = named {
                opening.note_refused(app, group, user, error);
            }
        })?;
        let first = First {
            group,
            user: matched.user_id,
            method: AuthenticationMethod::Password,
            proved: None,
        };
        let facts = Facts::read(app, first, opening.device, known).await?;
        let mut repeats = Repeats::default();
        let opened = loop {
            match sign_in(app, &matched, opening, &facts).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        facts.committed(app);
        Ok(opened)
    };
    let opened = attempt.await;
    let opened = app.limits.refund_unless_refused(charge, opened).await;
    match (opened, doubt) {
        (Err(Error::Refused(Refusal::SignIn)), Some(doubt)) => Err(doubt),
        (opened, _) => opened,
    }
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
        return Ok(Opened::Blocked(Refusal::of_state(&user.state), user.id));
    }
    let shown = [AuthenticationMethod::Password];
    let opened = opening.open(app, &mut *uow, &user, &shown, facts).await?;
    uow.commit().await?;
    Ok(opened)
}
