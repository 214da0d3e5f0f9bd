//! One provider as it is reached: its settings, what it says of itself, and its keys, read when they
//! are needed and kept.

use std::sync::Arc;

use countersign_domain::model::ProviderKind;
use countersign_domain::ports::Clock;
use secrecy::ExposeSecret;

use crate::apple::AppleKey;
use crate::cached::Cached;
use crate::client_secret::{ClientSecret, Proof};
use crate::config::ProviderConfig;
use crate::config_error::ConfigError;
use crate::failure::Failure;
use crate::json::Members;
use crate::jws::Jws;
use crate::keys::{KeySet, Verdict};
use crate::metadata::{Metadata, allowed};
use crate::network::{Hosts, HttpClient, NoCertificate, Roots};
use crate::preset::{GOOGLE_EVENTS, Preset, Source};
use crate::url::Url;
use crate::userinfo::object;

/// One provider.
pub(crate) struct Connection {
    pub(crate) config: ProviderConfig,
    /// What its tokens may say; the first is the name of its people here.
    pub(crate) issuers: Vec<String>,
    pub(crate) http: HttpClient,
    pub(crate) secret: ClientSecret,
    clock: Arc<dyn Clock>,
    source: Source,
    metadata: Cached<Metadata>,
    keys: Cached<KeySet>,
    event_keys: Cached<KeySet>,
}

/// What a token is signed for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Sign-ins.
    SignIns,
    /// Google's security events, which have keys of their own.
    GoogleEvents,
}

impl Connection {
    /// A provider with these settings.
    ///
    /// # Errors
    /// The setting that cannot be.
    pub(crate) fn new(
        config: ProviderConfig,
        clock: Arc<dyn Clock>,
        roots: &Roots,
        hosts: Hosts,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let is_private_allowed = config.allow_private_addresses;
        let preset = Preset::of(config.kind, config.issuer.as_deref(), is_private_allowed);
        let preset = preset.ok_or_else(|| config.error("issuer", "is not a URL"))?;
        let tls = roots
            .config(config.root_certificates.as_deref())
            .map_err(|NoCertificate| {
                config.error(
                    "root_certificates",
                    "has no PEM certificate of an authority",
                )
            })?;
        Ok(Self {
            http: HttpClient {
                tls,
                hosts,
                is_private_allowed,
                time_limit: config.time_limit,
            },
            secret: secret(&config)?,
            issuers: preset.issuers,
            source: preset.source,
            config,
            clock,
            metadata: Cached::new(),
            keys: Cached::new(),
            event_keys: Cached::new(),
        })
    }

    /// The issuer, as its people are named here.
    pub(crate) fn issuer(&self) -> &str {
        self.issuers.first().map_or("", String::as_str)
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_seconds()
    }

    /// All clients that tokens may be for.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &str> {
        let apps = self.config.native_client_ids.iter().map(String::as_str);
        apps.chain([self.config.client_id.as_str()])
    }

    /// What the provider says of itself.
    ///
    /// # Errors
    /// The reading's.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, Failure> {
        let reading = async {
            match &self.source {
                Source::Fixed(metadata) => Ok(Metadata::clone(metadata)),
                Source::Discovery(url) => {
                    let reply = self.http.get(url, None).await?;
                    if !reply.status.is_success() {
                        let status = reply.status.as_u16();
                        let why = format!("the discovery document has status {status}");
                        return Err(Failure::rejected(why));
                    }
                    let is_plain_allowed = self.config.allow_private_addresses;
                    Metadata::read(&reply.body, self.issuer(), is_plain_allowed)
                }
            }
        };
        self.metadata.get(self.clock.monotonic(), reading).await
    }

    /// The proof of this client for one request.
    ///
    /// # Errors
    /// As [`ClientSecret::prove`].
    pub(crate) fn prove(&self, metadata: &Metadata) -> Result<Proof, Failure> {
        let how = metadata.client_authentication;
        let client_id = &self.config.client_id;
        self.secret.prove(client_id, self.issuer(), how, self.now())
    }

    /// A token whose signature is the provider's.
    ///
    /// # Errors
    /// Rejected if it is not; and the reading's, of the keys.
    pub(crate) async fn verified(&self, token: &str, purpose: Purpose) -> Result<Jws, Failure> {
        let token = Jws::read(token)?;
        let (cache, algorithms) = match purpose {
            Purpose::SignIns => (&self.keys, self.metadata().await?.algorithms.clone()),
            Purpose::GoogleEvents => (&self.event_keys, allowed(&[])),
        };
        let now = self.clock.monotonic();
        let keys = cache.get(now, self.read_keys(purpose)).await?;
        if keys.verify(&token, &algorithms)? == Verdict::Good {
            return Ok(token);
        }
        // Perhaps the provider has signed with a key that is newer than what was read.
        let newer = cache.renew(now, &keys, self.read_keys(purpose)).await?;
        let unknown = || Failure::rejected("the token's key is not the provider's");
        match newer.ok_or_else(unknown)?.verify(&token, &algorithms)? {
            Verdict::Good => Ok(token),
            Verdict::UnknownKey => Err(unknown()),
        }
    }

    async fn read_keys(&self, purpose: Purpose) -> Result<KeySet, Failure> {
        let url = match purpose {
            Purpose::SignIns => self.metadata().await?.jwks_uri.clone(),
            Purpose::GoogleEvents => Some(self.event_keys_url().await?),
        };
        let url = url.ok_or_else(|| Failure::rejected("the provider signs nothing"))?;
        let reply = self.http.get(&url, None).await?;
        match reply.status.is_success() {
            true => KeySet::read(&reply.body),
            false => {
                let status = reply.status.as_u16();
                Err(Failure::rejected(format!(
                    "the key set has status {status}"
                )))
            }
        }
    }

    async fn event_keys_url(&self) -> Result<Url, Failure> {
        let of_document = |failure: Failure| failure.during("the document of events");
        let parse = |text: &str| Url::parse(text, false).map_err(Failure::rejected);
        let reply = self.http.get(&parse(GOOGLE_EVENTS)?, None).await?;
        let document: Members = object(&reply).map_err(of_document)?;
        let issuer = document.required("issuer").map_err(of_document)?;
        if !self.is_event_issuer(&issuer) {
            return Err(of_document(Failure::rejected("it is of another issuer")));
        }
        parse(&document.required("jwks_uri").map_err(of_document)?).map_err(of_document)
    }

    /// Whether events say that it is this provider: Google's say it with a `/` at the end.
    pub(crate) fn is_event_issuer(&self, issuer: &str) -> bool {
        let issuer = match self.config.kind {
            ProviderKind::Google => issuer.strip_suffix('/').unwrap_or(issuer),
            ProviderKind::Apple
            | ProviderKind::Kakao
            | ProviderKind::Naver
            | ProviderKind::OpenIdConnect => issuer,
        };
        self.issuers.iter().any(|known| known == issuer)
    }
}

fn secret(config: &ProviderConfig) -> Result<ClientSecret, ConfigError> {
    if config.kind != ProviderKind::Apple {
        let given = config.client_secret.clone();
        return Ok(given.map_or(ClientSecret::None, ClientSecret::Given));
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let pem = config.private_key.as_ref();
    let pem = pem.map_or("", ExposeSecret::expose_secret);
    AppleKey::read(&text(&config.team_id), &text(&config.key_id), pem)
        .map(ClientSecret::Key)
        .ok_or_else(|| {
            config.error(
                "private_key",
                "is not a P-256 private key in PKCS#8 and PEM",
            )
        })
}
