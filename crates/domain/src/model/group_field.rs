//! The fields of a group that can be changed, as field masks name them (AIP-161).

use crate::model::{Group, GroupPolicy};

/// A field of a group that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupField {
    /// `display_name`.
    DisplayName,
    /// `policy.password_min_length`.
    PasswordMinLength,
    /// `policy.mfa_policy`.
    MfaPolicy,
    /// `policy.access_token_ttl`.
    AccessTtl,
    /// `policy.idle_ttl`.
    IdleTtl,
    /// `policy.session_ttl`.
    SessionTtl,
    /// `policy.sign_in_ways`.
    SignInWays,
    /// `policy.audiences`.
    Audiences,
    /// `policy.scopes`.
    Scopes,
    /// `policy.sign_up`.
    SignUp,
    /// `policy.profile_attributes`.
    ProfileAttributes,
}

impl GroupField {
    /// All that there are.
    pub const ALL: [Self; 11] = [
        Self::DisplayName,
        Self::PasswordMinLength,
        Self::MfaPolicy,
        Self::AccessTtl,
        Self::IdleTtl,
        Self::SessionTtl,
        Self::SignInWays,
        Self::Audiences,
        Self::Scopes,
        Self::SignUp,
        Self::ProfileAttributes,
    ];

    /// The path of the field in a mask.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::PasswordMinLength => "policy.password_min_length",
            Self::MfaPolicy => "policy.mfa_policy",
            Self::AccessTtl => "policy.access_token_ttl",
            Self::IdleTtl => "policy.idle_ttl",
            Self::SessionTtl => "policy.session_ttl",
            Self::SignInWays => "policy.sign_in_ways",
            Self::Audiences => "policy.audiences",
            Self::Scopes => "policy.scopes",
            Self::SignUp => "policy.sign_up",
            Self::ProfileAttributes => "policy.profile_attributes",
        }
    }

    /// The fields that a path of a mask names: `*` all of them, `policy` all of the
    /// policy.
    ///
    /// # Errors
    /// What a path must be, if this names none.
    pub fn parse(path: &str) -> Result<Vec<Self>, &'static str> {
        let is_named = |field: &Self| match path {
            "*" => true,
            "policy" => *field != Self::DisplayName,
            path => field.path() == path,
        };
        let named: Vec<_> = Self::ALL.into_iter().filter(is_named).collect();
        match named.is_empty() {
            true => Err("must be display_name, policy, a field of policy, or *"),
            false => Ok(named),
        }
    }
}

impl Group {
    /// Takes a field over from another name and policy.
    pub fn take_over(&mut self, field: GroupField, display_name: &str, policy: &GroupPolicy) {
        let (own, policy) = (&mut self.policy, policy.clone());
        match field {
            GroupField::DisplayName => display_name.clone_into(&mut self.display_name),
            GroupField::PasswordMinLength => own.password_min_length = policy.password_min_length,
            GroupField::MfaPolicy => own.mfa = policy.mfa,
            GroupField::AccessTtl => own.access_ttl = policy.access_ttl,
            GroupField::IdleTtl => own.idle_ttl = policy.idle_ttl,
            GroupField::SessionTtl => own.session_ttl = policy.session_ttl,
            GroupField::SignInWays => own.sign_in_ways = policy.sign_in_ways,
            GroupField::Audiences => own.audiences = policy.audiences,
            GroupField::Scopes => own.scopes = policy.scopes,
            GroupField::SignUp => own.sign_up = policy.sign_up,
            GroupField::ProfileAttributes => own.profile_attributes = policy.profile_attributes,
        }
    }
}
