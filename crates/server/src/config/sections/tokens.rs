//! The section `[tokens]`.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_domain::model::Scope;
use countersign_token::Algorithm;
use serde::{Deserialize, Serialize};

use super::TokenProfileConfig;
use crate::config::checks::Checks;
use crate::config::serde_formats::{AS_VARIABLE, duration, scopes};

/// `[tokens]`: tokens and sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// `iss` of the access tokens.
    pub issuer: String,
    /// The audiences for which access tokens are issued, the first by default.
    pub audiences: Vec<String>,
    /// The scopes that everybody may ask for.
    #[serde(with = "scopes")]
    pub scopes: Vec<Scope>,
    /// The scopes that operators grant to users and service accounts, one by one.
    #[serde(with = "scopes")]
    pub granted_scopes: Vec<Scope>,
    /// The algorithm of new signing keys.
    pub algorithm: Algorithm,
    /// How long an access token is good.
    #[serde(with = "duration")]
    pub access_ttl: Duration,
    /// How long a session lives without a refresh.
    #[serde(with = "duration")]
    pub idle_ttl: Duration,
    /// How long a session lives in any case.
    #[serde(with = "duration")]
    pub session_ttl: Duration,
    /// How long an exchanged refresh token yields the same successor.
    #[serde(with = "duration")]
    pub refresh_grace: Duration,
    /// How far clocks may differ.
    #[serde(with = "duration")]
    pub leeway: Duration,
    /// Tokens in the form of other servers, each under a name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, TokenProfileConfig>,
}

impl Default for TokensConfig {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self {
            issuer: "countersign".into(),
            audiences: vec!["countersign".into()],
            scopes: vec![Scope::parse("profile").expect("a scope")],
            granted_scopes: Vec::new(),
            algorithm: Algorithm::EdDsa,
            access_ttl: Duration::from_secs(300),
            idle_ttl: days(30),
            session_ttl: days(180),
            refresh_grace: Duration::from_secs(30),
            leeway: Duration::from_secs(5),
            profiles: BTreeMap::new(),
        }
    }
}

impl TokensConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        const NAME: &str = "must be 1 to 256 printable ASCII characters without spaces";
        let seconds = Duration::from_secs;
        let ten_years = seconds(3_650 * 86_400);
        checks.that("tokens.issuer", is_name(&self.issuer), NAME);
        checks.that(
            "tokens.audiences",
            !self.audiences.is_empty(),
            "must have at least one audience",
        );
        checks.that(
            "tokens.audiences",
            self.audiences.iter().all(|audience| is_audience(audience)),
            &format!("each {NAME}, commas, quotes and brackets; {AS_VARIABLE}"),
        );
        checks.lasts("tokens.idle_ttl", self.idle_ttl, seconds(10)..=ten_years);
        checks.lasts(
            "tokens.session_ttl",
            self.session_ttl,
            seconds(10)..=ten_years,
        );
        checks.lasts(
            "tokens.refresh_grace",
            self.refresh_grace,
            Duration::ZERO..=seconds(300),
        );
        checks.lasts("tokens.leeway", self.leeway, Duration::ZERO..=seconds(300));
    }
}

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether it can be nothing but one audience: no list in the notation of
/// another language, nor a piece of one.
fn is_audience(text: &str) -> bool {
    is_name(text) && !text.contains(|c| r#",;"'`[](){}<>"#.contains(c))
}
