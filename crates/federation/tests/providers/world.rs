//! A counterpart, providers that are configured for it, and people who sign in.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use countersign_domain::model::{
    AuthorizationRequest, AuthorizationResponse, Locale, ProviderId, ProviderKind, ProviderSecret,
    ProviderUser,
};
use countersign_domain::ports::{Clock, IdentityProviders, ProviderError};
use countersign_domain::testing::HandClock;
use countersign_federation::{Federation, ProviderConfig};

use crate::certificates::authority;
use crate::fake::Fake;
use crate::signer::EC;

/// The client's secret.
pub(crate) const SECRET: &str = "s3cr3t-of-the-client";
/// The verifier of the first sign-in.
pub(crate) const VERIFIER: &str = "verifier-0123456789-0123456789-0123456789-a";

/// All of it.
pub(crate) struct World {
    pub(crate) fake: Fake,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) federation: Federation,
    pub(crate) id: ProviderId,
}

/// A provider of this kind, configured as it has to be.
pub(crate) fn config(kind: ProviderKind) -> ProviderConfig {
    let mut config = ProviderConfig::new(
        ProviderId::parse("p").expect("it is configured well"),
        kind,
        "client",
    );
    config.client_secret = Some(SECRET.to_owned().into());
    config.native_client_ids = vec!["app".into()];
    config.root_certificates = Some(authority());
    config.time_limit = Duration::from_secs(5);
    match kind {
        ProviderKind::OpenIdConnect => {
            config.issuer = Some("https://id.example".into());
            config.trust_email = true;
        }
        ProviderKind::Apple => {
            config.client_secret = None;
            config.team_id = Some("TEAM".into());
            config.key_id = Some("KEY".into());
            config.private_key = Some(EC.pem.clone().into());
        }
        ProviderKind::Kakao => {
            config.admin_key = Some("admin".to_owned().into());
            config.app_id = Some("12345".into());
        }
        ProviderKind::Google | ProviderKind::Naver => (),
    }
    config
}

impl World {
    /// Any OpenID Connect issuer.
    pub(crate) async fn new() -> Self {
        Self::of(ProviderKind::OpenIdConnect).await
    }

    /// A provider of this kind.
    pub(crate) async fn of(kind: ProviderKind) -> Self {
        Self::with(config(kind)).await
    }

    /// A provider with these settings.
    pub(crate) async fn with(config: ProviderConfig) -> Self {
        let fake = Fake::start().await;
        let clock = Arc::new(HandClock::new());
        let id = config.id.clone();
        let port: Arc<dyn Clock> = clock.clone();
        let federation =
            Federation::testing(vec![config], &port, fake.hosts()).expect("it is configured well");
        Self {
            fake,
            clock,
            federation,
            id,
        }
    }

    /// The same counterpart and clock, with providers that have read nothing yet.
    pub(crate) fn restart(&mut self, config: ProviderConfig) {
        let port: Arc<dyn Clock> = self.clock.clone();
        self.federation = Federation::testing(vec![config], &port, self.fake.hosts())
            .expect("it is configured well");
    }

    /// Where a browser is sent.
    pub(crate) async fn url(&self, nonce: &str) -> Result<String, ProviderError> {
        let request = AuthorizationRequest {
            redirect_uri: "https://shop.example/callback".into(),
            state: "state-of-this".into(),
            nonce: nonce.into(),
            code_verifier: ProviderSecret::new(VERIFIER.into()),
            locale: Locale::Korean,
        };
        self.federation.authorization_url(&self.id, &request).await
    }

    /// A whole sign-in.
    pub(crate) async fn sign_in(&self) -> Result<ProviderUser, ProviderError> {
        self.sign_in_with(|_| ()).await
    }

    /// A whole sign-in, of which what comes back is changed.
    pub(crate) async fn sign_in_with(
        &self,
        change: impl FnOnce(&mut AuthorizationResponse),
    ) -> Result<ProviderUser, ProviderError> {
        let url = self.url("nonce-1").await?;
        let mut response = response(&self.fake.sign_in(&url));
        change(&mut response);
        self.federation.exchange(&self.id, &response).await
    }

    /// The honest run: without it, a refusal would show nothing.
    pub(crate) async fn honest(&self) {
        let user = self.sign_in().await.expect("the honest run signs in");
        assert_eq!(user.subject.subject, "person-1");
    }

    /// A sign-in that has to be rejected, for this reason.
    pub(crate) async fn rejected(&self, reason: &str) {
        match self.sign_in().await {
            Err(ProviderError::Rejected(text)) => assert!(text.contains(reason), "{text}"),
            other => panic!("{other:?} instead of {reason}"),
        }
    }

    /// A sign-in for which the provider counts as out of order, for this reason.
    pub(crate) async fn unavailable(&self, reason: &str) {
        match self.sign_in().await {
            Err(ProviderError::Unavailable(text)) => assert!(text.contains(reason), "{text}"),
            other => panic!("{other:?} instead of {reason}"),
        }
    }
}

/// What comes back with a browser.
pub(crate) fn response(code: &str) -> AuthorizationResponse {
    AuthorizationResponse {
        code: ProviderSecret::new(code.into()),
        issuer: None,
        user: None,
        redirect_uri: "https://shop.example/callback".into(),
        state: "state-of-this".into(),
        nonce: "nonce-1".into(),
        code_verifier: ProviderSecret::new(VERIFIER.into()),
    }
}

/// SHA-256.
pub(crate) fn sha256(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}
