//! What is allowed in a group: its policy, within the server's configuration.

use std::sync::Arc;
use std::time::Duration;

use crate::application::{KnownGroups, Settings};
use crate::error::{Error, Refusal};
use crate::model::{
    Group, GroupId, Lifetimes, MfaPolicy, Password, ProfileAttribute, Scope, SignInWay, User,
};

/// Knows what is allowed in each group.
#[derive(Debug, Clone)]
pub struct Groups {
    known: Arc<KnownGroups>,
    settings: Arc<Settings>,
}

/// What is allowed in a group.
#[derive(Debug, Clone)]
pub struct GroupRules {
    group: Arc<Group>,
    settings: Arc<Settings>,
}

impl Groups {
    pub(crate) fn new(known: Arc<KnownGroups>, settings: Arc<Settings>) -> Self {
        Self { known, settings }
    }

    /// What is allowed in a group that a request names.
    ///
    /// # Errors
    /// There is no such group; unavailable, if that cannot be told.
    pub fn named(&self, id: &GroupId) -> Result<GroupRules, Error> {
        Ok(GroupRules {
            group: self.known.find(id)?,
            settings: Arc::clone(&self.settings),
        })
    }

    /// What is allowed in the group of a user or a session, which is there.
    ///
    /// # Errors
    /// Unavailable, if it is not known here, or not yet.
    pub(crate) fn of(&self, id: &GroupId) -> Result<GroupRules, Error> {
        self.named(id).map_err(|error| match error {
            Error::Refused(Refusal::Group) => {
                Error::Unavailable(format!("the group {id} is not known here yet"))
            }
            error => error,
        })
    }

    /// Who in a group is asked for a second factor.
    pub(crate) fn mfa_policy(&self, id: &GroupId) -> Result<MfaPolicy, Error> {
        Ok(self.of(id)?.mfa_policy())
    }

    /// The server's settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The memory of this replica.
    #[must_use]
    pub fn known(&self) -> &Arc<KnownGroups> {
        &self.known
    }
}

impl GroupRules {
    /// The group's id.
    #[must_use]
    pub fn id(&self) -> &GroupId {
        &self.group.id
    }

    /// Who is asked for a second factor.
    #[must_use]
    pub fn mfa_policy(&self) -> MfaPolicy {
        let own = self.group.policy.mfa;
        own.unwrap_or_else(|| self.settings.mfa_policy_of(&self.group.id))
    }

    /// How long what belongs to a session lives: no longer than the server's
    /// configuration has it, by which keys and revocations are kept.
    #[must_use]
    pub fn lifetimes(&self) -> Lifetimes {
        let server = self.settings.tokens.lifetimes();
        let policy = &self.group.policy;
        Lifetimes {
            access: shorter(policy.access_ttl, server.access),
            grace: server.grace,
            idle: shorter(policy.idle_ttl, server.idle),
        }
    }

    /// How long an access token is good whose form no profile gives.
    #[must_use]
    pub fn access_ttl(&self) -> Duration {
        shorter(
            self.group.policy.access_ttl,
            self.settings.tokens.access_ttl,
        )
    }

    /// How long a session lives in any case.
    #[must_use]
    pub fn session_ttl(&self) -> Duration {
        let policy = &self.group.policy;
        shorter(policy.session_ttl, self.settings.tokens.session_ttl)
    }

    /// Whether people may sign in this way.
    ///
    /// # Errors
    /// They may not.
    pub fn require_way(&self, way: SignInWay) -> Result<(), Refusal> {
        let ways = self.group.policy.sign_in_ways.as_ref();
        match ways.is_none_or(|ways| ways.contains(&way)) {
            true => Ok(()),
            false => Err(Refusal::SignInWay(way)),
        }
    }

    /// Whether people may sign up by themselves.
    ///
    /// # Errors
    /// They may not.
    pub fn require_sign_up(&self) -> Result<(), Refusal> {
        match self.group.policy.sign_up {
            None | Some(true) => Ok(()),
            Some(false) => Err(Refusal::SignUpOff),
        }
    }

