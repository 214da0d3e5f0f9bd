//! Signing up, with a proof of the address or with a code to come.
//!
//! A sign-up that waits for its code reserves nothing: whoever proves the
//! address first is the user. Whoever asks for an address that has an account
//! gets the same answer at the same cost, and the owner of the address is told.

mod by_code;

use self::by_code::Unproved;
use crate::application::{Application, NewUser, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, GroupId, Identifier, Locale, NewPassword, Proof, Purpose, SealedText,
    SignInWay, Timestamp, UserId, Username, VerificationId,
};

/// Somebody signs up.
#[derive(Debug)]
pub struct SignUp {
    /// In which group.
    pub group: GroupId,
    /// With which address.
    pub address: Address,
    /// With which user name besides.
    pub username: Option<Username>,
    /// How the address is proved.
    pub by: SignUpBy,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// How the address of a new user is proved.
#[derive(Debug)]
pub enum SignUpBy {
    /// It was proved before.
    Proof {
        /// The proof.
        proof: Proof,
        /// The password, unless the person signs in with codes.
        password: Option<NewPassword>,
    },
    /// A provider answers for it, or it was proved before.
    Federated {
        /// What stands for the account at the provider, which is linked to the user.
        token: SealedText,
        /// The proof, unless the provider answers for the address.
        proof: Option<Proof>,
        /// The password, unless the person signs in at the provider alone.
        password: Option<NewPassword>,
        /// The caller that was given the token.
        client_id: String,
    },
    /// By a code that is sent now.
    Code {
        /// The password.
        password: NewPassword,
    },
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

impl SignUp {
    /// Creates the user, or sends the code that will.
    ///
    /// # Errors
    /// No such group, or one for which people do not sign up by themselves; a proof
    /// that is not valid, a taken identifier, too many messages or hashes, no sender.
    pub async fn execute(self, app: &Application) -> Result<SignedUp, Error> {
        let rules = app.groups.named(&self.group)?;
        rules.require_sign_up()?;
        match self.by {
            SignUpBy::Proof { proof, password } => {
                let new = NewUser {
                    group: self.group,
                    address: self.address,
                    username: self.username.map(Identifier::Username),
                    password: None,
                    account: None,
                };
                proved(app, new, Some(&proof), password).await
            }
            SignUpBy::Federated {
                token,
                proof,
                password,
                client_id,
            } => {
                rules.require_way(SignInWay::Federated)?;
                let sign_ins = &app.federated_sign_ins;
                let account = sign_ins.account_of(&self.group, &client_id, &token)?;
                let mut new = NewUser {
                    group: self.group,
                    address: self.address,
                    username: self.username.map(Identifier::Username),
                    password: None,
                    account: None,
                };
                if proof.is_none() && !new.is_answered_for(&account) {
                    return Err(Refusal::Proof.into());
                }
                new.account = Some(account);
                proved(app, new, proof.as_ref(), password).await
            }
            SignUpBy::Code { password } => {
                let unproved = Unproved {
                    group: self.group,
                    address: self.address,
                    username: self.username,
                    locale: self.locale,
                };
                let record = unproved.execute(app, password, &self.client).await?;
                Ok(SignedUp::Pending {
                    verification_id: record.id,
                    expires_at: record.expires_at,
                })
            }
        }
    }
}

/// Creates a user whose address is proved, or for whose address a provider answers.
async fn proved(
    app: &Application,
    mut new: NewUser,
    proof: Option<&Proof>,
    password: Option<NewPassword>,
) -> Result<SignedUp, Error> {
    if let Some(proof) = proof {
        let proved = app.verifications.proof(proof, Purpose::SignUp).await?;
        if proved.group != new.group || proved.address != new.address {
            return Err(Refusal::Proof.into());
        }
    }
    app.adoption
        .refuse_held(&new.group, new.identifiers())
        .await?;
    if let Some(password) = password {
        let place = app.hasher.admit()?;
        new.password = Some(place.hash(password.into_password()).await?);
    }
    let (mut repeats, mut is_spent) = (Repeats::default(), false);
    loop {
        let created = async {
            let mut uow = app.store.begin().await?;
            let id = new.insert(&mut *uow, app).await?;
            // Before the commit: what becomes of that may stay unknown.
            if let Some(proof) = proof {
                app.verifications.spend_once(proof, &mut is_spent).await?;
            }
            uow.commit().await?;
            Ok(SignedUp::Active(id))
        };
        match created.await {
            Err(error) if repeats.allow(&error) => {}
            outcome => return outcome,
        }
    }
}
