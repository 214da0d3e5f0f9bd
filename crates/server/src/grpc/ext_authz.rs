//! Envoy's external authorization: whether a request may pass to an application, and
//! who it says is asking. From memory, as ValidateToken.

mod answers;
mod context_extensions;
mod credential;
mod look_alikes;
mod question;
mod wire;

use std::sync::Arc;

use countersign_domain::Fields;
use countersign_domain::validation::{NotAccepted, Question as TokenQuestion};
use prost::bytes::Bytes;

use self::answers::Challenge;
use self::credential::Shown;
use self::question::Question;
use crate::grpc::validate_token::ValidateTokenService;
use crate::status::Failure;

/// Answers Check.
pub(crate) struct AuthorizationService {
    pub(crate) validate_token: Arc<ValidateTokenService>,
}

impl AuthorizationService {
    /// The answer to a `CheckRequest`, in its frame.
    ///
    /// # Errors
    /// If the message is none, asks for something that there is not, or cannot be
    /// answered now.
    pub(crate) async fn answer(&self, message: &[u8]) -> Result<Bytes, Failure> {
        let mut fields = Fields::new();
        let question = Question::read(message, &mut fields)
            .map_err(|malformed| Failure::Unreadable(malformed.to_string()))?;
        fields.finish(|| Some(()))?;
        let required = &question.required;
        let token = match question.shown() {
            Shown::Token(token) => token,
            Shown::Nothing if required.allows_anonymous => {
                return Ok(answers::anonymous(&question.look_alikes));
            }
            Shown::Nothing | Shown::AnotherScheme => {
                return Ok(answers::denied(&Challenge::NoToken));
            }
            Shown::Unreadable => return Ok(answers::denied(&Challenge::InvalidToken)),
        };
        let asked = TokenQuestion {
            token,
            audience: required.audience,
            scopes: &required.scopes,
            authentication: required.authentication,
        };
        Ok(match self.validate_token.judge(asked).await? {
            Ok(token) => answers::passed(&token, &question.look_alikes),
            Err(not_accepted) => answers::denied(&match not_accepted {
                NotAccepted::Token(_) | NotAccepted::Revoked => Challenge::InvalidToken,
                NotAccepted::InsufficientScope => Challenge::InsufficientScope(&required.scopes),
                NotAccepted::InsufficientAuthentication(lacking) => {
                    Challenge::InsufficientAuthentication(lacking)
                }
            }),
        })
    }
}
