//! Where the code of an MFA session goes, and its message.

use std::time::Duration;

use crate::application::{Application, Charge};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, Channel, Code, Locale, MessageId, NamedUser, Purpose, Timestamp, User, UserId,
};
use crate::ports::{Clock as _, Content, Message};

/// Refuses a code that no provider would ever take to the address that names the user,
/// or to any. Nothing is charged.
pub(super) fn check_that_it_may_arrive(
    app: &Application,
    named: Option<&Address>,
    locale: Locale,
    ttl: Duration,
) -> Result<(), Error> {
    let Some(address) = named else {
        let sender = app.messages.sender();
        return sender.map(drop).ok_or(Refusal::SenderMissing.into());
    };
    let code = Code::generate(app.settings.verification.code_digits, &*app.random);
    let expires_at = app.clock.now().plus(ttl);
    let message = message(address.clone(), locale, code, expires_at);
    app.messages.check_code(&message)
}

/// An address of the user that can be reached and may get a message now, with
/// what was charged for it. It takes as long if there is no such user.
pub(super) async fn addressee(
    app: &Application,
    named: &NamedUser,
    user: Option<&User>,
    channel: Option<Channel>,
    message_to: impl Fn(Address) -> Message,
) -> Result<(Option<Address>, Option<Charge>), Error> {
    let nobody = UserId::from_bytes([0; 16]);
    let id = user.map_or(nobody, |user| user.id);
    let addresses = app.store.addresses(id).await?;
    let to = addresses.into_iter().find(|address| {
        channel.is_none_or(|channel| channel.leads_to(address))
            && app.messages.takes(&message_to(address.clone()))
            && app.settings.verification.sends_to(address)
    });
    match app.limits.charge_addressee(to.as_ref(), named).await {
        Ok(charge) => Ok((to, Some(charge))),
        Err(Error::Exhausted { .. }) => Ok((None, None)),
        Err(error) => Err(error),
    }
}

/// The message with a code.
pub(super) fn message(to: Address, locale: Locale, code: Code, expires_at: Timestamp) -> Message {
    Message {
        to,
        locale,
        content: Content::Code {
            code,
            purpose: Purpose::SignIn,
            expires_at,
        },
    }
}

/// Queues the message. Without one there is nobody to write to, which takes as long.
pub(super) async fn queue(
    app: &Application,
    id: MessageId,
    message: Option<Message>,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let queued = app.messages.code(id, message, expires_at)?;
    app.store.enqueue(&queued).await?;
    app.messages.queued();
    Ok(())
}
