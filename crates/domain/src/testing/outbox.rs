//! A sender for tests: it keeps what was sent.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::ports::{Content, Message, MessageSender, SendError};

/// Keeps all messages, the newest last.
#[derive(Debug, Default)]
pub struct Outbox {
    messages: Mutex<Vec<Message>>,
}

impl Outbox {
    /// Takes all messages out.
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes all messages out, of which one is a code.
    ///
    /// # Panics
    /// If none is.
    pub fn take_code(&self) -> String {
        let code = self
            .take()
            .into_iter()
            .rev()
            .find_map(|message| match message.content {
                Content::Code { code, .. } => Some(code.expose().to_owned()),
                Content::AlreadySignedUp | Content::PasswordChanged => None,
            });
        code.expect("a code was sent")
    }
}

#[async_trait]
impl MessageSender for Outbox {
    async fn send(&self, message: Message) -> Result<(), SendError> {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message);
        Ok(())
    }
}
