//! Whom a code is about: who asks for it, and who gets it.

use super::SendCode;
use crate::application::{Application, Recipient};
use crate::error::Error;
use crate::model::{Address, GroupId, MessageId, ProvenUser, Purpose, User};

/// The person who is to have the address, if the code is to change one: signed in a
/// moment ago, in the group of the code.
pub(super) async fn who_asks(
    app: &Application,
    send: &SendCode,
) -> Result<Option<ProvenUser>, Error> {
    if send.purpose != Purpose::ChangeIdentifier {
        return Ok(None);
    }
    let Some(access_token) = &send.access_token else {
        return Err(Error::invalid("access_token", "must not be empty"));
    };
    let person = app.people.by_fresh_access_token(access_token).await?;
    if person.user.group != send.group {
        let rule = "must be the group of the person whose access token it is";
        return Err(Error::invalid("group_id", rule));
    }
    Ok(Some(ProvenUser::of(&person.user)))
}

/// Whom a code goes to, if there is a message.
pub(super) fn recipient(message: Option<MessageId>, to: Recipient) -> Recipient {
    message.map_or(Recipient::Caller, |_| to)
}

/// The active user who holds an address, with its credentials as they are.
pub(super) async fn holder(
    app: &Application,
    group: &GroupId,
    address: &Address,
) -> Result<Option<ProvenUser>, Error> {
    let account = app
        .store
        .account_by_identifier(group, &address.clone().into())
        .await?;
    let user = account.map(|account| account.user);
    Ok(user
        .filter(User::is_active)
        .map(|user| ProvenUser::of(&user)))
}
