//! People of the world: what they prove, how they sign up and in.

use super::World;
use super::requests::{CLIENT, password, send_code, sign_in, sign_up};
use crate::application::Tokens;
use crate::error::Error;
use crate::model::{GroupId, GroupPolicy, NewPassword, Proof, Purpose, UserId};
use crate::use_cases::{
    CheckCode, ConfirmSignUp, CreateGroup, RefreshTokens, SignUp, SignUpBy, SignedUp, Which,
};

impl World {
    /// A proof of an address, by a code that was sent.
    ///
    /// # Errors
    /// As the use-cases have them.
    pub async fn prove(&self, email: &str, purpose: Purpose) -> Result<Proof, Error> {
        let sent = send_code(email, purpose).execute(&self.app).await?;
        let code = self.take_code().await;
        let checked = CheckCode {
            which: Which::Id(sent.record.id),
            code,
        }
        .execute(&self.app)
        .await?;
        // The next code may be sent only after the cooldown.
        self.clock.advance(self.app.settings.verification.cooldown);
        Ok(checked.proof)
    }

    /// A group with the server's own policy.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn group(&self, id: &str) -> GroupId {
        self.group_with(id, GroupPolicy::default()).await
    }

    /// A group with this policy.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn group_with(&self, id: &str, policy: GroupPolicy) -> GroupId {
        let create = CreateGroup {
            id: GroupId::parse(id).expect("a group"),
            display_name: String::new(),
            policy,
        };
        let group = create.execute(&self.app).await;
        group.expect("the group is made").id
    }

    /// An active user with this address and password.
    ///
    /// # Panics
    /// If the sign-up fails.
    pub async fn user(&self, email: &str, password: &str) -> UserId {
        let proof = self
            .prove(email, Purpose::SignUp)
            .await
            .expect("the address is proved");
        let signed_up = self.sign_up_proven(email, Some(password), proof);
        let signed_up = signed_up.execute(&self.app).await;
        match signed_up.expect("the user signs up") {
            SignedUp::Active(user_id) => user_id,
            SignedUp::Pending { .. } => panic!("the user is pending"),
        }
    }

    /// A user who has not typed the code of the sign-up yet.
    ///
    /// # Panics
    /// If the sign-up fails.
    pub async fn pending(&self, email: &str, password: &str) -> ConfirmSignUp {
        let signed_up = self.sign_up(email, password).execute(&self.app).await;
        let Ok(SignedUp::Pending {
            verification_id, ..
        }) = signed_up
        else {
            panic!("expected a pending user, got {signed_up:?}");
        };
        let code = self.take_code().await;
        self.clock.advance(self.app.settings.verification.cooldown);
        ConfirmSignUp {
            verification_id,
            code,
        }
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// As the use-case has them.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        let issued = sign_in(email, password).execute(&self.app).await?;
        Ok(issued.into_tokens())
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// As the use-case has them.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        RefreshTokens {
            refresh_token: refresh_token.to_owned(),
            client_id: CLIENT.into(),
        }
        .execute(&self.app)
        .await
    }

    /// A sign-up without a proof.
    ///
    /// # Panics
    /// If the password is too easy.
    #[must_use]
    pub fn sign_up(&self, email: &str, text: &str) -> SignUp {
        sign_up(
            email,
            SignUpBy::Code {
                password: self.new_password(text),
            },
        )
    }

    /// A sign-up with a proof.
    ///
    /// # Panics
    /// If the password is too easy.
    #[must_use]
    pub fn sign_up_proven(&self, email: &str, text: Option<&str>, proof: Proof) -> SignUp {
        let password = text.map(|text| self.new_password(text));
        sign_up(email, SignUpBy::Proof { proof, password })
    }

    fn new_password(&self, text: &str) -> NewPassword {
        NewPassword::assess(password(text), &[], &*self.hasher).expect("a good password")
    }
}
