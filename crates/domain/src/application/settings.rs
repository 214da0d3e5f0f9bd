//! Lifetimes and limits.

use std::time::Duration;

use countersign_token::Algorithm;

use crate::model::{Region, Scope};

/// The settings of the domain. The defaults are in the server's configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of tokens and sessions.
    pub tokens: TokenSettings,
    /// Of codes and proofs.
    pub verification: VerificationSettings,
    /// Where phone numbers without a country code are at home.
    pub region: Region,
    /// Failures in a row after which a password is not compared any more until
    /// it is reset.
    pub password_attempts: u32,
    /// Attempts at one account from one source, and in which windows.
    pub source_attempts: Vec<(u32, Duration)>,
    /// How long a user may wait to be activated.
    pub pending_ttl: Duration,
}

/// Of tokens and sessions.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// `iss`.
    pub issuer: String,
    /// The audiences for which tokens are issued, the first by default.
    pub audiences: Vec<String>,
    /// The scopes that may be asked for.
    pub scopes: Vec<Scope>,
    /// The algorithm of new signing keys.
    pub algorithm: Algorithm,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long a session lives without a refresh.
    pub idle_ttl: Duration,
    /// How long a session lives in any case.
    pub session_ttl: Duration,
    /// How long an exchanged refresh token yields the same successor.
    pub refresh_grace: Duration,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// How old the revocation feed may be before the database is asked.
    pub feed_bound: Duration,
    /// How long a key signs before the next takes over.
    pub key_rotation: Duration,
}

/// Of codes and proofs.
#[derive(Debug, Clone)]
pub struct VerificationSettings {
    /// The digits of a code.
    pub code_digits: u32,
    /// How long a code is good.
    pub code_ttl: Duration,
    /// Tries of one code.
    pub code_tries: u32,
    /// How long a proof is good.
    pub proof_ttl: Duration,
    /// The time between two messages to one address.
    pub cooldown: Duration,
    /// Messages to one address in a day.
    pub sends_per_address: u32,
    /// Messages from one source in an hour.
    pub sends_per_source: u32,
    /// Messages to one country's numbers in an hour.
    pub sends_per_country: u32,
    /// Messages in all in an hour.
    pub sends_in_all: u32,
    /// Wrong codes of one address in a day.
    pub wrong_codes_per_address: u32,
}

impl TokenSettings {
    /// How long a revocation is needed: until the last access token of the
    /// session has expired everywhere, by the slowest clock.
    #[must_use]
    pub fn revocation_ttl(&self) -> Duration {
        self.access_ttl + self.leeway + Duration::from_secs(60)
    }
}
