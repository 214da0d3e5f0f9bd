//! Opening a session for a person who was authenticated.

use crate::application::{Application, SignIn};
use crate::model::{AuthenticationMethod, ClientContext, Scope, Session, User};

/// What a session is opened with, but for the user and how it was
/// authenticated.
pub(super) struct Opening {
    pub(super) audience: String,
    pub(super) scopes: Vec<Scope>,
    pub(super) client_id: String,
    pub(super) client: ClientContext,
}

impl Opening {
    /// A new session of the user, not written yet.
    pub(super) fn session(
        &self,
        app: &Application,
        user: &User,
        method: AuthenticationMethod,
    ) -> Session {
        app.tokens.open_session(SignIn {
            user_id: user.id,
            group: user.group.clone(),
            client_id: self.client_id.clone(),
            audience: self.audience.clone(),
            scopes: self.scopes.clone(),
            methods: vec![method],
            client: self.client.clone(),
        })
    }
}
