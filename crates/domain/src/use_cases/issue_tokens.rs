//! Signing in: a grant is exchanged for the tokens of a new session.

mod opening;
mod password_grant;

use self::opening::Opening;
use self::password_grant::with_password;
use crate::application::{Application, Repeats, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, ClientContext, GroupId, Identifier, Password, Proof, Purpose, Scope,
    Session,
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
}

impl IssueTokens {
    /// Signs the person in.
    ///
    /// # Errors
    /// A refused sign-in, an invalid proof, too many attempts or hashes.
    pub async fn execute(self, app: &Application) -> Result<Tokens, Error> {
        let opening = Opening {
            audience: self.audience,
            scopes: self.scopes,
            client_id: self.client_id,
            client: self.client,
        };
        let session = match self.grant {
            Grant::Password {
                identifier,
                password,
            } => with_password(app, &self.group, &identifier, password, &opening).await?,
            Grant::VerifiedCode(proof) => with_proof(app, &self.group, &proof, &opening).await?,
        };
        app.tokens.mint(&session)
    }
}

async fn with_proof(
    app: &Application,
    group: &GroupId,
    proof: &Proof,
    opening: &Opening,
) -> Result<Session, Error> {
    let proved = app.verifications.proof(proof, Purpose::SignIn).await?;
    if proved.group != *group {
        return Err(Refusal::Proof.into());
    }
    let address: Identifier = proved.address.into();
    let (mut repeats, mut is_spent) = (Repeats::default(), false);
    loop {
        let opened = async {
            let mut uow = app.store.begin().await?;
            let user = proved.user.ok_or(Refusal::SignIn)?;
            let holder = uow.lock_user_by_identifier(group, &address).await?;
            let holder = holder
                .filter(|holder| user.is_current(holder))
                .ok_or(Refusal::Proof)?;
            if !holder.is_active() {
                return Err(Refusal::SignIn.into());
            }
            let session = opening.session(app, &holder, AuthenticationMethod::OneTimeCode);
            uow.insert_session(&session).await?;
            Ok((uow, session))
        };
        let opened = opened.await;
        // An answer spends the proof, and before the commit, as what becomes of
        // that may stay unknown. That it could not be told does not.
        if opened.as_ref().err().is_none_or(Error::is_an_answer) {
            app.verifications.spend_once(proof, &mut is_spent).await?;
        }
        let committed = match opened {
            Ok((uow, session)) => uow.commit().await.map(|()| session).map_err(Error::from),
            Err(error) => Err(error),
        };
        match committed {
            Err(error) if repeats.allow(&error) => {}
            outcome => return outcome,
        }
    }
}
