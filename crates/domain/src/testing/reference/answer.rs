//! What the service answers, in plain texts.

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
    MfaSession {
        id: String,
        /// The ids of factors that are sent codes, and their addresses.
        codes: Vec<(String, u8)>,
    },
    /// `VALID`, or why not.
    Verdict(String),
    Sessions(Vec<String>),
    Ended(u32),
    Enrollment {
        id: String,
        given: Given,
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
    /// Where a code of a factor was sent, and which, if it was.
    CodeSent(Option<(u8, String)>),
    /// What a passkey is asked.
    Options(String),
    /// The session goes on with another access token.
    SteppedUp {
        session: String,
        access: String,
        methods: Vec<String>,
    },
    /// Addresses were changed; the addresses that were told, and the token that
    /// undoes it.
    Changed {
        told: Vec<u8>,
        undo: String,
    },
    Identifiers {
        addresses: Vec<u8>,
        undoable: usize,
    },
}

/// What an enrolment goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The secret of an app.
    App(String),
    /// A code that was sent.
    Code {
        /// Where to.
        to: u8,
        /// The code.
        code: String,
    },
    /// The options for a new passkey.
    Passkey(String),
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
