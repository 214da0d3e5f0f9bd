//! What is asked of the service, and what it answers, in plain texts: the same
//! for the use-cases and for a server.

use std::time::Duration;

use async_trait::async_trait;

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

/// What is typed.
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
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the fields of the answers")]
pub enum Answer {
    /// The reason, as `ErrorInfo` has it.
    Refused(String),
    Done,
    User(String),
    /// A sign-up waits; and the code of it, if it was sent.
    Pending {
        id: String,
        code: Option<String>,
    },
    /// A verification; and the token of its link, if one was sent.
    Sent {
        id: String,
        link: Option<String>,
    },
    Proof(String),
    Tokens(Box<Tokens>),
    /// A second factor is asked for, or an MFA session was asked for.
    MfaSession(String),
    /// `VALID`, or why not.
    Verdict(String),
    Sessions(Vec<String>),
    Ended(u32),
    Enrollment {
        id: String,
        secret: String,
    },
    Factor {
        id: String,
        recovery: Vec<String>,
    },
    Factors {
        ids: Vec<String>,
        recovery_left: u32,
    },
    RecoveryCodes(Vec<String>),
}

/// The tokens of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the fields of the answer")]
pub struct Tokens {
    pub user: String,
    pub session: String,
    pub access: String,
    pub refresh: String,
    /// `amr`.
    pub methods: Vec<String>,
    /// Whether the device is known from now on.
    pub is_known: bool,
    /// Its token, if it was not known before.
    pub device: Option<String>,
}

impl Call {
    /// The name of the RPC.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SignUp { .. } => "SignUp",
            Self::ConfirmSignUp { .. } => "ConfirmSignUp",
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
        }
    }
}
