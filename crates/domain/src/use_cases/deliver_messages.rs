//! Handing queued messages to the sender.

use std::time::Duration;

use futures_util::future::join_all;

use crate::application::{Application, Outgoing};
use crate::error::Error;
use crate::model::{
    ClaimedMessage, MessageId, MessageKind, ProviderId, ProviderSecret, Settlement,
};
use crate::ports::{Clock as _, Content, Message, ProviderError, SendError};

/// Delivers the messages that are due.
#[derive(Debug)]
pub struct DeliverMessages {
    /// How many are sent at once at the most.
    pub batch: u32,
}

/// What became of the messages of a batch.
#[derive(Debug)]
pub struct Delivered {
    /// The kind of each message that was claimed, and what became of it.
    pub settled: Vec<(MessageKind, Settlement)>,
}

/// The pause after the first failure. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Nobody waits for a consent to be taken back.
const CONSENT_PAUSE: Duration = Duration::from_secs(30);

impl DeliverMessages {
    /// How long a replica may take to settle what it has claimed. After that
    /// another one takes it over.
    pub const CLAIM: Duration = Duration::from_secs(60);

    /// Claims a batch, sends it and writes down what became of it.
    ///
    /// # Errors
    /// If the database does not answer. What was claimed and not settled is
    /// doubtful then: a code is not sent again, a notice is.
    pub async fn execute(self, app: &Application) -> Result<Delivered, Error> {
        if app.messages.sender().is_none() && app.federated_sign_ins.providers().is_empty() {
            return Ok(Delivered {
                settled: Vec::new(),
            });
        }
        let now = app.clock.now();
        let claimed = app
            .store
            .claim_messages(now, now.plus(Self::CLAIM), self.batch)
            .await?;
        let sendings = claimed.iter().map(|message| deliver(app, message));
        let settled = join_all(sendings).await;
        app.store.settle_messages(&settled).await?;
        let kinds = claimed.iter().map(|claimed| claimed.message.kind);
        let outcomes = settled.into_iter().map(|(_, outcome)| outcome);
        Ok(Delivered {
            settled: kinds.zip(outcomes).collect(),
        })
    }
}

async fn deliver(app: &Application, claimed: &ClaimedMessage) -> (MessageId, Settlement) {
    let queued = &claimed.message;
    if claimed.is_doubtful && queued.kind == MessageKind::Code {
        tracing::warn!(message_id = %queued.id, "a code may have been sent: it is not sent again");
        return (queued.id, Settlement::Failed);
    }
    let settlement = match app.messages.open(queued) {
        Ok(Outgoing::Nothing) => Settlement::Sent,
        Ok(Outgoing::Message(message)) => send(app, claimed, message).await,
        Ok(Outgoing::ConsentRevocation(provider, token)) => {
            revoke_consent(app, claimed, &provider, &token).await
        }
        Err(error) => {
            tracing::error!(message_id = %queued.id, %error, "a message cannot be sent");
            Settlement::Failed
        }
    };
    (queued.id, settlement)
}

async fn send(app: &Application, claimed: &ClaimedMessage, message: Message) -> Settlement {
    let id = claimed.message.id;
    let again = || Settlement::RetryAt(app.clock.now().plus(pause(claimed.attempts)));
    if !may_lead_there(app, &message.content) {
        tracing::warn!(
            message_id = %id,
            "verification.link_prefixes has no such prefix of a link: it is not sent"
        );
        // Another replica may have it already, or still.
        return again();
    }
    // Another replica may have one, or a restart may bring it.
    let Some(sender) = app.messages.sender() else {
        return again();
    };
    if claimed.attempts == 0 && !app.limits.may_notify(&message).await {
        log_left_out(app, id);
        return Settlement::LeftOut;
    }
    let Err(error) = sender.send(id, message).await else {
        return Settlement::Sent;
    };
    let may_be_sent_again = match error {
        SendError::Rejected(_) => false,
        SendError::Unknown(_) => claimed.message.kind != MessageKind::Code,
        SendError::Refused(_) => true,
    };
    if may_be_sent_again {
        log_deferred(app, id, &error);
        again()
    } else {
        tracing::warn!(message_id = %id, %error, "a message was not sent");
        Settlement::Failed
    }
}

/// Takes a consent back at its provider, which may have to be asked again for days.
async fn revoke_consent(
    app: &Application,
    claimed: &ClaimedMessage,
    provider: &ProviderId,
    token: &ProviderSecret,
) -> Settlement {
    let revoked = match app.federated_sign_ins.adapter(provider) {
        Ok(adapter) => adapter.revoke(provider, token.expose()).await,
        Err(_) => Err(ProviderError::Unknown(provider.clone())),
    };
    match revoked {
        Ok(()) => Settlement::Sent,
        Err(error @ ProviderError::Rejected(_)) => {
            tracing::warn!(%provider, %error, "a consent was not taken back at its provider");
            Settlement::Failed
        }
        Err(error) => {
            tracing::warn!(%provider, %error, "a consent is to be taken back later");
            let pause = pause(claimed.attempts).max(CONSENT_PAUSE);
            Settlement::RetryAt(app.clock.now().plus(pause))
        }
    }
}

/// A provider that is down defers all messages, again and again: the log tells of one
/// a minute.
fn log_deferred(app: &Application, message_id: MessageId, error: &SendError) {
    match app.messages.deferred.may_write(app.clock.monotonic()) {
        Some(left_out) => tracing::warn!(
            %message_id, %error, left_out,
            "a message was not sent, and is tried again"
        ),
        None => tracing::debug!(%message_id, %error, "a message was not sent, and is tried again"),
    }
}

fn log_left_out(app: &Application, message_id: MessageId) {
    match app.messages.left_out.may_write(app.clock.monotonic()) {
        Some(left_out) => tracing::warn!(
            %message_id, left_out,
            "a notice is left out: there were many of its kind to one address today"
        ),
        None => tracing::debug!(%message_id, "a notice is left out"),
    }
}

/// Whether a link leads where the settings of today allow.
fn may_lead_there(app: &Application, content: &Content) -> bool {
    let allowed = &app.settings.verification.link_prefixes;
    match content {
        Content::Link { link, .. } => allowed.contains(&link.prefix),
        Content::Code { .. }
        | Content::AlreadySignedUp
        | Content::PasswordChanged
        | Content::PasswordReset
        | Content::FactorAdded
        | Content::FactorRemoved
        | Content::FederatedIdentityLinked
        | Content::FederatedIdentityUnlinked
        | Content::RecoveryCodesReplaced
        | Content::NewDevice
        | Content::IdentifierChanged { .. }
        | Content::AccountClosed
        | Content::IdentifierChangeUndone => true,
    }
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(attempts))
        .min(LONGEST_PAUSE)
}
