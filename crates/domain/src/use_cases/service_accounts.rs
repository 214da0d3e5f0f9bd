//! Looking after service accounts: making, looking at, changing and deleting them.

use crate::application::{Application, ServiceAccountChange};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, GroupId, PageSize, Scope, ServiceAccount, ServiceAccountGrants, ServiceAccountId,
    ServiceAccountPageToken, UserRole,
};
use crate::ports::Clock as _;

/// An operator makes a service account.
#[derive(Debug)]
pub struct CreateServiceAccount {
    /// In which group.
    pub group: GroupId,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// What its tokens may say.
    pub grants: ServiceAccountGrants,
}

/// An operator looks at a service account.
#[derive(Debug)]
pub struct GetServiceAccount {
    /// Which.
    pub id: ServiceAccountId,
}

/// An operator lists service accounts.
#[derive(Debug)]
pub struct ListServiceAccounts {
    /// Of which group; of all if it is absent.
    pub group: Option<GroupId>,
    /// How many at once.
    pub size: PageSize,
    /// From where on.
    pub after: Option<ServiceAccountPageToken>,
}

/// One page of service accounts.
#[derive(Debug)]
pub struct ListedServiceAccounts {
    /// The accounts, oldest first.
    pub accounts: Vec<ServiceAccount>,
    /// Where the next page starts, if there is one.
    pub next: Option<ServiceAccountPageToken>,
}

/// An operator changes a service account. What is absent stays as it is.
#[derive(Debug)]
pub struct UpdateServiceAccount {
    /// Which.
    pub id: ServiceAccountId,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
    /// What people call it then.
    pub display_name: Option<String>,
    /// What it is for then.
    pub description: Option<String>,
    /// Whether it gets no tokens then.
    pub is_disabled: Option<bool>,
    /// Its roles then.
    pub roles: Option<Vec<UserRole>>,
    /// Its scopes then.
    pub scopes: Option<Vec<Scope>>,
    /// Its audiences then.
    pub audiences: Option<Vec<String>>,
}

/// An operator deletes a service account.
#[derive(Debug)]
pub struct DeleteServiceAccount {
    /// Which.
    pub id: ServiceAccountId,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
}

impl CreateServiceAccount {
    /// Makes the service account, which has no credential yet.
    ///
    /// # Errors
    /// No such group.
    pub async fn execute(self, app: &Application) -> Result<ServiceAccount, Error> {
        app.groups.named(&self.group)?;
        let now = app.clock.now();
        let id = ServiceAccountId::generate(now, &*app.random);
        let account = ServiceAccount {
            display_name: self.display_name,
            description: self.description,
            grants: self.grants,
            ..ServiceAccount::new(id, self.group, now)
        };
        let mut uow = app.store.begin().await?;
        if !uow.hold_group(&account.group).await? {
            return Err(Refusal::Group.into());
        }
        uow.insert_service_account(&account).await?;
        let event = app.event(AuditAction::ServiceAccountCreated);
        let event = event.on_group(&account.group).named(account.id.to_string());
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(account)
    }
}

impl GetServiceAccount {
    /// Reads the service account.
    ///
    /// # Errors
    /// There is no such account.
    pub async fn execute(self, app: &Application) -> Result<ServiceAccount, Error> {
        let account = app.store.service_account(self.id).await?;
        Ok(account.ok_or(Refusal::ServiceAccount)?)
    }
}

impl ListServiceAccounts {
    /// Reads a page of service accounts.
    ///
    /// # Errors
    /// If the database cannot tell.
    pub async fn execute(self, app: &Application) -> Result<ListedServiceAccounts, Error> {
        let after = self.after.map(|token| token.0);
        let page = app
            .store
            .service_accounts_after(self.group.as_ref(), after, self.size)
            .await?;
        Ok(ListedServiceAccounts {
            accounts: page.accounts,
            next: page.next.map(ServiceAccountPageToken),
        })
    }
}

impl UpdateServiceAccount {
    /// Changes the service account. If it is disabled, the tokens that it has got are
    /// rejected here from the answer on.
    ///
    /// # Errors
    /// No such account, or one that was changed since.
    pub async fn execute(self, app: &Application) -> Result<ServiceAccount, Error> {
        let change = ServiceAccountChange {
            id: self.id,
            etag: self.etag.as_deref(),
            action: AuditAction::ServiceAccountUpdated,
        };
        let changed = change.make(app, |account, _| {
            self.write(account, app);
            Ok(())
        });
        changed.await
    }

    fn write(&self, account: &mut ServiceAccount, app: &Application) {
        set(&mut account.display_name, self.display_name.as_ref());
        set(&mut account.description, self.description.as_ref());
        set(&mut account.grants.roles, self.roles.as_ref());
        set(&mut account.grants.scopes, self.scopes.as_ref());
        set(&mut account.grants.audiences, self.audiences.as_ref());
        match self.is_disabled {
            Some(true) if !account.is_disabled => account.disable(&*app.random),
            Some(false) => account.is_disabled = false,
            Some(true) | None => {}
        }
    }
}

impl DeleteServiceAccount {
    /// Deletes the service account with its credentials. The tokens that it has got are
    /// rejected here from the answer on.
    ///
    /// # Errors
    /// No such account, or one that was changed since.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let change = ServiceAccountChange {
            id: self.id,
            etag: self.etag.as_deref(),
            action: AuditAction::ServiceAccountDeleted,
        };
        change.delete(app).await
    }
}

fn set<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        *field = value.clone();
    }
}
