//! Making the groups that must be there when the server starts: `default`, those
//! that the configuration names, that of the existing database too, and those that users
//! are in already.

use std::collections::BTreeSet;

use crate::application::Application;
use crate::error::Error;
use crate::model::{AuditAction, Group, GroupId};
use crate::ports::{Clock as _, StoreError};

/// The server starts.
#[derive(Debug)]
pub struct EnsureGroups;

impl EnsureGroups {
    /// Makes those that are not there, and tells which these were.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn execute(self, app: &Application) -> Result<Vec<GroupId>, Error> {
        let settings = &app.settings;
        let mut wanted = BTreeSet::from([GroupId::fallback()]);
        wanted.extend(
            settings
                .mfa_policy_of_groups
                .iter()
                .map(|(id, _)| id.clone()),
        );
        wanted.extend(app.adoption.group().cloned());
        wanted.extend(app.store.groups_of_users().await?);
        let mut made = Vec::new();
        for id in wanted {
            if app.store.has_group(&id).await? {
                continue;
            }
            let mut uow = app.store.begin().await?;
            match uow
                .insert_group(&Group::new(id.clone(), app.clock.now()))
                .await
            {
                Ok(()) => {
                    let event = app.event(AuditAction::GroupCreated).on_group(&id);
                    uow.insert_audit_event(&event).await?;
                    uow.commit().await?;
                    made.push(id);
                }
                // Another server starts at the same time.
                Err(StoreError::Taken) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(made)
    }
}
