//! The steps of a sequence, told without what only the run of it knows: which
//! thing is meant, not what it is called. So a sequence with steps left out is a
//! sequence, too.

use std::time::Duration;

use crate::model::Purpose;

/// Which of the things of a kind that were made until then: so many before the
/// latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick(pub u8);

/// What a gateway tells of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// It keeps no device tokens.
    Untold,
    /// It has none.
    Unknown,
    /// It has one.
    Token(Pick),
}

/// What somebody types where a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// The code that is kept with an MFA session.
    Kept,
    /// What an authenticator app shows so many steps from now.
    Totp(Pick, i64),
    /// A recovery code.
    Recovery(Pick),
    /// Nothing that was ever right.
    Wrong,
}

/// A step. Groups, addresses, user names, passwords and callers are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the fields of the requests")]
pub enum Step {
    /// Time goes on.
    Pass(Duration),
    /// `SignUp` with a code to come.
    SignUp {
        group: u8,
        address: u8,
        username: Option<u8>,
        password: u8,
    },
    /// `ConfirmSignUp`.
    ConfirmSignUp { which: Pick, is_right: bool },
    /// `SendCode` with a code of the caller's own.
    SendCode {
        group: u8,
        address: u8,
        purpose: Purpose,
    },
    /// `SendCode` of a link.
    SendLink {
        group: u8,
        address: u8,
        purpose: Purpose,
    },
    /// `CheckCode`, by the id or by the address.
    CheckCode {
        which: Pick,
        is_right: bool,
        by_address: bool,
    },
    /// `CheckCode` with the token of a link.
    CheckLink { which: Pick },
    /// `CancelVerification`.
    Cancel { which: Pick },
    /// `SignUp` with a proof, for what it proves or for something else.
    SignUpProven {
        proof: Pick,
        other_group: bool,
        other_address: bool,
        username: Option<u8>,
        password: Option<u8>,
    },
    /// `IssueTokens` with a password: that of the account, or a certain one.
    SignIn {
        group: u8,
        address: u8,
        by_username: bool,
        password: Option<u8>,
        client: u8,
        device: Device,
    },
    /// `IssueTokens` with a proof.
    SignInProven {
        proof: Pick,
        other_group: bool,
        client: u8,
        device: Device,
    },
    /// `RefreshTokens`, by the session's own caller or by another one.
    Refresh { token: Pick, other_client: bool },
    /// `ValidateToken`.
    Validate { token: Pick },
    /// `RevokeToken` with an access token.
    RevokeAccess { token: Pick },
    /// `RevokeToken` with a refresh token.
    RevokeRefresh { token: Pick },
    /// `ListSessions`.
    ListSessions { token: Pick },
    /// `RevokeSession`.
    EndSession { token: Pick, session: Pick },
    /// `RevokeUserSessions`.
    EndAllSessions { token: Pick, keep: bool },
    /// `ChangePassword`.
    ChangePassword {
        token: Pick,
        is_right: bool,
        new: u8,
    },
    /// `ResetPassword`.
    ResetPassword { proof: Pick, new: u8 },
    /// `BeginEnrollment` of an authenticator app.
    BeginEnrollment { token: Pick },
    /// `ConfirmEnrollment` with what the app shows so many steps from now.
    ConfirmEnrollment {
        token: Pick,
        which: Pick,
        step: Option<i64>,
    },
    /// `RemoveFactor`.
    RemoveFactor { token: Pick, factor: Pick },
    /// `RegenerateRecoveryCodes`.
    NewRecoveryCodes { token: Pick },
    /// `ListFactors`.
    ListFactors { token: Pick },
    /// `CreateMfaSession`, of a user named by address or id, with a code of the
    /// caller's own or for what is enrolled.
    CreateMfa {
        group: u8,
        address: u8,
        by_id: bool,
        has_code: bool,
        client: u8,
    },
    /// `ValidateMfaSession`.
    AnswerMfa {
        which: Pick,
        other_group: bool,
        other_client: bool,
        guess: Guess,
        remember: bool,
    },
}
