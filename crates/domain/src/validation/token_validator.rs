//! Answering whether an access token is good.
//!
//! Verified tokens are cached under the whole token: no digest stands for it, so
//! none can be mistaken for another. Only good tokens enter. Garbage cannot push
//! them out, and nobody can make entries collide without our signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_token::{AccessClaims, Rejection};
use quick_cache::sync::Cache;

use crate::model::{ExternalId, Timestamp};
use crate::ports::Clock;
use crate::validation::verified_token::{Encoded, Sought, Texts, VerifiedToken};
use crate::validation::{
    AccessTokens, Keyring, RequiredAuthentication, RevocationFeed, TokenHolder,
};

/// Validates access tokens. What the transport says of a token is made once
/// and kept with it.
pub struct TokenValidator {
    cache: Cache<Texts, Arc<VerifiedToken>>,
    misses: AtomicU64,
    tokens: AccessTokens,
    keyring: Arc<Keyring>,
    feed: Arc<RevocationFeed>,
    clock: Arc<dyn Clock>,
    audience: String,
    freshness: Duration,
    encode: Encode,
}

/// Makes what the transport says of a good token: of what the token says, of what it
/// belongs to, and of the id that its user has in an old server.
pub type Encode = fn(&AccessClaims, &TokenHolder, Option<&ExternalId>) -> Encoded;

/// What the cache of verified tokens holds, and how it has served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheReading {
    /// Tokens in it.
    pub entries: usize,
    /// Tokens that it has room for.
    pub capacity: u64,
    /// Tokens that had to be verified since the start, whatever came of it.
    pub misses: u64,
}

/// A question about a token.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The token.
    pub token: &'a str,
    /// For whom it must be meant; the first configured audience if empty.
    pub audience: &'a str,
    /// The scopes that it must have.
    pub scopes: &'a [String],
    /// How the person must have been authenticated, if that is asked.
    pub authentication: Option<RequiredAuthentication>,
}

/// The answer, as far as memory gives one.
#[derive(Debug)]
pub enum Validation {
    /// Good.
    Valid(Arc<VerifiedToken>),
    /// Not to be accepted.
    Rejected(NotAccepted),
    /// What is known of revocations or keys is too old to tell. Read them, and
    /// ask again.
    Stale,
    /// The token names a key that is not known. Read the keys once, and ask
    /// again: if it still is not, [`Rejection::UnknownKey`] is the answer.
    UnknownKey,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAccepted {
    /// The token itself is not good.
    Token(Rejection),
    /// It was good, but its session has ended.
    Revoked,
    /// It is good, but lacks a required scope.
    InsufficientScope,
    /// It is good, but the person was authenticated longer ago, or by less, than is
    /// required: what is lacking.
    InsufficientAuthentication(RequiredAuthentication),
}

impl TokenValidator {
    /// A validator with room for `capacity` tokens.
    #[expect(
        clippy::too_many_arguments,
        reason = "it is wired up once, from parts that have nothing in common"
    )]
    pub fn new(
        capacity: usize,
        tokens: AccessTokens,
        keyring: Arc<Keyring>,
        feed: Arc<RevocationFeed>,
        clock: Arc<dyn Clock>,
        audience: String,
        freshness: Duration,
        encode: Encode,
    ) -> Self {
        Self {
            cache: Cache::new(capacity),
            misses: AtomicU64::new(0),
            tokens,
            keyring,
            feed,
            clock,
            audience,
            freshness,
            encode,
        }
    }

    /// Validates a token from memory alone.
    pub fn validate(&self, question: Question<'_>) -> Validation {
        // Before anything is verified: what is revoked meanwhile moves the epoch.
        let epoch = self.feed.epoch();
        let now = self.clock.now();
        let token = match self.verified(question.token, epoch, now) {
            Ok(token) => token,
            Err(Rejection::UnknownKey) => return Validation::UnknownKey,
            Err(rejection) => return Validation::Rejected(NotAccepted::Token(rejection)),
        };
        let is_for_audience = match question.audience {
            "" => token.is_for_default,
            audience => token.claims.accepts_audience(audience),
        };
        if !is_for_audience {
            return Validation::Rejected(NotAccepted::Token(Rejection::WrongAudience));
        }
        if token.epoch.load(Ordering::SeqCst) != epoch {
            if self.is_revoked(&token.holder) {
                return Validation::Rejected(NotAccepted::Revoked);
            }
            token.epoch.store(epoch, Ordering::SeqCst);
        }
        if !self.is_fresh() {
            return Validation::Stale;
        }
        if !token.claims.has_scopes(question.scopes) {
            return Validation::Rejected(NotAccepted::InsufficientScope);
        }
        if let Some(required) = question.authentication
            && let Some(lacking) = self.lacking(&token, required, now)
        {
            return Validation::Rejected(NotAccepted::InsufficientAuthentication(lacking));
        }
        Validation::Valid(token)
    }

    /// Whether what is known of revocations and keys is young enough to tell.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let now = self.clock.monotonic();
        self.feed.is_fresh(now, self.freshness) && self.keyring.is_fresh(now, self.freshness)
    }

    /// Reads what the cache holds, and how it has served.
    #[must_use]
    pub fn cache(&self) -> CacheReading {
        CacheReading {
            entries: self.cache.len(),
            capacity: self.cache.capacity(),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// What a token lacks of the authentication of a person. That of a service account
    /// tells of none.
    fn lacking(
        &self,
        token: &VerifiedToken,
        required: RequiredAuthentication,
        now: Timestamp,
    ) -> Option<RequiredAuthentication> {
        match token.holder {
            TokenHolder::ServiceAccount(_) => required.anything(),
            TokenHolder::Session(_) | TokenHolder::Old(_) => {
                required.lacking(&token.claims, self.tokens.verifier(), now)
            }
        }
    }

    fn is_revoked(&self, holder: &TokenHolder) -> bool {
        match holder {
            TokenHolder::Session(id) => self.feed.contains(*id),
            TokenHolder::ServiceAccount(holding) => {
                self.feed.contains(holding.credential) || self.feed.contains(holding.token)
            }
            TokenHolder::Old(old) => {
                let leeway = self.tokens.leeway();
                let of_user = self.feed.revoked_at(old.of_user);
                self.feed.contains(old.id)
                    || of_user.is_some_and(|at| old.is_from_before(at, leeway))
            }
        }
    }

    fn verified(
        &self,
        token: &str,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Arc<VerifiedToken>, Rejection> {
        let keys_version = self.keyring.version();
        if let Some(known) = self.cache.get(&Sought(token.as_bytes()))
            && known.keys_version == keys_version
        {
            let verifier = self.tokens.verifier();
            verifier.check_times(known.validity, now.as_seconds())?;
            return Ok(known);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let told = self.tokens.verify(token, now)?;
        let claims = told.claims;
        let encoded = (self.encode)(&claims, &told.holder, told.external_id.as_ref());
        let verified = Arc::new(VerifiedToken {
            texts: Texts::new(token, &encoded),
            validity: told.validity,
            is_for_default: claims.accepts_audience(&self.audience),
            claims: Box::new(claims),
            holder: told.holder,
            external_id: told.external_id,
            keys_version,
            // Not looked up in the feed yet: any other epoch makes that happen.
            epoch: AtomicU64::new(epoch.wrapping_sub(1)),
        });
        let key = verified.texts.clone();
        self.cache.insert(key, Arc::clone(&verified));
        Ok(verified)
    }
}

impl std::fmt::Debug for TokenValidator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenValidator")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
