//! Operators change users.

use crate::application::{Application, UserChange, check_attributes};
use crate::error::{Error, Refusal};
use crate::model::{
    Attributes, AuditAction, ExternalId, LanguageTag, PersonName, Scope, TimeZone, User, UserId,
    UserRole, UserState,
};
use crate::ports::ListedUser;

/// An operator changes a user. What is absent stays as it is.
#[derive(Debug)]
pub struct UpdateUser {
    /// Whom.
    pub id: UserId,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
    /// The new id in another system, or none.
    pub external_id: Option<Option<ExternalId>>,
    /// The new name, or none.
    pub name: Option<Option<PersonName>>,
    /// The new language, or none.
    pub locale: Option<Option<LanguageTag>>,
    /// The new time zone, or none.
    pub time_zone: Option<Option<TimeZone>>,
    /// The new attributes.
    pub attributes: Option<Attributes>,
    /// The new roles.
    pub roles: Option<Vec<UserRole>>,
    /// The new scopes.
    pub scopes: Option<Vec<Scope>>,
}

impl UpdateUser {
    /// Changes the user.
    ///
    /// # Errors
    /// No such user, or one that was changed since, or that is erased; an external id
    /// that is taken; attributes that are not what the group says.
    pub async fn execute(self, app: &Application) -> Result<ListedUser, Error> {
        let change = UserChange {
            id: self.id,
            etag: self.etag.clone(),
            ends_sessions: false,
            notice: None,
            action: AuditAction::UserUpdated,
            is_own: false,
            detail: self.named_fields(),
        };
        let changed = change.make(app, |user, _| {
            if matches!(&user.state, UserState::Withdrawn(withdrawal) if withdrawal.erased) {
                return Err(Refusal::UserState.into());
            }
            if let Some(attributes) = &self.attributes {
                let rules = app.groups.of(&user.group)?;
                check_attributes(attributes, rules.profile_attributes())?;
            }
            self.write(user);
            Ok(())
        });
        changed.await
    }

    /// What is changed.
    fn named_fields(&self) -> String {
        let fields = [
            ("external_id", self.external_id.is_some()),
            ("name", self.name.is_some()),
            ("locale", self.locale.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("attributes", self.attributes.is_some()),
            ("roles", self.roles.is_some()),
            ("scopes", self.scopes.is_some()),
        ];
        let named = fields.iter().filter(|(_, is_named)| *is_named);
        named.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    }

    fn write(&self, user: &mut User) {
        set(&mut user.external_id, self.external_id.as_ref());
        set(&mut user.profile.name, self.name.as_ref());
        set(&mut user.profile.locale, self.locale.as_ref());
        set(&mut user.profile.time_zone, self.time_zone.as_ref());
        set(&mut user.profile.attributes, self.attributes.as_ref());
        set(&mut user.roles, self.roles.as_ref());
        set(&mut user.scopes, self.scopes.as_ref());
    }
}

fn set<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        *field = value.clone();
    }
}