    /// The attributes of profiles that people see.
    #[must_use]
    pub fn profile_attributes(&self) -> &[ProfileAttribute] {
        let own = self.group.policy.profile_attributes.as_deref();
        own.unwrap_or_default()
    }

    /// Whether a password is long enough to be set.
    ///
    /// # Errors
    /// What would be right.
    pub fn check_password(&self, password: &Password) -> Result<(), String> {
        let least = self.group.policy.password_min_length.unwrap_or(0);
        let is_long_enough = password.expose().chars().nth(least.max(1) as usize - 1);
        match is_long_enough {
            None if least > 0 => Err(format!("must be at least {least} characters long")),
            _ => Ok(()),
        }
    }

    /// The audience that tokens are issued for: the one that is wanted, or the
    /// first of those that are offered.
    ///
    /// # Errors
    /// Which audiences are offered, if the wanted one is not.
    pub fn offered_audience(&self, wanted: &str) -> Result<String, String> {
        let offered = match &self.group.policy.audiences {
            Some(audiences) => audiences,
            None => &self.settings.tokens.audiences,
        };
        let mut offered = offered
            .iter()
            .filter(|offered| self.offers_audience(offered));
        let found = match wanted {
            "" => offered.next(),
            wanted => offered.find(|offered| *offered == wanted),
        };
        found.cloned().ok_or_else(|| match self.audiences() {
            audiences if audiences.is_empty() => {
                "must be one that the server offers, and the group has none of these".into()
            }
            audiences => format!("must be one of {}", audiences.join(", ")),
        })
    }

    fn audiences(&self) -> Vec<&str> {
        let offered = self.settings.tokens.audiences.iter().map(String::as_str);
        offered
            .filter(|offered| self.offers_audience(offered))
            .collect()
    }

    /// Whether tokens are issued for the audience: the server offers it, and the
    /// group does.
    #[must_use]
    pub fn offers_audience(&self, audience: &str) -> bool {
        let has = |audiences: &Vec<String>| audiences.iter().any(|offered| offered == audience);
        has(&self.settings.tokens.audiences) && self.group.policy.audiences.as_ref().is_none_or(has)
    }

    /// Whether everybody may ask for the scope.
    #[must_use]
    pub fn offers_scope(&self, scope: &Scope) -> bool {
        match &self.group.policy.scopes {
            Some(scopes) => scopes.contains(scope),
            None => self.settings.tokens.scopes.contains(scope),
        }
    }

    /// Whether a token of this user gets the scope: everybody may have it, or the user
    /// does, and the server still knows it as one that is granted.
    #[must_use]
    pub fn grants_scope(&self, scope: &Scope, user: &User) -> bool {
        let granted = &self.settings.tokens.granted_scopes;
        self.offers_scope(scope) || (user.scopes.contains(scope) && granted.contains(scope))
    }

    /// Whether a token of a service account with these scopes gets the scope: it has it
    /// by itself, and the server still knows it. What everybody may ask for is for
    /// people.
    #[must_use]
    pub fn grants_scope_to(&self, scope: &Scope, own: &[Scope]) -> bool {
        let granted = &self.settings.tokens.granted_scopes;
        own.contains(scope) && (self.offers_scope(scope) || granted.contains(scope))
    }

    /// The scope, if it may be asked for: whoever has not been granted it does not
    /// get it.
    ///
    /// # Errors
    /// What would be right, if it may not.
    pub fn offered_scope(&self, wanted: Scope) -> Result<Scope, &'static str> {
        let granted = &self.settings.tokens.granted_scopes;
        if self.offers_scope(&wanted) || granted.contains(&wanted) {
            Ok(wanted)
        } else {
            Err(
                "must be one of the server's tokens.scopes (or of the group's scopes) or \
                 tokens.granted_scopes",
            )
        }
    }
}

fn shorter(own: Option<Duration>, server: Duration) -> Duration {
    own.map_or(server, |own| own.min(server))
}
