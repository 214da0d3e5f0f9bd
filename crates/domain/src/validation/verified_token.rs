//! A token that was verified, as the cache holds it: what each call reads lies
//! close together, as a call waits for the memory more than for anything else.

use std::hash::{Hash, Hasher};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

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
    /// What a transport says of it besides its answer: made once, and only if it is asked for.
    pub kept: OnceLock<Box<[u8]>>,
}

/// A token, and behind it the answer: comparing the one fetches the other. It is
/// looked up by all bytes of the token.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    bytes: Arc<[u8]>,
    token_length: usize,
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
        &self.texts.bytes[self.texts.token_length..]
    }
}

impl Texts {
    fn token(&self) -> &[u8] {
        &self.bytes[..self.token_length]
    }

    pub(super) fn new(token: &str, answer: &[u8]) -> Self {
        Self {
            bytes: [token.as_bytes(), answer].concat().into(),
            token_length: token.len(),
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
