//! Signing up, with a proof of the address or with a code to come.
//!
//! Without a proof nobody learns who has an account: whoever asks for an
//! address that has one gets the same answer at the same cost. A user without
//! the address is created then, which nobody can activate, and the owner of the
//! address is told.

use crate::application::{Application, CodeRequest};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, GroupId, Identifier, Locale, Password, PasswordCredential,
    PasswordHash, Proof, Purpose, Timestamp, User, UserId, Username, VerificationId,
};
use crate::ports::{Content, Message, StoreError, UnitOfWork};

/// Somebody signs up.
#[derive(Debug)]
pub struct SignUp {
    /// In which group.
    pub group: GroupId,
    /// With which address.
    pub address: Address,
    /// With which user name besides.
    pub username: Option<Username>,
    /// With which password.
    pub password: Option<Password>,
    /// The proof that the address is the person's.
    pub proof: Option<Proof>,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedUp {
    /// The user is active.
    Active(UserId),
    /// A code is on its way.
    Pending {
        /// To be confirmed with the code.
        verification_id: VerificationId,
        /// Until then.
        expires_at: Timestamp,
    },
}

/// Whom a new user finds at the address.
enum Holder {
    Nobody,
    Owner,
}

impl SignUp {
    /// Creates the user.
    ///
    /// # Errors
    /// A password that is too easy or missing, a proof that is not valid, a
    /// taken identifier, too many messages or hashes.
    pub async fn execute(self, app: &Application) -> Result<SignedUp, Error> {
        self.assess_password(app)?;
        match self.proof.clone() {
            Some(proof) => self.with_proof(app, &proof).await,
            None => self.with_code(app).await,
        }
    }

    fn assess_password(&self, app: &Application) -> Result<(), Error> {
        let known: Vec<&str> = [
            Some(self.address.as_str()),
            self.username.as_ref().map(Username::as_str),
        ]
        .into_iter()
        .flatten()
        .collect();
        match &self.password {
            Some(password) => app
                .hasher
                .assess(password, &known)
                .map_err(|rule| Error::invalid("password", rule)),
            None if self.proof.is_none() => Err(Error::invalid(
                "password",
                "must be given, since no proof is",
            )),
            None => Ok(()),
        }
    }

    async fn with_proof(self, app: &Application, proof: &Proof) -> Result<SignedUp, Error> {
        let proved = app.look_at_proof(proof, Purpose::SignUp).await?;
        if proved.group != self.group || proved.address != self.address {
            return Err(Refusal::Proof.into());
        }
        let hash = self.hash(app).await?;
        let now = app.clock.now();
        let user = User::active(UserId::generate(now, &*app.random), self.group.clone(), now);
        let mut uow = app.store.begin().await?;
        if let Holder::Owner = self.make_room(&mut *uow).await? {
            return Err(Refusal::IdentifierTaken.into());
        }
        uow.insert_user(&user).await?;
        uow.insert_identifier(&user, &self.address.clone().into(), Some(now))
            .await
            .map_err(if_taken(Refusal::IdentifierTaken))?;
        self.insert_rest(&mut *uow, &user, hash, now).await?;
        // Spent before the commit: a proof that fails to create a user is lost,
        // one that creates two never is.
        app.spend_proof(proof).await?;
        uow.commit().await?;
        Ok(SignedUp::Active(user.id))
    }

    async fn with_code(self, app: &Application) -> Result<SignedUp, Error> {
        app.count_send(&self.group, &self.address, &self.client)
            .await?;
        let hash = self.hash(app).await?;
        let now = app.clock.now();
        let user = User::pending(UserId::generate(now, &*app.random), self.group.clone(), now);
        let mut uow = app.store.begin().await?;
        let holder = self.make_room(&mut *uow).await?;
        uow.insert_user(&user).await?;
        if let Holder::Nobody = holder {
            uow.insert_identifier(&user, &self.address.clone().into(), None)
                .await?;
        }
        self.insert_rest(&mut *uow, &user, hash, now).await?;
        uow.commit().await?;

        let code = Code::generate(app.settings.verification.code_digits, &*app.random);
        let request = CodeRequest {
            group: self.group,
            address: self.address.clone(),
            purpose: Purpose::ConfirmSignUp,
            user_id: Some(user.id),
            ttl: app.settings.verification.code_ttl,
        };
        let record = app.keep_code(request, &code).await?;
        let content = match holder {
            Holder::Nobody => Content::Code {
                code,
                purpose: record.purpose,
                expires_at: record.expires_at,
            },
            Holder::Owner => Content::AlreadySignedUp,
        };
        app.sender
            .send(Message {
                to: self.address,
                locale: self.locale,
                content,
            })
            .await?;
        Ok(SignedUp::Pending {
            verification_id: record.id,
            expires_at: record.expires_at,
        })
    }

    async fn hash(&self, app: &Application) -> Result<Option<PasswordHash>, Error> {
        match &self.password {
            Some(password) => Ok(Some(app.hasher.hash(password.clone()).await?)),
            None => Ok(None),
        }
    }

    /// Removes a user who signed up with the address and never proved it: the
    /// newest sign-up counts. The confirmation is bound to the user that it was
    /// sent for, so nobody's code activates somebody else's password.
    async fn make_room(&self, uow: &mut dyn UnitOfWork) -> Result<Holder, Error> {
        let identifier: Identifier = self.address.clone().into();
        match uow
            .lock_user_by_identifier(&self.group, &identifier)
            .await?
        {
            None => Ok(Holder::Nobody),
            Some(user) if user.is_active() => Ok(Holder::Owner),
            Some(user) => {
                uow.delete_user(user.id).await?;
                Ok(Holder::Nobody)
            }
        }
    }

    async fn insert_rest(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        hash: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(username) = &self.username {
            let identifier = Identifier::Username(username.clone());
            if uow
                .lock_user_by_identifier(&self.group, &identifier)
                .await?
                .is_some()
            {
                return Err(Refusal::UsernameTaken.into());
            }
            uow.insert_identifier(user, &identifier, None)
                .await
                .map_err(if_taken(Refusal::UsernameTaken))?;
        }
        if let Some(hash) = hash {
            uow.put_credential(&PasswordCredential::new(user.id, hash, now))
                .await?;
        }
        Ok(())
    }
}

/// Somebody else was faster with the same identifier.
fn if_taken(refusal: Refusal) -> impl FnOnce(StoreError) -> Error {
    move |error| match error {
        StoreError::Taken => refusal.into(),
        other => other.into(),
    }
}
