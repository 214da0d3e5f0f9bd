//! The sections `[federation.providers.NAME]`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_domain::model::{ProviderId, ProviderKind};
use countersign_federation::ProviderConfig;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::serde_formats::{duration, masked, optional};

/// `[federation]`: signing in with accounts at providers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederationConfig {
    /// The providers, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<String, ProviderSection>,
}

/// `[federation.providers.NAME]`: a provider of sign-ins. The name stands in the address
/// that it sends browsers back to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSection {
    /// What it is; as its name, if nothing is said.
    #[serde(deserialize_with = "optional")]
    pub kind: Option<Kind>,
    /// What people call it; the provider's own name if nothing is said.
    #[serde(deserialize_with = "optional")]
    pub display_name: Option<String>,
    /// Of oidc: the issuer, exactly as its tokens say it.
    #[serde(deserialize_with = "optional")]
    pub issuer: Option<String>,
    /// The id that the provider has given this application.
    #[serde(deserialize_with = "optional")]
    pub client_id: Option<String>,
    /// The secret; of all but apple.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub client_secret: Option<SecretString>,
    /// Of apple: the id of the team.
    #[serde(deserialize_with = "optional")]
    pub team_id: Option<String>,
    /// Of apple: the id of the key.
    #[serde(deserialize_with = "optional")]
    pub key_id: Option<String>,
    /// Of apple: the file of the key (`.p8`).
    #[serde(deserialize_with = "optional")]
    pub private_key: Option<PathBuf>,
    /// What is asked for; what is usual for the kind, if there is none.
    pub scopes: Vec<String>,
    /// The audiences of ID tokens that apps have got by themselves.
    pub native_client_ids: Vec<String>,
    /// Of oidc: whether it answers for the e-mail addresses that it calls verified.
    pub trust_email: bool,
    /// Of kakao: the admin key, by which its messages are known.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub admin_key: Option<SecretString>,
    /// Of kakao: the id of the application, which its messages have to name if it is set.
    #[serde(deserialize_with = "optional")]
    pub app_id: Option<String>,
    /// A file with certificates of authorities that are trusted besides (PEM).
    #[serde(deserialize_with = "optional")]
    pub tls_ca: Option<PathBuf>,
    /// Whether it may be inside the own network, or on this machine without TLS.
    pub allow_private_addresses: bool,
    /// How long a request may take.
    #[serde(with = "duration")]
    pub time_limit: Duration,
}

/// What a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Google.
    Google,
    /// Apple.
    Apple,
    /// Kakao.
    Kakao,
    /// Naver.
    Naver,
    /// Any other OpenID Connect issuer.
    Oidc,
}

impl Default for ProviderSection {
    fn default() -> Self {
        Self {
            kind: None,
            display_name: None,
            issuer: None,
            client_id: None,
            client_secret: None,
            team_id: None,
            key_id: None,
            private_key: None,
            scopes: Vec::new(),
            native_client_ids: Vec::new(),
            trust_email: false,
            admin_key: None,
            app_id: None,
            tls_ca: None,
            allow_private_addresses: false,
            time_limit: Duration::from_secs(5),
        }
    }
}

/// A setting of a provider that is wrong, and what it must be.
type Wrong = (&'static str, String);

impl FederationConfig {
    /// The providers, for the adapter.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn providers(&self) -> Result<Vec<ProviderConfig>, Vec<(String, String)>> {
        let (mut providers, mut wrong) = (Vec::new(), Vec::new());
        for (name, section) in &self.providers {
            match section.provider(name) {
                Ok(provider) => providers.push(provider),
                Err((setting, rule)) => {
                    wrong.push((format!("federation.providers.{name}.{setting}"), rule));
                }
            }
        }
        match wrong.is_empty() {
            true => Ok(providers),
            false => Err(wrong),
        }
    }
}

impl ProviderSection {
    /// The settings whose values no message shows.
    pub(in crate::config) const SECRET: [&str; 2] = ["client_secret", "admin_key"];

    fn provider(&self, name: &str) -> Result<ProviderConfig, Wrong> {
        let id = ProviderId::parse(name).map_err(|error| ("kind", error.to_string()))?;
        let kind = match self.kind.or_else(|| Kind::named(name)) {
            Some(kind) => kind.into(),
            None => {
                let rule = "must be google, apple, kakao, naver or oidc, since the name is none of \
                            these";
                return Err(("kind", rule.into()));
            }
        };
        let Some(client_id) = &self.client_id else {
            return Err(("client_id", "must be set".into()));
        };
        let mut provider = ProviderConfig::new(id, kind, client_id);
        if let Some(display_name) = &self.display_name {
            provider.display_name.clone_from(display_name);
        }
        let private_key = self.private_key.as_deref();
        let private_key = private_key.map(|path| read("private_key", path));
        let roots = self.tls_ca.as_deref().map(|path| read("tls_ca", path));
        let provider = ProviderConfig {
            issuer: self.issuer.clone(),
            client_secret: self.client_secret.clone(),
            team_id: self.team_id.clone(),
            key_id: self.key_id.clone(),
            private_key: private_key.transpose()?.map(SecretString::from),
            scopes: Some(self.scopes.clone()).filter(|scopes| !scopes.is_empty()),
            native_client_ids: self.native_client_ids.clone(),
            trust_email: self.trust_email,
            admin_key: self.admin_key.clone(),
            app_id: self.app_id.clone(),
            root_certificates: roots.transpose()?,
            allow_private_addresses: self.allow_private_addresses,
            time_limit: self.time_limit,
            ..provider
        };
        match provider.check() {
            Ok(()) => Ok(provider),
            Err(error) => Err((error.setting, error.problem)),
        }
    }
}

fn read(setting: &'static str, path: &Path) -> Result<String, Wrong> {
    let read = fs::read_to_string(path);
    read.map_err(|error| {
        (
            setting,
            format!("names a file that cannot be read: {error}"),
        )
    })
}

impl Kind {
    /// The kind that a provider of this name has if nothing is said.
    fn named(name: &str) -> Option<Self> {
        match name {
            "google" => Some(Self::Google),
            "apple" => Some(Self::Apple),
            "kakao" => Some(Self::Kakao),
            "naver" => Some(Self::Naver),
            _ => None,
        }
    }
}

impl From<Kind> for ProviderKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Google => Self::Google,
            Kind::Apple => Self::Apple,
            Kind::Kakao => Self::Kakao,
            Kind::Naver => Self::Naver,
            Kind::Oidc => Self::OpenIdConnect,
        }
    }
}
