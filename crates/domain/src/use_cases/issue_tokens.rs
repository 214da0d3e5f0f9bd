//! Signing in: a grant is exchanged for the tokens of a new session.
//!
//! Unknown, wrong, not active and locked get one answer at one cost: exactly
//! one hash. The attempt is counted durably while the hash is computed, and the
//! comparison is answered only if the attempt was counted.

use futures_util::future::try_join;

use crate::application::{Application, SignIn, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, ClientContext, GroupId, Identifier, Password, PasswordCredential,
    PasswordHash, Proof, Purpose, Scope, Session, User, UserId,
};
use crate::ports::{Account, Verdict};

/// Somebody signs in.
#[derive(Debug)]
pub struct IssueTokens {
    /// In which group.
    pub group: GroupId,
    /// How.
    pub grant: Grant,
    /// For which audience; the first configured one if none.
    pub audience: Option<String>,
    /// With which scopes.
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

/// A password that proved right, to be checked again in the unit of work.
struct Matched {
    user_id: UserId,
    credential: PasswordCredential,
    rehashed: Option<PasswordHash>,
}

impl IssueTokens {
    /// Signs the person in.
    ///
    /// # Errors
    /// A refused sign-in, an invalid proof, a scope or audience that is not
    /// offered, too many attempts or hashes.
    pub async fn execute(self, app: &Application) -> Result<Tokens, Error> {
        let audience = self.offered(app)?;
        let Self {
            group,
            grant,
            scopes,
            client_id,
            client,
            ..
        } = self;
        let new_session = |user: &User, method| {
            app.open_session(SignIn {
                user_id: user.id,
                group: user.group.clone(),
                client_id,
                audience,
                scopes,
                method,
                client: client.clone(),
            })
        };
        let session = match grant {
            Grant::Password {
                identifier,
                password,
            } => {
                app.count_source_attempt(&group, &identifier, &client)
                    .await?;
                let matched = compare(app, &group, &identifier, password).await?;
                let session = sign_in(app, matched, |user| {
                    new_session(user, AuthenticationMethod::Password)
                })
                .await?;
                app.forget_source_attempts(&group, &identifier, &client)
                    .await?;
                session
            }
            Grant::VerifiedCode(proof) => {
                let proved = app.look_at_proof(&proof, Purpose::SignIn).await?;
                if proved.group != group {
                    return Err(Refusal::Proof.into());
                }
                app.spend_proof(&proof).await?;
                let user = app
                    .store
                    .user_by_verified_address(&group, &proved.address)
                    .await?
                    .ok_or(Refusal::SignIn)?;
                let mut uow = app.store.begin().await?;
                let user = uow
                    .lock_user(user.id)
                    .await?
                    .filter(User::is_active)
                    .ok_or(Refusal::SignIn)?;
                let session = new_session(&user, AuthenticationMethod::OneTimeCode);
                uow.insert_session(&session).await?;
                uow.commit().await?;
                session
            }
        };
        app.mint(&session)
    }

    fn offered(&self, app: &Application) -> Result<String, Error> {
        let mut fields = crate::error::Fields::new();
        let offered = &app.settings.tokens;
        let audience = match &self.audience {
            None => offered
                .audiences
                .first()
                .cloned()
                .ok_or_else(|| "no audience is configured".to_owned()),
            Some(wanted) if offered.audiences.contains(wanted) => Ok(wanted.clone()),
            Some(_) => Err(format!("must be one of {}", offered.audiences.join(", "))),
        };
        let audience = fields.take("audience", audience);
        for (index, scope) in self.scopes.iter().enumerate() {
            if !offered.scopes.contains(scope) {
                fields.refuse(
                    &format!("scopes[{index}]"),
                    "must be one of the server's tokens.scopes",
                );
            }
        }
        fields.finish(audience)
    }
}

async fn compare(
    app: &Application,
    group: &GroupId,
    identifier: &Identifier,
    password: Password,
) -> Result<Matched, Error> {
    let account = app.store.account_by_identifier(group, identifier).await?;
    let credential = account
        .as_ref()
        .and_then(|account| account.credential.clone());
    let hash = credential
        .as_ref()
        .map(|credential| credential.hash.clone());
    let verify = async { Ok::<Verdict, Error>(app.hasher.verify(password.clone(), hash).await?) };
    let count = async {
        match &credential {
            Some(credential) => Ok(app
                .store
                .count_attempt(credential.user_id, app.settings.password_attempts)
                .await?),
            None => Ok(false),
        }
    };
    // The hasher is asked first: if it is overloaded, nothing is counted.
    let (verdict, counted) = try_join(verify, count).await?;
    let (Some(Account { user, .. }), Some(credential)) = (account, credential) else {
        return Err(Refusal::SignIn.into());
    };
    if !verdict.matches || !counted || !user.is_active() {
        return Err(Refusal::SignIn.into());
    }
    let rehashed = if verdict.outdated {
        Some(app.hasher.hash(password).await?)
    } else {
        None
    };
    Ok(Matched {
        user_id: user.id,
        credential,
        rehashed,
    })
}

/// Opens the session, if the user is still active and the password is still
/// the one that was compared: whoever changes it meanwhile ends all sessions,
/// and this must not be one that escapes.
async fn sign_in(
    app: &Application,
    matched: Matched,
    new_session: impl FnOnce(&User) -> Session,
) -> Result<Session, Error> {
    let mut uow = app.store.begin().await?;
    let user = uow
        .lock_user(matched.user_id)
        .await?
        .filter(User::is_active)
        .ok_or(Refusal::SignIn)?;
    let credential = uow.lock_credential(user.id).await?.ok_or(Refusal::SignIn)?;
    if credential.hash != matched.credential.hash {
        return Err(Refusal::SignIn.into());
    }
    uow.clear_failures(user.id, matched.rehashed.as_ref(), app.clock.now())
        .await?;
    let session = new_session(&user);
    uow.insert_session(&session).await?;
    uow.commit().await?;
    Ok(session)
}
