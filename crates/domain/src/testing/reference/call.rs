//! What is asked of the service, in plain texts: the same for the use-cases and for
//! a server.

use std::time::Duration;

use async_trait::async_trait;

use super::answer::Answer;
use crate::model::{Purpose, Timestamp};

/// A service that is asked.
#[async_trait]
pub trait Subject: Send {
    /// The time that the next call is judged by. It is later than at the call
    /// before.
    async fn now(&mut self) -> Timestamp;

    /// Lets time go on, where that can be.
    async fn pass(&mut self, span: Duration);

    /// Asks.
    ///
    /// # Errors
    /// That the question could not be answered, which is a fault here.
    async fn ask(&mut self, call: &Call) -> Result<Answer, String>;
}

/// A question. Groups, addresses, user names, passwords and callers are numbers,
/// which the subject has texts for; all else are texts that the subject has given
/// before, or codes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "they are the RPCs and the fields of the requests"
)]
pub enum Call {
    SignUp {
        group: u8,
        address: u8,
        username: Option<u8>,
        password: Option<u8>,
        proof: Option<String>,
    },
    ConfirmSignUp {
        id: String,
        code: String,
    },
    SendCode {
        group: u8,
        address: u8,
        purpose: Purpose,
        /// The caller's own; `None` asks for a link.
        code: Option<String>,
        /// The access token of the person who is to have the address.
        token: Option<String>,
    },
    CheckCode {
        which: Which,
        code: String,
    },
    CheckLink {
        token: String,
    },
    CancelVerification {
        id: String,
    },
    IssueTokens {
        group: u8,
        grant: Grant,
        client: u8,
        /// `None`: the gateway keeps none. Empty: it has none of this device.
        device: Option<String>,
    },
    RefreshTokens {
        token: String,
        client: u8,
    },
    ValidateToken {
        token: String,
        /// What is asked of the authentication.
        required: Required,
    },
    RevokeToken {
        token: String,
    },
    ListSessions {
        token: String,
    },
    RevokeSession {
        token: String,
        session: String,
    },
    RevokeUserSessions {
        token: String,
        keep: bool,
    },
    ChangePassword {
        token: String,
        current: u8,
        new: u8,
    },
    ResetPassword {
        proof: String,
        new: u8,
    },
    BeginEnrollment {
        token: String,
        factor: NewFactor<u8>,
    },
    ConfirmEnrollment {
        token: String,
        id: String,
        code: FactorCode,
    },
    RemoveFactor {
        token: String,
        id: String,
    },
    RegenerateRecoveryCodes {
        token: String,
    },
    ListFactors {
        token: String,
    },
    CreateMfaSession {
        group: u8,
        user: NamedUser,
        /// The caller's own; `None` asks for what is enrolled.
        code: Option<String>,
        client: u8,
    },
    ValidateMfaSession {
        group: u8,
        id: String,
        code: FactorCode,
        client: u8,
        remember: bool,
    },
    SendMfaCode {
        group: u8,
        id: String,
        factor: String,
        client: u8,
    },
    BeginMfaAssertion {
        group: u8,
        id: String,
        client: u8,
    },
    StepUpSession {
        token: String,
        shown: StepUp,
        client: u8,
        device: Option<String>,
    },
    SendStepUpCode {
        token: String,
        factor: Option<String>,
        client: u8,
    },
    BeginStepUpAssertion {
        token: String,
        client: u8,
    },
    BeginPasskeySignIn {
        group: u8,
        client: u8,
    },
    AddIdentifier {
        token: String,
        proof: String,
    },
    ChangeIdentifier {
        token: String,
        replaced: u8,
        proof: String,
    },
    RemoveIdentifier {
        token: String,
        address: u8,
    },
    UndoIdentifierChange {
        group: u8,
        undo: String,
    },
    ListIdentifiers {
        token: String,
    },
    SuspendUser {
        user: String,
    },
    ReinstateUser {
        user: String,
    },
}

/// The RPCs that are asked, by name.
pub const RPCS: [&str; 35] = [
    "AddIdentifier",
    "BeginEnrollment",
    "BeginMfaAssertion",
    "BeginPasskeySignIn",
    "BeginStepUpAssertion",
    "CancelVerification",
    "ChangeIdentifier",
    "ChangePassword",
    "CheckCode",
    "ConfirmEnrollment",
    "ConfirmSignUp",
    "CreateMfaSession",
    "IssueTokens",
    "ListFactors",
    "ListIdentifiers",
    "ListSessions",
    "RefreshTokens",
    "RegenerateRecoveryCodes",
    "ReinstateUser",
    "RemoveFactor",
    "RemoveIdentifier",
    "ResetPassword",
    "RevokeSession",
    "RevokeToken",
    "RevokeUserSessions",
    "SendCode",
    "SendMfaCode",
    "SendStepUpCode",
    "SignUp",
    "StartPasswordReset",
    "StepUpSession",
    "SuspendUser",
    "UndoIdentifierChange",
    "ValidateMfaSession",
    "ValidateToken",
];

