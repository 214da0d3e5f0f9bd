//! What can go wrong, in the domain's own words. The transport turns each into
//! its status; drivers' errors have become one of these before.

use std::time::Duration;

use countersign_token::Rejection;

use crate::model::{ProviderId, Role, SignInWay, Timestamp, UserState};
use crate::ports::{EphemeralError, HashError, StoreError};

/// Why a use-case did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong: all of them.
    #[error("fields are invalid: {}", .0.iter().map(|v| v.field.as_str()).collect::<Vec<_>>().join(", "))]
    Invalid(Vec<FieldViolation>),
    /// The answer is no.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A limit is reached.
    #[error("too many {limit:?}, again in {} s", retry_after.as_secs())]
    Exhausted {
        /// Which limit.
        limit: Limit,
        /// When to try again.
        retry_after: Duration,
    },
    /// The database could not tell, or it is not certain what it did.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The ephemeral store could not tell, or it is not certain what it did.
    #[error("the ephemeral store: {0}")]
    Ephemeral(#[from] EphemeralError),
    /// It could not be told, or not be done for certain, for another reason.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A provider of sign-ins does not answer, or refuses this server.
    #[error("the provider {0} cannot be asked")]
    ProviderUnavailable(ProviderId),
    /// A fault of ours.
    #[error("internal fault: {0}")]
    Internal(String),
}

/// A field of a request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field in the request: `grant.password.identifier`.
    pub field: String,
    /// What would be right: `must be …`.
    pub rule: String,
}

