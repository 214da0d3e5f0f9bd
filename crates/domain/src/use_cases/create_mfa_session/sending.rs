//! Where the code of an MFA session goes, and its message.

use crate::application::{Application, Charge};
use crate::error::Error;
use crate::model::{
    Address, Channel, Code, Locale, MessageId, NamedUser, Purpose, Timestamp, User, UserId,
};
use crate::ports::{Content, Message};

/// An address of the user that can be reached and may get a message now, with
/// what was charged for it. It takes as long if there is no such user.
pub(super) async fn addressee(
    app: &Application,
    named: &NamedUser,
    user: Option<&User>,
    channel: Option<Channel>,
) -> Result<(Option<Address>, Option<Charge>), Error> {
    let nobody = UserId::from_bytes([0; 16]);
    let id = user.map_or(nobody, |user| user.id);
    let addresses = app.store.addresses(id).await?;
    let to = addresses.into_iter().find(|address| {
        channel.is_none_or(|channel| channel.leads_to(address))
            && app.messages.reaches(address)
            && app.settings.verification.sends_to(address)
    });
    match app.limits.charge_addressee(to.as_ref(), named).await {
        Ok(charge) => Ok((to, Some(charge))),
        Err(Error::Exhausted { .. }) => Ok((None, None)),
        Err(error) => Err(error),
    }
}

/// Queues the message. Without an address there is nobody to write to, which
/// takes as long.
pub(super) async fn queue(
    app: &Application,
    id: MessageId,
    to: Option<Address>,
    locale: Locale,
    code: Code,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let message = to.map(|to| Message {
        to,
        locale,
        content: Content::Code {
            code,
            purpose: Purpose::SignIn,
            expires_at,
        },
    });
    let queued = app.messages.code(id, message, expires_at)?;
    app.store.enqueue(&queued).await?;
    app.messages.queued();
    Ok(())
}
