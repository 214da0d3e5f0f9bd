//! What the model keeps of codes that were sent, of challenges, and of changes of
//! addresses.

use crate::model::Timestamp;

/// A user as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proven {
    pub(super) user: usize,
    pub(super) version: u32,
}

/// An address that is sent codes: of a factor, or in the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeAddress {
    pub(super) factor: Option<usize>,
    pub(super) address: u8,
}

/// An address that a sign-in has named.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    pub(super) id: String,
    pub(super) to: CodeAddress,
}

impl Offered {
    /// Its id is told with it.
    pub(super) fn new(to: CodeAddress) -> Self {
        let id = String::new();
        Self { id, to }
    }
}

/// What a code, or the answer of a passkey, is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// An MFA session.
    Mfa(usize),
    /// A session that goes on.
    StepUp(usize),
    Enrollment(usize),
}

#[derive(Debug)]
pub(super) struct SentCode {
    pub(super) code: String,
    pub(super) to: CodeAddress,
    pub(super) shows: Shows,
    /// Whose session it is for: it is worth nothing after a new password.
    pub(super) user: Option<Proven>,
    pub(super) wrong: u32,
    pub(super) expires_at: Timestamp,
    pub(super) is_gone: bool,
}

/// Options with a challenge.
#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) options: String,
    pub(super) asks: Asks,
    pub(super) expires_at: Timestamp,
    pub(super) is_gone: bool,
}

/// Where an answer is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    SignIn { group: u8, client: u8 },
    Second(Shows),
}

/// A change that can be undone, by a token that the addresses before it were told.
#[derive(Debug)]
pub(super) struct Undo {
    pub(super) text: String,
    pub(super) user: usize,
    pub(super) before: Vec<u8>,
    pub(super) removed: Option<u8>,
    /// When the person was authenticated who made the change.
    pub(super) authenticated_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) is_gone: bool,
}
