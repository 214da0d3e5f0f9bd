//! How a provider is configured, and what of that has to be there for which kind.

use std::fmt;
use std::time::Duration;

use countersign_domain::model::{ProviderId, ProviderKind};
use secrecy::{ExposeSecret, SecretString};

use crate::config_error::ConfigError;
use crate::url::Url;

/// How long a request may take, if nothing is said.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// How long it may take at the most.
const LONGEST: Duration = Duration::from_secs(30);

/// A provider, as the operator configures it.
#[derive(Clone)]
pub struct ProviderConfig {
    /// Its name in addresses.
    pub id: ProviderId,
    /// What it is.
    pub kind: ProviderKind,
    /// What people call it.
    pub display_name: String,
    /// The issuer, exactly as its tokens say it; of `OpenIdConnect` alone.
    pub issuer: Option<String>,
    /// The client: Apple's Services ID, Kakao's REST API key.
    pub client_id: String,
    /// The client's secret; Apple has a key instead.
    pub client_secret: Option<SecretString>,
    /// Apple's team.
    pub team_id: Option<String>,
    /// The id of Apple's key.
    pub key_id: Option<String>,
    /// Apple's key: PKCS#8 in PEM (`.p8`).
    pub private_key: Option<SecretString>,
    /// What is asked for; `None` for what the kind usually is asked for.
    pub scopes: Option<Vec<String>>,
    /// The audiences that ID tokens may have which apps have got by themselves: Apple's bundle id,
    /// Google's web client, Kakao's native app key.
    pub native_client_ids: Vec<String>,
    /// Whether e-mail addresses that the issuer calls verified are believed; of `OpenIdConnect`
    /// alone.
    pub trust_email: bool,
    /// Kakao's admin key, by which its unlink webhook is known.
    pub admin_key: Option<SecretString>,
    /// Kakao's app id, which the webhook has to name if it is given.
    pub app_id: Option<String>,
    /// Certificates of authorities in PEM, which are believed beside those of this machine.
    pub root_certificates: Option<String>,
    /// Whether it may be inside the own network, or on this machine without TLS.
    pub allow_private_addresses: bool,
    /// How long each request may take.
    pub time_limit: Duration,
}

impl ProviderConfig {
    /// A provider of which nothing more is said.
    #[must_use]
    pub fn new(id: ProviderId, kind: ProviderKind, client_id: &str) -> Self {
        Self {
            display_name: match kind {
                ProviderKind::Google => "Google".into(),
                ProviderKind::Apple => "Apple".into(),
                ProviderKind::Kakao => "Kakao".into(),
                ProviderKind::Naver => "Naver".into(),
                ProviderKind::OpenIdConnect => id.as_str().into(),
            },
            id,
            kind,
            issuer: None,
            client_id: client_id.into(),
            client_secret: None,
            team_id: None,
            key_id: None,
            private_key: None,
            scopes: None,
            native_client_ids: Vec::new(),
            trust_email: false,
            admin_key: None,
            app_id: None,
            root_certificates: None,
            allow_private_addresses: false,
            time_limit: TIME_LIMIT,
        }
    }

