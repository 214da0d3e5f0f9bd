//! The message with a code or a link, and whether it may ever arrive.

use super::SendCode;
use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{OneTimeSecret, Timestamp};
use crate::ports::{Clock as _, Content, Message};

/// What is wrong with a link to where no link can be delivered.
const NO_WAY_FOR_A_LINK: &str =
    "must be empty for this address: no provider of the server can deliver a link there";

impl SendCode {
    pub(super) fn message(&self, secret: &OneTimeSecret, expires_at: Timestamp) -> Message {
        let purpose = self.purpose;
        let content = match secret.clone() {
            OneTimeSecret::Code(code) => Content::Code {
                code,
                purpose,
                expires_at,
            },
            OneTimeSecret::Link(link) => Content::Link {
                link,
                purpose,
                expires_at,
            },
        };
        Message {
            to: self.address.clone(),
            locale: self.locale,
            content,
        }
    }

    /// Refuses what no provider would ever take, such as a link in a text message
    /// that is too long for the country. It is the same whether or not there is
    /// anybody to write to, and nothing is charged.
    pub(super) fn check_that_it_may_arrive(
        &self,
        app: &Application,
        secret: &OneTimeSecret,
    ) -> Result<(), Error> {
        let expires_at = app.clock.now().plus(self.ttl(app));
        if app.messages.takes(&self.message(secret, expires_at)) {
            return Ok(());
        }
        Err(match secret {
            OneTimeSecret::Link(_) => Error::invalid("link_prefix", NO_WAY_FOR_A_LINK),
            OneTimeSecret::Code(_) => Refusal::SenderMissing.into(),
        })
    }
}
