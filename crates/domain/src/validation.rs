//! Whether an access token is good, at full speed: the keys, the revocations and
//! the cache of verified tokens are all in memory, and no database is asked
//! while what is known is fresh.

mod access_tokens;
mod freshness;
mod keyring;
mod required_authentication;
mod revocation_feed;
mod token_validator;
mod verified_token;

pub use access_tokens::{AccessTokens, ServiceAccountHolding, TokenHolder, VerifiedClaims};
pub(crate) use keyring::read_key;
pub use keyring::{Keyring, KeyringError, ListedKey};
pub use required_authentication::RequiredAuthentication;
pub use revocation_feed::RevocationFeed;
pub use token_validator::{
    CacheReading, Encode, NotAccepted, Question, TokenValidator, Validation,
};
pub use verified_token::{Encoded, VerifiedToken};