    /// The scopes that are asked for.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let usual: &[&str] = match self.kind {
            ProviderKind::Google | ProviderKind::OpenIdConnect => &["openid", "email", "profile"],
            ProviderKind::Apple => &["openid", "email", "name"],
            ProviderKind::Kakao => &["openid", "account_email", "profile_nickname"],
            // What is asked for is chosen in Naver's console.
            ProviderKind::Naver => &[],
        };
        let usual = || usual.iter().map(|&scope| scope.to_owned()).collect();
        self.scopes.clone().unwrap_or_else(usual)
    }

    /// Checks what is there, and what has to be.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_oidc = self.kind == ProviderKind::OpenIdConnect;
        let is_apple = self.kind == ProviderKind::Apple;
        let is_kakao = self.kind == ProviderKind::Kakao;
        self.is_text("display_name", &self.display_name)?;
        self.is_text("client_id", &self.client_id)?;
        for id in &self.native_client_ids {
            self.is_text("native_client_ids", id)?;
        }
        self.belongs("issuer", self.issuer.is_some(), is_oidc, "oidc")?;
        self.belongs("trust_email", self.trust_email, is_oidc, "oidc")?;
        self.belongs("team_id", self.team_id.is_some(), is_apple, "apple")?;
        self.belongs("key_id", self.key_id.is_some(), is_apple, "apple")?;
        self.belongs("private_key", self.private_key.is_some(), is_apple, "apple")?;
        self.belongs("admin_key", self.admin_key.is_some(), is_kakao, "kakao")?;
        self.belongs("app_id", self.app_id.is_some(), is_kakao, "kakao")?;
        if is_oidc {
            let issuer = self.issuer.as_deref();
            let issuer = issuer.ok_or_else(|| self.error("issuer", "is missing"))?;
            let url = Url::parse(issuer, self.allow_private_addresses)
                .map_err(|problem| self.error("issuer", problem))?;
            if url.target().contains('?') {
                return Err(self.error("issuer", "has a query"));
            }
        }
        match self.kind {
            ProviderKind::Apple => {
                if self.client_secret.is_some() {
                    return Err(self.error("client_secret", "is not for the kind apple"));
                }
                self.is_there("team_id", self.team_id.as_deref())?;
                self.is_there("key_id", self.key_id.as_deref())?;
                self.is_there("private_key", exposed(self.private_key.as_ref()))?;
            }
            ProviderKind::Google | ProviderKind::Naver => {
                self.is_there("client_secret", exposed(self.client_secret.as_ref()))?;
            }
            ProviderKind::Kakao | ProviderKind::OpenIdConnect => {
                if let Some(secret) = exposed(self.client_secret.as_ref()) {
                    self.is_text("client_secret", secret)?;
                }
            }
        }
        if let Some(key) = exposed(self.admin_key.as_ref()) {
            self.is_text("admin_key", key)?;
        }
        self.check_scopes()?;
        match self.time_limit.is_zero() || self.time_limit > LONGEST {
            true => Err(self.error("time_limit", "must be above 0 and at most 30 s")),
            false => Ok(()),
        }
    }

    fn check_scopes(&self) -> Result<(), ConfigError> {
        let scopes = self.scopes();
        // RFC 6749, 3.3.
        let is_scope = |scope: &String| {
            let is_good = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            !scope.is_empty() && scope.bytes().all(is_good)
        };
        if !scopes.iter().all(is_scope) {
            return Err(self.error("scopes", "has one that is empty or has a space in it"));
        }
        let is_naver = self.kind == ProviderKind::Naver;
        match is_naver || scopes.iter().any(|scope| scope == "openid") {
            true => Ok(()),
            false => Err(self.error("scopes", "must have openid among them")),
        }
    }

    fn belongs(
        &self,
        setting: &'static str,
        is_set: bool,
        may_be: bool,
        kind: &str,
    ) -> Result<(), ConfigError> {
        match is_set && !may_be {
            true => Err(self.error(setting, format!("is for the kind {kind} only"))),
            false => Ok(()),
        }
    }

    fn is_there(&self, setting: &'static str, value: Option<&str>) -> Result<(), ConfigError> {
        match value {
            None => Err(self.error(setting, "is missing")),
            Some(value) => self.is_text(setting, value),
        }
    }

    fn is_text(&self, setting: &'static str, value: &str) -> Result<(), ConfigError> {
        match value.trim().is_empty() {
            true => Err(self.error(setting, "is empty")),
            false => Ok(()),
        }
    }

    /// This setting cannot be.
    pub(crate) fn error(&self, setting: &'static str, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            provider: self.id.clone(),
            setting,
            problem: problem.into(),
        }
    }
}

fn exposed(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(ExposeSecret::expose_secret)
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
