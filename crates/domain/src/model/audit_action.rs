//! What the audit log tells of: a closed list, so that everything in it can be filtered by.

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What was done, or was tried and refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)+
        }

        impl AuditAction {
            /// All that there are.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name of the action, as it is stored.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

actions! {
    /// An operator added a user.
    UserCreated = "user_created",
    /// A person signed up.
    UserSignedUp = "user_signed_up",
    /// A user of an existing database was taken over.
    UserAdopted = "user_adopted",
    /// An operator changed a user.
    UserUpdated = "user_updated",
    /// An operator deleted a user.
    UserDeleted = "user_deleted",
    /// An operator suspended a user.
    UserSuspended = "user_suspended",
    /// A suspension or a withdrawal was taken back, or a suspension ended by itself.
    UserReinstated = "user_reinstated",
    /// A user has left, by itself or by an operator.
    UserWithdrawn = "user_withdrawn",
    /// The personal data of a user who had left was erased.
    UserErased = "user_erased",
    /// An operator imported users of another system: so many at once.
    UsersImported = "users_imported",
    /// A person changed its profile.
    ProfileUpdated = "profile_updated",
    /// A person signed in.
    SessionOpened = "session_opened",
    /// A person showed the first factor, and was asked for a second one.
    SecondFactorRequested = "second_factor_requested",
    /// A person was authenticated again in a session.
    SessionSteppedUp = "session_stepped_up",
    /// A session was ended.
    SessionRevoked = "session_revoked",
    /// All sessions of a user were ended, or all but one.
    UserSessionsRevoked = "user_sessions_revoked",
    /// A refresh token was used again, and its session ended.
    RefreshTokenReused = "refresh_token_reused",
    /// A person changed its password.
    PasswordChanged = "password_changed",
    /// A person set a new password by proof of an address.
    PasswordReset = "password_reset",
    /// A person enrolled a second factor.
    FactorEnrolled = "factor_enrolled",
    /// A person removed a second factor.
    FactorRemoved = "factor_removed",
    /// A person linked an account at a provider.
    FederatedIdentityLinked = "federated_identity_linked",
    /// A person unlinked an account at a provider, or the provider said that it is gone.
    FederatedIdentityUnlinked = "federated_identity_unlinked",
    /// A person replaced its recovery codes.
    RecoveryCodesReplaced = "recovery_codes_replaced",
    /// A person added an address.
    IdentifierAdded = "identifier_added",
    /// A person changed an address for another.
    IdentifierChanged = "identifier_changed",
    /// A person removed an address.
    IdentifierRemoved = "identifier_removed",
    /// A change of addresses was undone from an address that was told of it.
    IdentifierChangeUndone = "identifier_change_undone",
    /// A group was made.
    GroupCreated = "group_created",
    /// An operator changed a group.
    GroupUpdated = "group_updated",
    /// An operator deleted a group.
    GroupDeleted = "group_deleted",
    /// An operator made a service account.
    ServiceAccountCreated = "service_account_created",
    /// An operator changed a service account.
    ServiceAccountUpdated = "service_account_updated",
    /// An operator deleted a service account.
    ServiceAccountDeleted = "service_account_deleted",
    /// An operator gave a service account a secret or a key.
    ServiceAccountCredentialAdded = "service_account_credential_added",
    /// An operator took a secret or a key from a service account.
    ServiceAccountCredentialRemoved = "service_account_credential_removed",
    /// A service account got a token.
    ServiceAccountTokenIssued = "service_account_token_issued",
    /// A token of a service account was revoked.
    ServiceAccountTokenRevoked = "service_account_token_revoked",
    /// An operator added a caller.
    CallerAdded = "caller_added",
    /// An operator removed a caller.
    CallerRemoved = "caller_removed",
    /// An operator gave a caller a further key.
    CallerKeyAdded = "caller_key_added",
    /// An operator took a key from a caller.
    CallerKeyRemoved = "caller_key_removed",
    /// An operator gave a caller a name in client certificates.
    CallerSanAdded = "caller_san_added",
    /// An operator took a name in client certificates from a caller.
    CallerSanRemoved = "caller_san_removed",
    /// A signing key was made.
    SigningKeyCreated = "signing_key_created",
    /// The next signing key signs.
    SigningKeyRotated = "signing_key_rotated",
    /// A signing key was removed at once.
    SigningKeyRevoked = "signing_key_revoked",
}

impl AuditAction {
    /// Those of which the log tells also that they were refused.
    pub const REFUSED: &[Self] = &[
        Self::SessionOpened,
        Self::SessionSteppedUp,
        Self::RefreshTokenReused,
        Self::PasswordChanged,
        Self::FactorEnrolled,
    ];

    /// The longest name in bytes.
    pub const MAX_BYTES: usize = 40;

    /// An action by its name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|action| action.as_str() == text).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_action_has_a_name_of_its_own_that_is_read_again() {
        let names: HashSet<_> = AuditAction::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(names.len(), AuditAction::ALL.len());
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_stored(action.as_str()), Some(*action));
            assert!(action.as_str().len() <= AuditAction::MAX_BYTES);
        }
        assert_eq!(AuditAction::from_stored("user_stolen"), None);
    }
}
