//! The sender of the embedded default: it delivers nothing and writes each
//! message, its code in the clear, to the log, so that the service can be tried
//! out without a provider.

use async_trait::async_trait;
use countersign_domain::model::MessageId;
use countersign_domain::ports::{Content, Message, MessageSender, SendError};

use crate::text::Text;

/// Writes messages to the log, at level INFO under `countersign::delivery`.
///
/// This is the one place where a code is written in the clear, and each line
/// says that it is for trying out only. The address is masked all the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogSender;

#[async_trait]
impl MessageSender for LogSender {
    async fn send(&self, _id: MessageId, message: Message) -> Result<(), SendError> {
        let text = Text::of(&message.content, message.locale);
        let code = match &message.content {
            Content::Code { code, .. } => Some(code.expose()),
            Content::AlreadySignedUp | Content::PasswordChanged | Content::PasswordReset => None,
        };
        tracing::info!(
            target: "countersign::delivery",
            to = message.to.masked(),
            code,
            text = text.body,
            "not delivered: the log sender is for trying out only"
        );
        Ok(())
    }
}
