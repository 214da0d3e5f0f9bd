//! Whether an access token is good, at full speed: the keys, the feed of
//! revocations and the cache of verified tokens are all in memory, and no
//! database is asked while the feed is fresh.

mod keyring;
mod revocation_feed;
mod token_validator;

pub use keyring::{Keyring, KeyringError, ListedKey};
pub use revocation_feed::RevocationFeed;
pub use token_validator::{Judgement, NotAccepted, Question, TokenValidator, VerifiedToken};
