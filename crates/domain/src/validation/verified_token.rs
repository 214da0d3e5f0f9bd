//! A token that was verified, as the cache holds it: what each call reads lies
//! close together, as a call waits for the memory more than for anything else.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use countersign_token::{AccessClaims, Validity};
use quick_cache::Equivalent;

use crate::model::{ExternalId, SessionId};
use crate::validation::access_tokens::TokenHolder;

/// A token whose signature and form are good.
#[derive(Debug)]
pub struct VerifiedToken {
    pub(super) texts: Texts,
    pub(super) validity: Validity,
    /// Its session, or what it is revoked by otherwise.
    pub holder: TokenHolder,
    pub(super) keys_version: u64,
    /// The epoch of the revocations in which the session was looked up.
    pub(super) epoch: AtomicU64,
    /// Whether it is meant for the audience of those who name none.
    pub(super) is_for_default: bool,
    /// What it says. Apart, as most calls do not ask.
    pub claims: Box<AccessClaims>,
    /// The id of its user in an old server, if it is one of a token profile.
    pub external_id: Option<ExternalId>,
}

/// A token, and behind it what is said of it: comparing the one fetches the other. It
/// is looked up by all bytes of the token.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    bytes: Arc<[u8]>,
    token_length: u32,
    answer_end: u32,
}

/// What a transport says of a good token, made once.
#[derive(Debug)]
pub struct Encoded {
    /// Its answer.
    pub answer: Vec<u8>,
    /// Whose the token is, for whom no answer says it.
    pub holder: Box<[u8]>,
}

/// A token that is looked for.
#[derive(Hash)]
pub(super) struct Sought<'a>(pub(super) &'a [u8]);

impl VerifiedToken {
    /// Its session; of a token of an old server or of a service account there is none.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self.holder {
            TokenHolder::Session(id) => Some(id),
            TokenHolder::Old(_) | TokenHolder::ServiceAccount(_) => None,
        }
    }

    /// The transport's answer for it.
    #[must_use]
    pub fn answer(&self) -> &[u8] {
        let Texts {
            ref bytes,
            token_length,
            answer_end,
        } = self.texts;
        &bytes[token_length as usize..answer_end as usize]
    }

    /// What the transport says of its holder.
    #[must_use]
    pub fn holder_text(&self) -> &[u8] {
        &self.texts.bytes[self.texts.answer_end as usize..]
    }
}

impl Texts {
    fn token(&self) -> &[u8] {
        &self.bytes[..self.token_length as usize]
    }

    pub(super) fn new(token: &str, encoded: &Encoded) -> Self {
        let length = |bytes: usize| u32::try_from(bytes).expect("a token is far below 4 GiB");
        let Encoded { answer, holder } = encoded;
        Self {
            bytes: [token.as_bytes(), answer, holder].concat().into(),
            token_length: length(token.len()),
            answer_end: length(token.len() + answer.len()),
        }
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.token() == other.token()
    }
}

impl Eq for Texts {}

impl Hash for Texts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Sought(self.token()).hash(state);
    }
}

impl Equivalent<Texts> for Sought<'_> {
    fn equivalent(&self, key: &Texts) -> bool {
        self.0 == key.token()
    }
}