/// Why the answer is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller lacks the role.
    #[error("the caller lacks the role {0}")]
    CallerNotPermitted(Role),
    /// The person is not signed in, and it is not said why.
    #[error("the sign-in is refused")]
    SignIn,
    /// The person's access token is not good. `None`: its session has ended.
    #[error("the access token is not good")]
    AccessToken(Option<Rejection>),
    /// Not a refresh token of this service, or expired.
    #[error("the refresh token is not valid")]
    RefreshToken,
    /// The refresh token was replaced long ago; the session is ended.
    #[error("the refresh token was used before")]
    RefreshTokenReused,
    /// The session was ended.
    #[error("the session has ended")]
    SessionEnded,
    /// The current password is wrong.
    #[error("the password is wrong")]
    Password,
    /// The code is wrong.
    #[error("the code is wrong")]
    Code {
        /// Tries left.
        remaining: u32,
    },
    /// No such verification any more.
    #[error("there is no such verification")]
    Verification,
    /// No such proof any more, or for something else.
    #[error("the proof is not valid")]
    Proof,
    /// The proven address has an account.
    #[error("the address has an account")]
    IdentifierTaken,
    /// The user name is somebody's.
    #[error("the user name is taken")]
    UsernameTaken,
    /// The user has no such session.
    #[error("there is no such session")]
    Session,
    /// The session is one of another caller, which alone gets tokens of it.
    #[error("the session is one of another caller")]
    SessionOfAnotherCaller,
    /// The person was authenticated too long ago for this (RFC 9470).
    #[error("the authentication is too old")]
    AuthenticationTooOld {
        /// How old it may be.
        max_age: Duration,
    },
    /// The person has a second factor and has not shown it, or shows the password
    /// alone where it was shown.
    #[error("a second factor has to be shown for this")]
    SecondFactorRequired,
    /// No such enrolment any more.
    #[error("there is no such enrolment")]
    Enrollment,
    /// The user has no such second factor.
    #[error("there is no such factor")]
    Factor,
    /// The user has as many factors as one may have.
    #[error("there are too many factors")]
    TooManyFactors,
    /// The user has no verified address of the kind, or not this one.
    #[error("the address is not a verified one of the user")]
    AddressUnverified,
    /// The address is a second factor of the user already.
    #[error("the address is a factor already")]
    FactorEnrolled,
    /// A second factor is required, and the user has none to show.
    #[error("a second factor is required and there is none")]
    SecondFactorMissing,
    /// The code of a second factor is wrong, or was used.
    #[error("the code of the second factor is wrong")]
    SecondFactor,
    /// No such MFA session any more, or of another group or caller.
    #[error("there is no such MFA session")]
    MfaSession,
    /// No passkeys are taken: no relying party is configured.
    #[error("passkeys are not configured")]
    PasskeysOff,
    /// Nothing can be sent: no sender is configured.
    #[error("no sender is configured")]
    SenderMissing,
    /// Tokens for this session name the user's external id, and it has none that fits.
    #[error("the user has no external id that its tokens could name")]
    ExternalIdMissing,
    /// The person has no such address.
    #[error("there is no such address")]
    Identifier,
    /// The person has as many addresses as one may have.
    #[error("there are too many addresses")]
    TooManyIdentifiers,
    /// It is the person's last address.
    #[error("it is the last address")]
    LastIdentifier,
    /// No change that this token undoes, or not any more.
    #[error("there is no change that this undoes")]
    Undo,
    /// The person has proved itself, and is suspended.
    #[error("the user is suspended")]
    UserSuspended,
    /// The person has proved itself, and has left.
    #[error("the user has withdrawn")]
    UserWithdrawn {
        /// When.
        at: Timestamp,
        /// From when on it may join again.
        rejoin_at: Timestamp,
    },
    /// There is no such user.
    #[error("there is no such user")]
    User,
    /// What was asked for cannot be done to a user in its state.
    #[error("the user's state does not allow that")]
    UserState,
    /// What is to be changed was changed since it was read.
    #[error("it was changed since it was read")]
    Etag,
    /// The external id is somebody's.
    #[error("the external id is taken")]
    ExternalIdTaken,
    /// An earlier user of the batch is the same, or has the identifier.
    #[error("an earlier user of the batch is the same")]
    DoubleInBatch,
    /// There is no such group.
    #[error("there is no such group")]
    Group,
    /// There is a group of this id.
    #[error("there is a group of this id")]
    GroupTaken,
    /// The group is not as the operator has read it.
    #[error("the group was changed meanwhile")]
    GroupChanged,
    /// Users or service accounts are in the group, or it is the group of those who name
    /// none.
    #[error("the group is in use")]
    GroupInUse,
    /// The group does not let people sign in this way.
    #[error("the group does not let people sign in by {0}")]
    SignInWay(SignInWay),
    /// People do not sign up for the group by themselves.
    #[error("people do not sign up for the group by themselves")]
    SignUpOff,
    /// There is no such service account, or it has no such credential.
    #[error("there is no such service account, or it has no such credential")]
    ServiceAccount,
    /// The service account has as many secrets, or as many keys, as it may have.
    #[error("the service account has as many credentials as it may have")]
    TooManyServiceAccountCredentials,
    /// The call acts for a person, and the access token is a service account's.
    #[error("the access token is one of a service account")]
    ServiceAccountToken,
    /// What a provider sent back is not good, or the person did not consent there.
    #[error("the sign-in at the provider is refused")]
    FederatedSignIn,
    /// No provider of sign-ins has this name.
    #[error("there is no such provider")]
    Provider,
    /// What stands for an account at a provider is not good, or was used.
    #[error("the federation token is not valid")]
    FederationToken,
    /// The account at the provider is linked to a user of the group.
    #[error("the account is linked to a user")]
    FederatedIdentityTaken,
    /// The person has no such linked account.
    #[error("there is no such linked account")]
    FederatedIdentity,
    /// The person has as many linked accounts as one may have.
    #[error("there are too many linked accounts")]
    TooManyFederatedIdentities,
    /// The person could not sign in any more.
    #[error("it is the last way to sign in")]
    LastWayIn,
    /// The message is not the provider's.
    #[error("the message is not the provider's")]
    ProviderNotification,
}

impl Refusal {
    /// Why somebody who has proved itself is not let in.
    #[must_use]
    pub fn of_state(state: &UserState) -> Self {
        match state {
            UserState::Suspended(_) => Self::UserSuspended,
            UserState::Withdrawn(withdrawal) => Self::UserWithdrawn {
                at: withdrawal.at,
                rejoin_at: withdrawal.rejoin_at,
            },
            UserState::Pending | UserState::Active => Self::SignIn,
        }
    }
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Messages to an address, from a source, to a country or in all.
    Messages,
    /// Tries of a secret.
    Attempts,
    /// Passwords to hash.
    Hashing,
}

