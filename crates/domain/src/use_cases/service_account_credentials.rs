//! Giving service accounts secrets and keys, and taking them away.

use countersign_token::Jwk;

use crate::application::{Application, ServiceAccountChange};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialId,
    ServiceAccountCredentialKind, ServiceAccountId, ServiceAccountSecret, Timestamp,
};
use crate::ports::Clock as _;

/// An operator gives a service account a secret.
#[derive(Debug)]
pub struct CreateServiceAccountSecret {
    /// Which account.
    pub id: ServiceAccountId,
    /// From when on the secret is refused, if ever.
    pub expires_at: Option<Timestamp>,
}

/// A secret that was made, which is shown this once.
#[derive(Debug)]
pub struct CreatedServiceAccountSecret {
    /// The secret.
    pub secret: ServiceAccountSecret,
    /// What is kept of it.
    pub credential: ServiceAccountCredential,
}

/// An operator tells the public key of a service account.
#[derive(Debug)]
pub struct AddServiceAccountKey {
    /// Which account.
    pub id: ServiceAccountId,
    /// The key.
    pub key: Jwk,
    /// From when on the key is refused, if ever.
    pub expires_at: Option<Timestamp>,
}

/// An operator takes a secret or a key away from a service account.
#[derive(Debug)]
pub struct RemoveServiceAccountCredential {
    /// Which account.
    pub id: ServiceAccountId,
    /// Which of its credentials.
    pub credential: ServiceAccountCredentialId,
}

impl CreateServiceAccountSecret {
    /// Makes the secret; only a hash of it is kept.
    ///
    /// # Errors
    /// No such account, or one that has as many secrets as it may have; an expiry that
    /// is over.
    pub async fn execute(self, app: &Application) -> Result<CreatedServiceAccountSecret, Error> {
        let secret = ServiceAccountSecret::generate(&*app.random);
        let kind = ServiceAccountCredentialKind::Secret(secret.hash());
        let credential = new(app, kind, self.expires_at)?;
        let has_room = |account: &ServiceAccount| match account.counts() {
            (secrets, _) if secrets >= ServiceAccount::MAX_SECRETS => {
                Err(Refusal::TooManyServiceAccountCredentials.into())
            }
            _ => Ok(()),
        };
        add(app, self.id, &credential, has_room).await?;
        Ok(CreatedServiceAccountSecret { secret, credential })
    }
}

impl AddServiceAccountKey {
    /// Adds the key.
    ///
    /// # Errors
    /// No such account, or one that has as many keys as it may have, or this one; an
    /// expiry that is over.
    pub async fn execute(self, app: &Application) -> Result<ServiceAccountCredential, Error> {
        let kid = self.key.kid().to_owned();
        let kind = ServiceAccountCredentialKind::Key(Box::new(self.key));
        let credential = new(app, kind, self.expires_at)?;
        let has_room = |account: &ServiceAccount| match account.counts() {
            _ if account.by_kid(&kid).is_some() => {
                let rule = "must not be a key that the service account has already";
                Err(Error::invalid("key", rule))
            }
            (_, keys) if keys >= ServiceAccount::MAX_KEYS => {
                Err(Refusal::TooManyServiceAccountCredentials.into())
            }
            _ => Ok(()),
        };
        add(app, self.id, &credential, has_room).await?;
        Ok(credential)
    }
}

impl RemoveServiceAccountCredential {
    /// Removes the credential. The tokens that were got with it are rejected here from
    /// the answer on.
    ///
    /// # Errors
    /// No such account, or no such credential of it.
    pub async fn execute(self, app: &Application) -> Result<ServiceAccount, Error> {
        let change = ServiceAccountChange {
            id: self.id,
            etag: None,
            action: AuditAction::ServiceAccountCredentialRemoved,
        };
        let removed = change.make(app, |account, _| {
            let before = account.credentials.len();
            account.credentials.retain(|one| one.id != self.credential);
            match account.credentials.len() < before {
                true => Ok(()),
                false => Err(Refusal::ServiceAccount.into()),
            }
        });
        removed.await
    }
}

fn new(
    app: &Application,
    kind: ServiceAccountCredentialKind,
    expires_at: Option<Timestamp>,
) -> Result<ServiceAccountCredential, Error> {
    let now = app.clock.now();
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::invalid("expire_time", "must be in the future"));
    }
    Ok(ServiceAccountCredential {
        id: ServiceAccountCredentialId::generate(now, &*app.random),
        kind,
        sid: ServiceAccountCredential::new_sid(&*app.random),
        created_at: now,
        expires_at,
    })
}

async fn add(
    app: &Application,
    id: ServiceAccountId,
    credential: &ServiceAccountCredential,
    has_room: impl Fn(&ServiceAccount) -> Result<(), Error> + Sync,
) -> Result<ServiceAccount, Error> {
    let change = ServiceAccountChange {
        id,
        etag: None,
        action: AuditAction::ServiceAccountCredentialAdded,
    };
    let added = change.make(app, |account, _| {
        has_room(account)?;
        account.credentials.push(credential.clone());
        Ok(())
    });
    added.await
}
