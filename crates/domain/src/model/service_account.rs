//! Service accounts: programs that get tokens in their own name, with a secret or a
//! private key of their own.

use serde::{Deserialize, Serialize};

use crate::model::{
    GroupId, Scope, ServiceAccountCredential, ServiceAccountCredentialId, ServiceAccountId,
    SessionId, Timestamp, UserRole,
};
use crate::ports::Random;

/// A program that gets tokens in its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id, the `sub` and the `client_id` of its tokens.
    pub id: ServiceAccountId,
    /// The group that it belongs to, which stays.
    pub group: GroupId,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Whether it gets no tokens.
    pub is_disabled: bool,
    /// What its tokens may say.
    pub grants: ServiceAccountGrants,
    /// What it gets them with, oldest first.
    pub credentials: Vec<ServiceAccountCredential>,
    /// Raised by each change, from 1.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What the tokens of a service account may say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccountGrants {
    /// Its roles, each once, in alphabetical order.
    pub roles: Vec<UserRole>,
    /// Its scopes, likewise.
    pub scopes: Vec<Scope>,
    /// For which audiences it gets tokens, the first by default; for all of its group
    /// if there is none.
    pub audiences: Vec<String>,
}

/// The same as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct StoredGrants {
    roles: Vec<String>,
    scopes: Vec<String>,
    audiences: Vec<String>,
}

impl ServiceAccount {
    /// The most bytes of a name to display.
    pub const MAX_DISPLAY_NAME_BYTES: usize = 256;
    /// The most bytes of a description.
    pub const MAX_DESCRIPTION_BYTES: usize = 1_024;
    /// How many secrets it may have at once, expired ones included; so many that the
    /// next may take over from the last.
    pub const MAX_SECRETS: usize = 4;
    /// How many keys it may have at once, likewise.
    pub const MAX_KEYS: usize = 4;

    /// A service account that has nothing yet.
    #[must_use]
    pub fn new(id: ServiceAccountId, group: GroupId, now: Timestamp) -> Self {
        Self {
            id,
            group,
            display_name: String::new(),
            description: String::new(),
            is_disabled: false,
            grants: ServiceAccountGrants::default(),
            credentials: Vec::new(),
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What tells whether it is as it was read.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("{:x}-{}", self.created_at.as_millis(), self.revision)
    }

    /// Notes that it was changed.
    pub fn touch(&mut self, now: Timestamp) {
        self.revision += 1;
        self.updated_at = now;
    }

    /// Lets it get no tokens any more. Those that it has got are none of its
    /// credentials' any more.
    pub fn disable(&mut self, random: &dyn Random) {
        self.is_disabled = true;
        for credential in &mut self.credentials {
            credential.sid = ServiceAccountCredential::new_sid(random);
        }
    }

    /// The credential with this id.
    #[must_use]
    pub fn credential(&self, id: ServiceAccountCredentialId) -> Option<&ServiceAccountCredential> {
        self.credentials
            .iter()
            .find(|credential| credential.id == id)
    }

    /// The `sid`s of the tokens that it may have got.
    #[must_use]
    pub fn sids(&self) -> Vec<SessionId> {
        let credentials = self.credentials.iter();
        credentials.map(|credential| credential.sid).collect()
    }

    /// Reads a name to display, which may be empty.
    ///
    /// # Errors
    /// What it must look like, if this is none.
    pub fn parse_display_name(text: String) -> Result<String, &'static str> {
        if text.len() > Self::MAX_DISPLAY_NAME_BYTES {
            return Err("must be at most 256 bytes long");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(text)
    }

    /// Reads a description, which may be empty and have several lines.
    ///
    /// # Errors
    /// What it must look like, if this is none.
    pub fn parse_description(text: String) -> Result<String, &'static str> {
        if text.len() > Self::MAX_DESCRIPTION_BYTES {
            return Err("must be at most 1024 bytes long");
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err("must not contain control characters other than line feeds");
        }
        Ok(text)
    }
}

impl ServiceAccountGrants {
    /// The grants as they are stored.
    ///
    /// # Panics
    /// Never: they can be written.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let stored = StoredGrants {
            roles: self.roles.iter().map(ToString::to_string).collect(),
            scopes: self.scopes.iter().map(ToString::to_string).collect(),
            audiences: self.audiences.clone(),
        };
        serde_json::to_string(&stored).expect("grants can be written")
    }

    /// Reads grants as they are stored. What is not known is passed over.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let stored: StoredGrants = serde_json::from_str(text).ok()?;
        let roles = stored.roles.iter().map(|role| UserRole::parse(role).ok());
        let scopes = stored.scopes.iter().map(|scope| Scope::parse(scope).ok());
        Some(Self {
            roles: roles.collect::<Option<_>>()?,
            scopes: scopes.collect::<Option<_>>()?,
            audiences: stored.audiences,
        })
    }

    /// Whether it gets tokens for the audience, as far as that is up to it.
    #[must_use]
    pub fn has_audience(&self, audience: &str) -> bool {
        self.audiences.is_empty() || self.audiences.iter().any(|own| own == audience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_they_are_stored_and_damage_is_told() {
        let grants = ServiceAccountGrants {
            roles: vec![UserRole::parse("billing").expect("a role")],
            scopes: vec![Scope::parse("orders:read").expect("a scope")],
            audiences: vec!["https://api.example.com".into()],
        };
        for grants in [ServiceAccountGrants::default(), grants] {
            let stored = grants.to_stored();
            assert_eq!(ServiceAccountGrants::from_stored(&stored), Some(grants));
        }
        let newer = r#"{"roles":[],"tiers":["gold"]}"#;
        assert!(ServiceAccountGrants::from_stored(newer).is_some());
        for damaged in ["", "[1", r#"{"roles":["a b"]}"#, r#"{"scopes":[""]}"#] {
            assert_eq!(
                ServiceAccountGrants::from_stored(damaged),
                None,
                "{damaged}"
            );
        }
    }

    #[test]
    fn names_and_descriptions_are_bounded() {
        let name = |text: &str| ServiceAccount::parse_display_name(text.into());
        assert!(name("").is_ok() && name(&"a".repeat(256)).is_ok());
        assert!(name(&"a".repeat(257)).is_err() && name("a\nb").is_err());
        let description = |text: &str| ServiceAccount::parse_description(text.into());
        assert!(description("a\nb").is_ok() && description(&"a".repeat(1_024)).is_ok());
        assert!(description(&"a".repeat(1_025)).is_err() && description("a\u{7}").is_err());
    }
}
