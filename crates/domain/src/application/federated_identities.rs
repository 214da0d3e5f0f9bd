//! Linking accounts at providers to users, and letting go of them.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::application::Messages;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, FederatedAccount, FederatedDetails, FederatedIdentity, FederatedIdentityId,
    ProviderSubject, SealingKey, Secrets, SubjectDigest, User, UserId,
};
use crate::ports::{Clock, Random, StoreError, UnitOfWork};

/// Keeps which account at a provider is whose.
pub struct FederatedIdentities {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    subjects: hmac::Key,
    key: SealingKey,
}

impl FederatedIdentities {
    pub(crate) fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, secrets: &Secrets) -> Self {
        Self {
            clock,
            random,
            subjects: secrets.subjects.clone(),
            key: secrets.federated.clone(),
        }
    }

    /// What an account is found by.
    pub(crate) fn digest(&self, subject: &ProviderSubject) -> SubjectDigest {
        let mut context = hmac::Context::with_key(&self.subjects);
        for part in [&subject.issuer, &subject.subject] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        SubjectDigest::from_bytes(tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes"))
    }

    /// Links an account to a user, who is locked, or new.
    ///
    /// # Errors
    /// It is a user's of the group; the user has as many as one may have.
    pub(crate) async fn link(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        account: &FederatedAccount,
    ) -> Result<FederatedIdentity, Error> {
        if uow.count_federated_identities(user.id).await? >= FederatedIdentity::MAX {
            return Err(Refusal::TooManyFederatedIdentities.into());
        }
        let now = self.clock.now();
        let id = FederatedIdentityId::generate(now, &*self.random);
        let identity = FederatedIdentity {
            id,
            user_id: user.id,
            group: user.group.clone(),
            subject: self.digest(&account.subject),
            provider: account.provider.clone(),
            sealed: self.seal(
                id,
                &FederatedDetails {
                    linked_at_version: user.credential_version,
                    ..details(account)
                },
            )?,
            linked_at: now,
            last_used_at: None,
        };
        let inserted = uow.insert_federated_identity(&identity).await;
        inserted.map_err(|error| match error {
            StoreError::Taken => Refusal::FederatedIdentityTaken.into(),
            other => Error::from(other),
        })?;
        Ok(identity)
    }

    /// Tells that a person has signed in with an account.
    ///
    /// # Errors
    /// It was unlinked meanwhile.
    pub(crate) async fn touch(
        &self,
        uow: &mut dyn UnitOfWork,
        identity: &FederatedIdentity,
        account: &FederatedAccount,
    ) -> Result<(), Error> {
        let earlier = self.details(identity).unwrap_or_default();
        let mut known = details(account);
        known.linked_at_version = earlier.linked_at_version;
        known.refresh_token = known.refresh_token.or(earlier.refresh_token);
        let sealed = self.seal(identity.id, &known)?;
        let (user, id, now) = (identity.user_id, identity.id, self.clock.now());
        match uow.use_federated_identity(user, id, now, &sealed).await? {
            true => Ok(()),
            false => Err(Refusal::FederatedSignIn.into()),
        }
    }

    /// What is kept of an account besides.
    ///
    /// # Errors
    /// If it is damaged, or of another master key.
    pub(crate) fn details(&self, identity: &FederatedIdentity) -> Result<FederatedDetails, Error> {
        let damaged = |what: &dyn fmt::Display| {
            Error::Internal(format!("federated_identities {}: {what}", identity.id))
        };
        let opened = self.key.open(&name(identity.id), &identity.sealed);
        let plain = opened.map_err(|error| damaged(&error))?;
        serde_json::from_slice(&plain).map_err(|error| damaged(&error))
    }

    /// Unlinks one account of a user, who is locked. Where that takes a token, the consent is
    /// taken back at the provider.
    ///
    /// # Errors
    /// The user has no such account.
    pub(crate) async fn unlink(
        &self,
        uow: &mut dyn UnitOfWork,
        messages: &Messages,
        user: UserId,
        id: FederatedIdentityId,
    ) -> Result<(), Error> {
        let all = uow.federated_identities_of_user(user).await?;
        let identity = all.into_iter().flatten().find(|identity| identity.id == id);
        if !uow.delete_federated_identity(user, id).await? {
            return Err(Refusal::FederatedIdentity.into());
        }
        match identity {
            Some(identity) => self.revoke_consent(uow, messages, &identity).await,
            None => Ok(()),
        }
    }

    /// Unlinks all accounts of a user.
    pub(crate) async fn unlink_all(
        &self,
        uow: &mut dyn UnitOfWork,
        messages: &Messages,
        user: UserId,
    ) -> Result<(), Error> {
        let all = uow.federated_identities_of_user(user).await?;
        if all.is_empty() {
            return Ok(());
        }
        for identity in all.iter().flatten() {
            self.revoke_consent(uow, messages, identity).await?;
        }
        Ok(uow.delete_federated_identities(user).await?)
    }

    async fn revoke_consent(
        &self,
        uow: &mut dyn UnitOfWork,
        messages: &Messages,
        identity: &FederatedIdentity,
    ) -> Result<(), Error> {
        // What cannot be read takes nothing back; it must not keep anybody from leaving.
        let details = self.details(identity).unwrap_or_else(|error| {
            tracing::error!(%error, "a consent cannot be taken back at its provider");
            FederatedDetails::default()
        });
        if let Some(token) = details.refresh_token {
            let queued = messages.consent_revocation(&identity.provider, &token)?;
            uow.insert_message(&queued).await?;
        }
        Ok(())
    }

    fn seal(&self, id: FederatedIdentityId, details: &FederatedDetails) -> Result<Vec<u8>, Error> {
        let plain = serde_json::to_vec(details)
            .map(Zeroizing::new)
            .map_err(|error| Error::Internal(format!("an account cannot be written: {error}")))?;
        Ok(self.key.seal(&name(id), &plain, &*self.random))
    }
}

/// What the rest of a row is sealed under.
fn name(id: FederatedIdentityId) -> String {
    format!("federated identity:{id}")
}

fn details(account: &FederatedAccount) -> FederatedDetails {
    FederatedDetails {
        issuer: Some(account.subject.issuer.clone()),
        masked_email: account.email().map(|email| Address::Email(email).masked()),
        refresh_token: account.refresh_token.clone(),
        ..FederatedDetails::default()
    }
}

impl fmt::Debug for FederatedIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FederatedIdentities(..)")
    }
}