/// The numbers from here on are phone numbers, those before e-mail addresses.
pub const FIRST_PHONE: u8 = 4;

/// How the person must have been authenticated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Required {
    /// How long ago at the most.
    pub max_age: Option<Duration>,
    /// Whether by two factors.
    pub is_aal2: bool,
}

/// What is enrolled; an address is told as `A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewFactor<A> {
    /// An authenticator app.
    App,
    /// An address, to which a code is sent.
    Address(A),
    /// A passkey.
    Passkey,
}

/// What a person shows in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepUp {
    /// A password.
    Password(u8),
    /// A code, or what a passkey has signed.
    Factor(FactorCode),
}

/// Which verification.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of the request")]
pub enum Which {
    Id(String),
    Latest {
        group: u8,
        address: u8,
        purpose: Purpose,
    },
}

/// What tokens are issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of the request")]
pub enum Grant {
    Password { who: Who, password: u8 },
    Proof(String),
    Passkey(FactorCode),
}

/// Whose password it is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of the request")]
pub enum Who {
    Address(u8),
    Username(u8),
}

/// Whom an MFA session is created for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of the request")]
pub enum NamedUser {
    Id(String),
    Address(u8),
}

/// What is typed, or what a passkey does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactorCode {
    /// A text.
    Text(String),
    /// What the app with this secret shows in this step of 30 seconds since 1970.
    Totp {
        /// As the subject has given it.
        secret: String,
        /// The step.
        step: i64,
    },
    /// A new passkey, which is called by this number from now on.
    NewPasskey {
        /// The number.
        key: usize,
        /// The options of the enrolment.
        options: String,
    },
    /// What a passkey has signed.
    Passkey {
        /// Which passkey.
        key: usize,
        /// The options that it answers.
        options: String,
        /// Whether it has verified the person.
        is_verified: bool,
    },
}

impl Call {
    /// The name of the RPC.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SignUp { .. } => "SignUp",
            Self::ConfirmSignUp { .. } => "ConfirmSignUp",
            Self::SendCode {
                purpose: Purpose::PasswordReset,
                ..
            } => "StartPasswordReset",
            Self::SendCode { .. } => "SendCode",
            Self::CheckCode { .. } => "CheckCode",
            Self::CheckLink { .. } => "CheckCode of a link",
            Self::CancelVerification { .. } => "CancelVerification",
            Self::IssueTokens { .. } => "IssueTokens",
            Self::RefreshTokens { .. } => "RefreshTokens",
            Self::ValidateToken { .. } => "ValidateToken",
            Self::RevokeToken { .. } => "RevokeToken",
            Self::ListSessions { .. } => "ListSessions",
            Self::RevokeSession { .. } => "RevokeSession",
            Self::RevokeUserSessions { .. } => "RevokeUserSessions",
            Self::ChangePassword { .. } => "ChangePassword",
            Self::ResetPassword { .. } => "ResetPassword",
            Self::BeginEnrollment { .. } => "BeginEnrollment",
            Self::ConfirmEnrollment { .. } => "ConfirmEnrollment",
            Self::RemoveFactor { .. } => "RemoveFactor",
            Self::RegenerateRecoveryCodes { .. } => "RegenerateRecoveryCodes",
            Self::ListFactors { .. } => "ListFactors",
            Self::CreateMfaSession { .. } => "CreateMfaSession",
            Self::ValidateMfaSession { .. } => "ValidateMfaSession",
            Self::SendMfaCode { .. } => "SendMfaCode",
            Self::BeginMfaAssertion { .. } => "BeginMfaAssertion",
            Self::StepUpSession { .. } => "StepUpSession",
            Self::SendStepUpCode { .. } => "SendStepUpCode",
            Self::BeginStepUpAssertion { .. } => "BeginStepUpAssertion",
            Self::BeginPasskeySignIn { .. } => "BeginPasskeySignIn",
            Self::AddIdentifier { .. } => "AddIdentifier",
            Self::ChangeIdentifier { .. } => "ChangeIdentifier",
            Self::RemoveIdentifier { .. } => "RemoveIdentifier",
            Self::UndoIdentifierChange { .. } => "UndoIdentifierChange",
            Self::ListIdentifiers { .. } => "ListIdentifiers",
            Self::SuspendUser { .. } => "SuspendUser",
            Self::ReinstateUser { .. } => "ReinstateUser",
        }
    }
}
