//! The verifier of a running service: ValidateToken over the network, with a
//! short memory. It fails closed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_proto::v1::RejectionReason;
use tonic::async_trait;

use crate::cache::VerdictCache;
use crate::claims::Identity;
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::error::ValidateError;
use crate::verify::{Requirement, VerifyToken};

/// The longest access token that the service looks at, in bytes.
const MAX_TOKEN_BYTES: usize = 8_192;

/// Asks the service whether tokens are good, and remembers a yes for some
/// seconds. Cheap to clone; clones share the memory.
///
/// A revoked token may be accepted for as long as a yes is remembered.
#[derive(Clone)]
pub struct Verifier {
    client: Client,
    cache: Arc<VerdictCache>,
}

/// Configures a [`Verifier`]; made by [`Verifier::builder`].
#[must_use = "call `build`"]
pub struct VerifierBuilder {
    client: Client,
    cache_ttl: Duration,
    cache_capacity: usize,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// A verifier that remembers up to 10,000 good tokens for 5 seconds.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::builder(client).build()
    }

    /// Configures a verifier.
    pub fn builder(client: Client) -> VerifierBuilder {
        VerifierBuilder {
            client,
            cache_ttl: Duration::from_secs(5),
            cache_capacity: 10_000,
            clock: Arc::new(SystemClock),
        }
    }
}

impl VerifierBuilder {
    /// How long a yes is remembered, and never beyond the token's expiry; 5
    /// seconds by default, at most one day. Zero remembers nothing.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = ttl.min(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// How many good tokens are remembered at the most, 10,000 by default. An
    /// entry takes about 2 KiB.
    pub fn cache_capacity(mut self, tokens: usize) -> Self {
        self.cache_capacity = tokens;
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the verifier.
    #[must_use]
    pub fn build(self) -> Verifier {
        Verifier {
            client: self.client,
            cache: Arc::new(VerdictCache::new(
                self.cache_capacity,
                self.cache_ttl,
                self.clock,
            )),
        }
    }
}

#[async_trait]
impl VerifyToken for Verifier {
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        if access_token.len() > MAX_TOKEN_BYTES {
            return Err(ValidateError::Rejected(RejectionReason::Malformed));
        }
        if let Some(identity) = self.cache.get(access_token, requirement) {
            return Ok(identity);
        }
        let stale_from = self.cache.stale_from();
        let identity = self
            .client
            .validate_token(access_token, requirement)
            .await?;
        self.cache
            .insert(access_token, requirement, identity.clone(), stale_from);
        Ok(identity)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("client", &self.client)
            .field("remembered", &self.cache.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("client", &self.client)
            .field("cache_ttl", &self.cache_ttl)
            .field("cache_capacity", &self.cache_capacity)
            .finish_non_exhaustive()
    }
}
