//! A person looks at its profile, changes it, and leaves.

use crate::application::{Application, GroupRules, UserChange, changed_attributes};
use crate::error::{Error, Refusal};
use crate::model::{
    AttributesChange, AuditAction, LanguageTag, Locale, PersonName, ProvenUser, TimeZone,
    Timestamp, User,
};
use crate::ports::{Clock as _, Content};

/// A person looks at its profile.
pub struct GetProfile {
    /// The person's access token.
    pub access_token: String,
}

/// A person changes its profile. What is absent stays as it is.
pub struct UpdateProfile {
    /// The person's access token.
    pub access_token: String,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
    /// The new name, or none.
    pub name: Option<Option<PersonName>>,
    /// The new language, or none.
    pub locale: Option<Option<LanguageTag>>,
    /// The new time zone, or none.
    pub time_zone: Option<Option<TimeZone>>,
    /// What changes of the attributes.
    pub attributes: Option<AttributesChange>,
}

/// A person leaves.
pub struct WithdrawProfile {
    /// The person's access token.
    pub access_token: String,
    /// The language of the notice.
    pub locale: Locale,
}

impl GetProfile {
    /// Shows the user as whom the person is signed in, with the attributes that its
    /// group lets people see.
    ///
    /// # Errors
    /// An access token that is not good.
    pub async fn execute(self, app: &Application) -> Result<User, Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let rules = app.groups.of(&person.user.group)?;
        Ok(shown(person.user, &rules))
    }
}

impl UpdateProfile {
    /// Changes the profile.
    ///
    /// # Errors
    /// An access token that is not good; a profile that was changed since; attributes
    /// that people may not change, or not so.
    pub async fn execute(self, app: &Application) -> Result<User, Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let rules = app.groups.of(&person.user.group)?;
        let proven = ProvenUser::of(&person.user);
        let change = UserChange {
            id: proven.id,
            etag: self.etag.clone(),
            ends_sessions: false,
            notice: None,
            action: AuditAction::ProfileUpdated,
            is_own: true,
            detail: self.named_fields(),
        };
        let changed = change.make(app, |user, now| {
            check(user, proven, now)?;
            let profile = &mut user.profile;
            if let Some(name) = &self.name {
                profile.name.clone_from(name);
            }
            if let Some(locale) = &self.locale {
                profile.locale.clone_from(locale);
            }
            if let Some(time_zone) = &self.time_zone {
                profile.time_zone.clone_from(time_zone);
            }
            if let Some(change) = &self.attributes {
                let old = &profile.attributes;
                profile.attributes = changed_attributes(change, old, rules.profile_attributes())?;
            }
            Ok(())
        });
        Ok(shown(changed.await?.user, &rules))
    }

    /// What is changed.
    fn named_fields(&self) -> String {
        let fields = [
            ("name", self.name.is_some()),
            ("locale", self.locale.is_some()),
            ("time_zone", self.time_zone.is_some()),
        ];
        let named = fields.iter().filter(|(_, is_named)| *is_named);
        named.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    }
}

impl WithdrawProfile {
    /// Lets the person leave, and tells from when on it may join again. All addresses
    /// are told: whoever has taken a session over is not to end the account unseen.
    ///
    /// # Errors
    /// An access token that is not good; an authentication that is too old, or lacks
    /// the second factor.
    pub async fn execute(self, app: &Application) -> Result<Timestamp, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let proven = ProvenUser::of(&person.user);
        let change = UserChange {
            id: proven.id,
            etag: None,
            ends_sessions: true,
            notice: Some((Content::AccountClosed, self.locale)),
            action: AuditAction::UserWithdrawn,
            is_own: true,
            detail: String::new(),
        };
        let wait = app.settings.users.rejoin_wait;
        let withdrawn = change.make(app, |user, now| {
            check(user, proven, now)?;
            let withdrawn = user.state.withdraw(now, now.plus(wait));
            user.state = withdrawn.ok_or(Refusal::AccessToken(None))?;
            Ok(())
        });
        let withdrawn = withdrawn.await?;
        match Refusal::of_state(&withdrawn.user.state) {
            Refusal::UserWithdrawn { rejoin_at, .. } => Ok(rejoin_at),
            _ => Ok(app.clock.now().plus(wait)),
        }
    }
}

/// A user as the person itself sees it.
fn shown(mut user: User, rules: &GroupRules) -> User {
    let attributes = &user.profile.attributes;
    user.profile.attributes = attributes.shown(rules.profile_attributes());
    user
}

/// Refuses a person whose sessions have ended since its token was read.
fn check(user: &User, proven: ProvenUser, now: Timestamp) -> Result<(), Error> {
    if user.is_active(now) && proven.is_current(user) {
        return Ok(());
    }
    Err(Refusal::AccessToken(None).into())
}

/// Access tokens are not shown.
macro_rules! opaque {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

opaque!(GetProfile, UpdateProfile, WithdrawProfile);
