//! The ports and settings that every use-case is given, and what use-cases
//! share: minting tokens, knowing the person behind an access token.

mod limits;
mod settings;
mod tokens;
mod verifications;

use std::sync::Arc;

use crate::model::{MasterKey, Secrets};
use crate::ports::{Clock, EphemeralStore, MessageSender, PasswordHasher, Random, Store};
use crate::validation::{Keyring, RevocationFeed};

pub use settings::{Settings, TokenSettings, VerificationSettings};
pub(crate) use tokens::SignIn;
pub use tokens::{Person, Tokens};
pub(crate) use verifications::CodeRequest;

/// What a use-case works with.
pub struct Application {
    /// What lasts.
    pub store: Arc<dyn Store>,
    /// What lasts a while.
    pub ephemeral: Arc<dyn EphemeralStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Hashing of passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Messages to people.
    pub sender: Arc<dyn MessageSender>,
    /// The master key.
    pub master_key: MasterKey,
    /// The keys that come from it.
    pub secrets: Secrets,
    /// The signing keys.
    pub keyring: Arc<Keyring>,
    /// The revocations.
    pub feed: Arc<RevocationFeed>,
    /// Lifetimes and limits.
    pub settings: Settings,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