/// Gathers the field violations of a request, so that one answer names all, or
/// the first of very many: a small request must not have a large answer.
#[derive(Debug, Default)]
pub struct Fields {
    violations: Vec<FieldViolation>,
    /// How many more there were.
    more: usize,
}

/// How many violations are named at the most.
const NAMED: usize = 20;

/// How many bytes a field and its rule have together at the most.
const VIOLATION_BYTES: usize = 199;

impl Fields {
    /// Nothing is wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the value of a good field, or notes what is wrong with a bad one.
    pub fn take<T>(&mut self, field: &str, result: Result<T, impl Into<String>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(rule) => {
                self.refuse(field, rule);
                None
            }
        }
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, field: &str, rule: impl Into<String>) {
        if self.violations.len() == NAMED {
            self.more += 1;
            return;
        }
        let field = shortened(field.into(), VIOLATION_BYTES / 2);
        let rule = shortened(rule.into(), VIOLATION_BYTES - field.len());
        self.violations.push(FieldViolation { field, rule });
    }

    /// Whether a field was found to be wrong.
    #[must_use]
    pub fn refuses(&self, field: &str) -> bool {
        self.violations.iter().any(|known| known.field == field)
    }

    /// Ends the gathering: the value that is made of the fields, if all were good.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation, or the first ones and how many
    /// more there are.
    pub fn finish<T>(mut self, value: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        match value() {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => {
                if self.more > 0 {
                    self.violations.push(FieldViolation {
                        field: "*".into(),
                        rule: format!("{} more are not valid", self.more),
                    });
                }
                Err(Error::Invalid(self.violations))
            }
        }
    }
}

/// The beginning of a text, of at most so many bytes.
fn shortened(mut text: String, most: usize) -> String {
    const CUT: &str = "...";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - CUT.len()));
        text.push_str(CUT);
    }
    text
}

impl Error {
    /// One field is wrong.
    #[must_use]
    pub fn invalid(field: &str, rule: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation {
            field: field.into(),
            rule: rule.into(),
        }])
    }

    /// Whether the question was answered, with a no. All else says that it could
    /// not be: now, or for certain.
    #[must_use]
    pub fn is_an_answer(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Refused(_) => true,
            Self::Exhausted { limit, .. } => *limit != Limit::Hashing,
            Self::Store(_)
            | Self::Ephemeral(_)
            | Self::Unavailable(_)
            | Self::ProviderUnavailable(_)
            | Self::Internal(_) => false,
        }
    }

    /// Whether what was asked for may have been done all the same, and may still
    /// have its effect.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Store(StoreError::Uncertain(_)))
    }

    /// Whether nothing was done because somebody else was faster, so that it
    /// may be tried again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded { retry_after } => Self::Exhausted {
                limit: Limit::Hashing,
                retry_after,
            },
            HashError::Failed(what) => Self::Internal(format!("hashing: {what}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_violations_the_first_are_named_and_the_rest_counted() {
        let mut fields = Fields::new();
        for index in 0..64 {
            fields.refuse(&format!("scopes[{index}]"), "must not be empty");
        }
        let Err(Error::Invalid(violations)) = fields.finish(|| Some(())) else {
            panic!("all are wrong");
        };
        assert_eq!(violations.len(), NAMED + 1);
        assert_eq!(violations[NAMED - 1].field, "scopes[19]");
        assert_eq!(violations[NAMED].rule, "44 more are not valid");
    }

    #[test]
    fn a_long_violation_is_cut_between_letters() {
        let mut fields = Fields::new();
        fields.refuse(&"필".repeat(100), "드".repeat(100));
        let Err(Error::Invalid(violations)) = fields.finish(|| Some(())) else {
            panic!("it is wrong");
        };
        let FieldViolation { field, rule } = &violations[0];
        assert!(field.len() + rule.len() < 200, "{field} {rule}");
        assert!(
            field.starts_with("필") && field.ends_with("필..."),
            "{field}"
        );
        assert!(rule.starts_with("드") && rule.ends_with("드..."), "{rule}");
    }
}
