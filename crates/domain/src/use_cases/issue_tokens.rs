//! Signing in: a grant is exchanged for the tokens of a new session.

mod asked;
mod comparison;
mod facts;
mod federated_grant;
mod opening;
mod passkey_grant;
mod password_grant;
mod proof_grant;

pub use self::federated_grant::FederatedProof;
use self::federated_grant::with_account;
pub use self::opening::{MfaRequired, UnlinkedAccount};
use self::opening::{Opened, Opening};
use self::passkey_grant::with_passkey;
use self::password_grant::with_password;
use self::proof_grant::with_proof;
use crate::application::{Application, Tokens};
use crate::error::Error;
use crate::model::{
    Assertion, ClientContext, DeviceClaim, GroupId, Identifier, Locale, Password, Proof, Scope,
    SignInWay,
};

/// Somebody signs in.
#[derive(Debug)]
pub struct IssueTokens {
    /// In which group.
    pub group: GroupId,
    /// How.
    pub grant: Grant,
    /// For which audience: one of those that are offered.
    pub audience: String,
    /// With which scopes: some of those that are offered.
    pub scopes: Vec<Scope>,
    /// The caller that gets the tokens.
    pub client_id: String,
    /// The device.
    pub client: ClientContext,
    /// What the gateway tells of its token.
    pub device: DeviceClaim,
    /// The language of a notice.
    pub locale: Locale,
}

/// How somebody signs in.
#[derive(Debug)]
pub enum Grant {
    /// With an identifier and a password.
    Password {
        /// The identifier.
        identifier: Identifier,
        /// The password.
        password: Password,
    },
    /// With the proof of a verified address.
    VerifiedCode(Proof),
    /// With a passkey that has verified the person.
    Passkey(Box<Assertion>),
    /// An account at a provider.
    Federated(FederatedProof),
}

/// What a sign-in yields.
#[derive(Debug)]
pub enum Issued {
    /// The tokens of a new session.
    Tokens(Tokens),
    /// A second factor has to be shown.
    MfaRequired(MfaRequired),
    /// The account at a provider is linked to nobody yet.
    Unlinked(Box<UnlinkedAccount>),
}

impl Issued {
    /// The tokens.
    ///
    /// # Panics
    /// If a second factor has to be shown.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn into_tokens(self) -> Tokens {
        match self {
            Self::Tokens(tokens) => tokens,
            Self::MfaRequired(_) => panic!("a second factor has to be shown"),
            Self::Unlinked(_) => panic!("the account is linked to nobody"),
        }
    }
}

impl Grant {
    fn way(&self) -> SignInWay {
        match self {
            Self::Password { .. } => SignInWay::Password,
            Self::VerifiedCode(_) => SignInWay::VerifiedCode,
            Self::Passkey(_) => SignInWay::Passkey,
            Self::Federated(_) => SignInWay::Federated,
        }
    }
}

impl IssueTokens {
    /// Signs the person in, or asks for a second factor if the policy does.
    ///
    /// # Errors
    /// No such group, or one that does not let people in this way; a refused sign-in, an
    /// invalid proof, too many attempts or hashes; a second factor that is required,
    /// and is not there; a person who has proved itself, and is suspended or has left.
    pub async fn execute(self, app: &Application) -> Result<Issued, Error> {
        let rules = app.groups.named(&self.group)?;
        rules.require_way(self.grant.way())?;
        let opening = Opening {
            audience: self.audience,
            scopes: self.scopes,
            client_id: self.client_id,
            client: self.client,
            device: self.device,
            locale: self.locale,
        };
        let opened = match self.grant {
            Grant::Password {
                identifier,
                password,
            } => with_password(app, &self.group, &identifier, password, &opening).await?,
            Grant::VerifiedCode(proof) => with_proof(app, &self.group, &proof, &opening).await?,
            Grant::Passkey(assertion) => {
                with_passkey(app, &self.group, &assertion, &opening).await?
            }
            Grant::Federated(proof) => with_account(app, &self.group, proof, &opening).await?,
        };
        match opened {
            Opened::Session(opened, device) => {
                let (session, user) = *opened;
                let tokens = app.tokens.mint(&session, &user)?;
                Ok(Issued::Tokens(Tokens { device, ..tokens }))
            }
            Opened::MfaSession(required) => Ok(Issued::MfaRequired(required)),
            Opened::Unlinked(account) => Ok(Issued::Unlinked(account)),
            Opened::Blocked(refusal, user) => {
                let error = refusal.into();
                opening.note_refused(app, &self.group, user, &error);
                Err(error)
            }
        }
    }
}
