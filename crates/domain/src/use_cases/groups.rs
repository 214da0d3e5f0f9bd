//! Looking after the groups: making, changing and deleting them.

use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{AuditAction, Group, GroupEtag, GroupField, GroupId, GroupPolicy};
use crate::ports::{Clock as _, StoreError};

/// An operator makes a group.
#[derive(Debug)]
pub struct CreateGroup {
    /// Its id.
    pub id: GroupId,
    /// What people call it.
    pub display_name: String,
    /// Its policy.
    pub policy: GroupPolicy,
}

/// An operator changes a group.
#[derive(Debug)]
pub struct UpdateGroup {
    /// Which.
    pub id: GroupId,
    /// As it was read, if it must be as it was.
    pub etag: Option<GroupEtag>,
    /// What is changed.
    pub fields: Vec<GroupField>,
    /// What people call it then.
    pub display_name: String,
    /// Its policy then.
    pub policy: GroupPolicy,
}

/// An operator deletes a group.
#[derive(Debug)]
pub struct DeleteGroup {
    /// Which.
    pub id: GroupId,
    /// As it was read, if it must be as it was.
    pub etag: Option<GroupEtag>,
}

impl CreateGroup {
    /// Makes the group. It is known to this replica with the answer.
    ///
    /// # Errors
    /// There is a group of this id.
    pub async fn execute(self, app: &Application) -> Result<Group, Error> {
        let group = Group {
            display_name: self.display_name,
            policy: self.policy,
            ..Group::new(self.id, app.clock.now())
        };
        let mut uow = app.store.begin().await?;
        let inserted = uow.insert_group(&group).await;
        inserted.map_err(|error| match error {
            StoreError::Taken => Refusal::GroupTaken.into(),
            other => Error::from(other),
        })?;
        let event = app.event(AuditAction::GroupCreated).on_group(&group.id);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        app.groups.known().enter(&group);
        Ok(group)
    }
}

impl UpdateGroup {
    /// Changes the group. This replica knows it with the answer.
    ///
    /// # Errors
    /// There is no such group, or it was changed meanwhile.
    pub async fn execute(self, app: &Application) -> Result<Group, Error> {
        let mut repeats = Repeats::default();
        let group = loop {
            match self.change(app).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.groups.known().enter(&group);
        Ok(group)
    }

    async fn change(&self, app: &Application) -> Result<Group, Error> {
        let mut uow = app.store.begin().await?;
        let group = uow.lock_group(&self.id).await?;
        let mut group = as_read(group, self.etag)?;
        for field in &self.fields {
            group.take_over(*field, &self.display_name, &self.policy);
        }
        group.revision += 1;
        group.updated_at = app.clock.now();
        uow.update_group(&group).await?;
        let fields: Vec<_> = self.fields.iter().map(|field| field.path()).collect();
        let event = app.event(AuditAction::GroupUpdated).on_group(&group.id);
        let event = event.with_detail(fields.join(" "));
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(group)
    }
}

impl DeleteGroup {
    /// Deletes the group, in which nobody is.
    ///
    /// # Errors
    /// There is no such group, or it was changed meanwhile; users or service accounts
    /// are in it; it is the group of those who name none.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        if self.id.is_fallback() {
            let rule = "must not be default, which always exists";
            return Err(Error::invalid("group_id", rule));
        }
        let mut repeats = Repeats::default();
        loop {
            match self.delete(app).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        }
        app.groups.known().forget(&self.id);
        Ok(())
    }

    async fn delete(&self, app: &Application) -> Result<(), Error> {
        let mut uow = app.store.begin().await?;
        let group = uow.lock_group(&self.id).await?;
        as_read(group, self.etag)?;
        let has_anybody =
            uow.has_users(&self.id).await? || uow.has_service_accounts(&self.id).await?;
        if has_anybody {
            return Err(Refusal::GroupInUse.into());
        }
        uow.delete_group(&self.id).await?;
        let event = app.event(AuditAction::GroupDeleted).on_group(&self.id);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(())
    }
}

/// The group, if it is as it was read.
fn as_read(group: Option<Group>, etag: Option<GroupEtag>) -> Result<Group, Refusal> {
    let group = group.ok_or(Refusal::Group)?;
    match etag.is_none_or(|etag| etag == group.etag()) {
        true => Ok(group),
        false => Err(Refusal::GroupChanged),
    }
}
