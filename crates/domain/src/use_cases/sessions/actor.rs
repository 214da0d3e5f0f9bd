//! For whom a call about sessions acts.

use crate::application::Application;
use crate::error::Error;
use crate::model::{AuditEvent, SessionId, UserId};

/// For whom a call acts.
#[derive(Clone)]
pub enum Actor {
    /// The person behind this access token.
    Person(String),
    /// A user named by an operator.
    User(UserId),
}

impl Actor {
    /// The user, and the session of its access token.
    pub(super) async fn resolve(
        &self,
        app: &Application,
    ) -> Result<(UserId, Option<SessionId>), Error> {
        match self {
            Self::Person(access_token) => {
                let person = app.people.by_access_token(access_token).await?;
                Ok((person.user.id, Some(person.session.id)))
            }
            Self::User(id) => Ok((*id, None)),
        }
    }

    /// What is done to a user, by itself if it acts.
    pub(super) fn acts(&self, event: AuditEvent) -> AuditEvent {
        match self {
            Self::Person(_) => event.by_itself(),
            Self::User(_) => event,
        }
    }
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(_) => f.write_str("Person(..)"),
            Self::User(id) => f.debug_tuple("User").field(id).finish(),
        }
    }
}
