//! What all routes share. None of it is about a person: whatever is to be known stands in the request.

use std::sync::Arc;
use std::time::Duration;

use countersign_client::{Client, Verifier};

use crate::settings::{PublicUrl, Settings};
use crate::verify::VerifyForGateway;

/// How long a good token is taken for good: as long as another replica of the service may take to see a revocation.
const CACHE_TTL: Duration = Duration::from_secs(1);

/// The gateway as its routes see it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) settings: Arc<Settings>,
    pub(crate) public_url: Arc<PublicUrl>,
    pub(crate) client: Client,
    pub(crate) verifier: Arc<dyn VerifyForGateway>,
}

impl State {
    pub(crate) fn new(settings: Settings, public_url: PublicUrl) -> Self {
        let client = settings.client.clone();
        let asking = || {
            let builder = Verifier::builder(client.clone());
            Arc::new(builder.cache_ttl(CACHE_TTL).build()) as Arc<dyn VerifyForGateway>
        };
        Self {
            verifier: settings.verifier.clone().unwrap_or_else(asking),
            settings: Arc::new(settings),
            public_url: Arc::new(public_url),
            client,
        }
    }

    /// The group that a request is about.
    pub(crate) fn group(&self, named: Option<String>) -> String {
        let named = named.filter(|group| !group.is_empty());
        named.unwrap_or_else(|| self.settings.group_id.clone())
    }
}
