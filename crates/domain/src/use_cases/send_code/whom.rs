//! Whom a code is about: who asks for it, and who gets it.

use crate::application::{Application, Found, Recipient};
use crate::error::Error;
use crate::model::{
    Address, DeviceClaim, DeviceDigest, ExistingState, GroupId, MessageId, ProvenUser, Purpose,
    UserState,
};
use crate::ports::{Account, Clock as _};

/// The person who is to have the address, if the code is to change one: signed in a
/// moment ago, in the group of the code.
pub(super) async fn who_asks(
    app: &Application,
    access_token: Option<&str>,
    group: &GroupId,
) -> Result<ProvenUser, Error> {
    let missing = || Error::invalid("access_token", "must not be empty");
    let access_token = access_token.ok_or_else(missing)?;
    let person = app.people.by_fresh_access_token(access_token).await?;
    if person.user.group != *group {
        let rule = "must be the group of the person whose access token it is";
        return Err(Error::invalid("group_id", rule));
    }
    Ok(ProvenUser::of(&person.user))
}

/// Whom a code goes to, if there is a message.
pub(super) fn recipient(message: Option<MessageId>, to: Recipient) -> Recipient {
    message.map_or(Recipient::Caller, |_| to)
}

/// The device, if it is a known one of the active user who holds the address.
pub(super) async fn known_device(
    app: &Application,
    claim: DeviceClaim,
    group: &GroupId,
    address: &Address,
) -> Result<Option<DeviceDigest>, Error> {
    let Some(device) = app.devices.find(claim).await? else {
        return Ok(None);
    };
    let identifier = address.clone().into();
    let account = app.store.account_by_identifier(group, &identifier).await?;
    let user = recipient_of(app, account, Purpose::SignIn);
    Ok(user
        .filter(|user| device.is_of(*user))
        .map(|_| device.digest))
}

/// The active user who holds an address.
#[derive(Default)]
pub(super) struct Holder {
    /// The user, with its credentials as they are.
    pub(super) user: Option<ProvenUser>,
    /// Its id in an existing database, if it is not adopted yet.
    pub(super) existing: Option<String>,
}

impl Holder {
    pub(super) fn is_somebody(&self) -> bool {
        self.user.is_some() || self.existing.is_some()
    }
}

/// The active user who holds an address, here or in an existing database. Who is blocked
/// may prove the address to sign in: only then it hears why it may not.
pub(super) async fn holder(
    app: &Application,
    group: &GroupId,
    address: &Address,
    purpose: Purpose,
) -> Result<Holder, Error> {
    let identifier = address.clone().into();
    let account = app.store.account_by_identifier(group, &identifier).await?;
    let is_known = account.is_some();
    let found = app.adoption.look_up(group, &identifier, is_known).await;
    let account = match found {
        // An outage there is nothing to those who are known here.
        _ if is_known => account,
        Ok(Found::Adopted(account)) => Some(*account),
        Ok(Found::User(user)) => {
            let is_told = purpose == Purpose::SignIn || user.state == ExistingState::Active;
            return Ok(Holder {
                user: None,
                existing: is_told.then_some(user.external_id),
            });
        }
        Ok(Found::Nobody | Found::Unusable) => None,
        Err(error) => return Err(error),
    };
    Ok(Holder {
        user: recipient_of(app, account, purpose),
        existing: None,
    })
}

fn recipient_of(
    app: &Application,
    account: Option<Account>,
    purpose: Purpose,
) -> Option<ProvenUser> {
    let user = account.map(|account| account.user);
    user.filter(|user| {
        let is_told = purpose == Purpose::SignIn && user.state != UserState::Pending;
        is_told || user.is_active(app.clock.now())
    })
    .map(|user| ProvenUser::of(&user))
}
