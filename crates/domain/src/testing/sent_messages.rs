//! A sender for tests: it keeps what was sent, or fails as it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::model::{Address, MessageId};
use crate::ports::{Content, Message, MessageSender, SendError};

/// Keeps all messages, the newest last.
#[derive(Debug, Default)]
pub struct SentMessages {
    messages: Mutex<Vec<Message>>,
    failure: Mutex<Option<SendError>>,
    is_short: AtomicBool,
    has_no_codes: AtomicBool,
}

impl SentMessages {
    /// Takes all messages out.
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets every sending fail from now on, or none.
    pub fn fail_with(&self, failure: Option<SendError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// From now on text messages are too short for links.
    pub fn shorten(&self) {
        self.is_short.store(true, Ordering::Relaxed);
    }

    /// From now on no text message may have a code.
    pub fn refuse_codes(&self) {
        self.has_no_codes.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl MessageSender for SentMessages {
    async fn send(&self, _id: MessageId, message: Message) -> Result<(), SendError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = failure.clone() {
            return Err(failure);
        }
        drop(failure);
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message);
        Ok(())
    }

    fn takes(&self, message: &Message) -> bool {
        let is_text = matches!(message.to, Address::Phone(_));
        let is_link = matches!(message.content, Content::Link { .. });
        let is_code = matches!(message.content, Content::Code { .. });
        let is_too_long = is_link && self.is_short.load(Ordering::Relaxed);
        let is_refused = is_code && self.has_no_codes.load(Ordering::Relaxed);
        !(is_text && (is_too_long || is_refused))
    }
}
