//! Somebody with an account.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_proto::v1;
use tonic::Status;

use crate::gateway::{Gateway, email};

/// The password with which everybody signs up.
pub const PASSWORD: &str = "seven lanterns over the harbour";

/// A user, and the gateway by which the person calls.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id of the user.
    pub user_id: String,
    /// The verified address.
    pub email: String,
    /// The user name.
    pub username: String,
    /// By which the person calls.
    pub gateway: Gateway,
}

impl Person {
    /// The same person at another gateway.
    #[must_use]
    pub fn at(&self, gateway: &Gateway) -> Self {
        Self {
            gateway: gateway.clone(),
            ..self.clone()
        }
    }

    /// Signs in with the password.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn sign_in(&self) -> v1::Tokens {
        self.try_password(PASSWORD)
            .await
            .unwrap_or_else(|status| panic!("{} signs in: {status:?}", self.email))
    }

    /// Tries a password.
    ///
    /// # Errors
    /// The server's.
    pub async fn try_password(&self, password: &str) -> Result<v1::Tokens, Status> {
        self.gateway.sign_in(email(&self.email), password).await
    }

    /// Starts a password reset, and returns the verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn forget_password(&self) -> Result<String, Status> {
        let request = v1::StartPasswordResetRequest {
            identifier: Some(email(&self.email)),
            ..Default::default()
        };
        let started = self.gateway.auth().start_password_reset(request).await?;
        Ok(started.into_inner().verification_id)
    }

    /// The sessions that live, newest first.
    ///
    /// # Errors
    /// The server's.
    pub async fn sessions(&self, tokens: &v1::Tokens) -> Result<Vec<v1::Session>, Status> {
        let request = v1::ListSessionsRequest {
            person: Some(by_token(tokens)),
            page_size: 100,
            page_token: String::new(),
        };
        let listed = self.gateway.sessions().list_sessions(request).await?;
        Ok(listed.into_inner().sessions)
    }

    /// Looks at a session.
    ///
    /// # Errors
    /// The server's.
    pub async fn session(&self, tokens: &v1::Tokens, id: &str) -> Result<v1::Session, Status> {
        let request = v1::GetSessionRequest {
            person: Some(by_token(tokens)),
            session_id: id.into(),
        };
        let shown = self.gateway.sessions().get_session(request).await?;
        let shown = shown.into_inner().session;
        shown.ok_or_else(|| Status::internal("no session"))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The server's.
    pub async fn end_session(&self, tokens: &v1::Tokens, id: &str) -> Result<(), Status> {
        let request = v1::RevokeSessionRequest {
            person: Some(by_token(tokens)),
            session_id: id.into(),
        };
        let ended = self.gateway.sessions().revoke_session(request).await;
        ended.map(drop)
    }

    /// Replaces the password.
    ///
    /// # Errors
    /// The server's.
    pub async fn change_password(
        &self,
        tokens: &v1::Tokens,
        current: &str,
        new: &str,
    ) -> Result<(), Status> {
        let request = v1::ChangePasswordRequest {
            access_token: tokens.access_token.clone(),
            current_password: current.into(),
            new_password: new.into(),
            client_context: None,
        };
        let changed = self.gateway.auth().change_password(request).await;
        changed.map(drop)
    }
}

/// The person behind an access token.
#[must_use]
pub fn by_token(tokens: &v1::Tokens) -> v1::Person {
    v1::Person {
        by: Some(v1::person::By::AccessToken(tokens.access_token.clone())),
    }
}

/// The generation that a refresh token says it is.
///
/// # Panics
/// If it is no refresh token.
#[must_use]
pub fn generation(refresh_token: &str) -> i64 {
    let encoded = refresh_token.strip_prefix("csr_").expect("a refresh token");
    let bytes = URL_SAFE_NO_PAD.decode(encoded).expect("base64url");
    // Version (1), key id (4), session id (16), generation (8), MAC (32).
    let generation = bytes.get(21..29).expect("a generation");
    i64::from_be_bytes(generation.try_into().expect("eight bytes"))
}
