//! The steps of a sequence, told without what only the run of it knows: which
//! thing is meant, not what it is called. So a sequence with steps left out is a
//! sequence, too.

use std::time::Duration;

use super::call::NewFactor;
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

/// Which address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// One that the person has.
    Own(Pick),
    /// Any.
    Any(u8),
}

/// What somebody shows where a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// The code that is kept with an MFA session.
    Kept,
    /// What an authenticator app shows so many steps from now.
    Totp(Pick, i64),
    /// A recovery code.
    Recovery(Pick),
    /// A code that was sent, for whatever it was.
    Sent(Pick),
    /// What a passkey signs.
    Passkey {
        /// Which passkey.
        key: Pick,
        /// What it answers.
        challenge: Pick,
        /// Whether it verifies the person.
        is_verified: bool,
    },
    /// Nothing that was ever right.
    Wrong,
}

/// What somebody shows in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The password, or another one.
    Password {
        /// Whether it is the password.
        is_right: bool,
    },
    /// A second factor.
    Factor(Guess),
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
    /// `ValidateToken`, which asks for an authentication of so many seconds ago, or
    /// by two factors.
    Validate {
        token: Pick,
        max_age: Option<u64>,
        is_aal2: bool,
    },
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
    /// `BeginEnrollment`.
    BeginEnrollment { token: Pick, factor: NewFactor<At> },
    /// `ConfirmEnrollment` with what the app shows so many steps from now, or with
    /// what is right for other factors.
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
    /// `SendMfaCode`, to one of the addresses that were offered, or to any factor.
    SendMfaCode {
        which: Pick,
        other_group: bool,
        other_client: bool,
        factor: Pick,
        is_offered: bool,
    },
    /// `BeginMfaAssertion`.
    BeginMfaAssertion {
        which: Pick,
        other_group: bool,
        other_client: bool,
    },
    /// `StepUpSession`.
    StepUp {
        token: Pick,
        other_client: bool,
        shown: Shown,
        device: Device,
    },
    /// `SendStepUpCode`, to the oldest factor or to any.
    SendStepUpCode {
        token: Pick,
        other_client: bool,
        factor: Option<Pick>,
    },
    /// `BeginStepUpAssertion`.
    BeginStepUpAssertion { token: Pick, other_client: bool },
    /// `BeginPasskeySignIn`.
    BeginPasskeySignIn { group: u8, client: u8 },
    /// `IssueTokens` with a passkey, where its options were made for or elsewhere.
    SignInByPasskey {
        key: Pick,
        challenge: Pick,
        is_verified: bool,
        other_group: bool,
        other_client: bool,
        device: Device,
    },
    /// `SendCode` to an address that a person is to have.
    SendChangeCode {
        token: Pick,
        address: u8,
        is_link: bool,
    },
    /// `AddIdentifier`.
    AddIdentifier { token: Pick, proof: Pick },
    /// `ChangeIdentifier`.
    ChangeIdentifier {
        token: Pick,
        replaced: At,
        proof: Pick,
    },
    /// `RemoveIdentifier`.
    RemoveIdentifier { token: Pick, address: At },
    /// `UndoIdentifierChange`.
    Undo { which: Pick, other_group: bool },
    /// `ListIdentifiers`.
    ListIdentifiers { token: Pick },
    /// `SuspendUser`.
    Suspend { user: Pick },
    /// `ReinstateUser`.
    Reinstate { user: Pick },
}
