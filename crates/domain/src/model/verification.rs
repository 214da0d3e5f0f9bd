//! A verification: a code or a link sent to an address for one purpose.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{
    Address, Code, DeviceDigest, GroupId, Link, LinkDigest, MessageId, ProvenUser, Timestamp,
    VerificationId,
};

/// What a code, and the proof that comes of it, may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Creating a user.
    SignUp,
    /// Signing in without a password.
    SignIn,
    /// Setting a new password.
    PasswordReset,
    /// Completing a sign-up.
    ConfirmSignUp,
    /// Adding or changing an address of the user who asked for it.
    ChangeIdentifier,
    /// Enrolling the address as a second factor. Its code is kept with the
    /// enrolment, and yields no proof.
    AddFactor,
    /// Completing a sign-in after the first factor. Its code is kept for an MFA session,
    /// and yields no proof.
    SecondFactor,
    /// Authenticating the person again. Its code is kept for a session, and yields no
    /// proof.
    StepUp,
}

/// What a verification is passed with.
#[derive(Clone, Debug)]
pub enum OneTimeSecret {
    /// A code that is typed in.
    Code(Code),
    /// A link that is opened.
    Link(Link),
}

impl OneTimeSecret {
    /// How long a code or a link is good at the longest, whoever asks for it.
    pub const LONGEST_TTL: Duration = Duration::from_secs(60 * 60);
}

/// What is kept of a verification while it can be passed, and then of its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationRecord {
    /// Its id.
    pub id: VerificationId,
    /// The group.
    pub group: GroupId,
    /// Where the code or the link went.
    pub address: Address,
    /// What for.
    pub purpose: Purpose,
    /// The user who held the address when the code was made; to change an address,
    /// the one who asked for it.
    pub user: Option<ProvenUser>,
    /// The id in an existing database of the user who held the address there, and was
    /// not adopted, when the code was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<String>,
    /// The sign-up that the code completes.
    pub sign_up: Option<PendingSignUp>,
    /// The message that carries the code or the link; none if the caller delivers it.
    pub message: Option<MessageId>,
    /// The known device of the user on which the code was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceDigest>,
    /// What is kept of the token, if it is passed with a link.
    #[serde(default)]
    pub link: Option<LinkDigest>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on the code or the link is not accepted.
    pub expires_at: Timestamp,
}

/// What a sign-up waits with for its code. It reserves nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSignUp {
    /// The user name in normal form.
    pub username: Option<String>,
    /// The PHC string of the password.
    pub password_hash: String,
}

impl fmt::Debug for PendingSignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingSignUp(..)")
    }
}

impl Purpose {
    /// Whether its messages go to active users alone, which nobody is to learn.
    #[must_use]
    pub fn is_for_users(self) -> bool {
        match self {
            Self::SignIn
            | Self::PasswordReset
            | Self::AddFactor
            | Self::SecondFactor
            | Self::StepUp => true,
            Self::SignUp | Self::ConfirmSignUp | Self::ChangeIdentifier => false,
        }
    }

    /// The name of the purpose.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::PasswordReset => "password_reset",
            Self::ConfirmSignUp => "confirm_sign_up",
            Self::ChangeIdentifier => "change_identifier",
            Self::AddFactor => "add_factor",
            Self::SecondFactor => "second_factor",
            Self::StepUp => "step_up",
        }
    }
}
