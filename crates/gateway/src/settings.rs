//! What a gateway is told: where it listens, whom it asks, and whom it believes.

use std::sync::Arc;

use countersign_client::Client;
use countersign_transport::TransportConfig;
use http::Uri;
use ipnet::IpNet;

use crate::brand::Brand;
use crate::verify::VerifyForGateway;

/// The settings of a gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How it listens.
    pub transport: TransportConfig,
    /// The way to the service, as a caller with the role `gateway`.
    pub client: Client,
    /// By what access tokens are verified. If absent, the service is asked, and a yes is good for a second.
    pub verifier: Option<Arc<dyn VerifyForGateway>>,
    /// Who looks after users on the pages. There are no such pages, if absent.
    pub operators: Option<Operators>,
    /// The issuer of the tokens (RFC 8414): where metadata says they come from.
    pub issuer: String,
    /// Where people and programs reach the gateway: scheme, host and port, nothing behind them. The address that it
    /// listens on, if absent.
    pub public_url: Option<PublicUrl>,
    /// What the pages call the product.
    pub product_name: String,
    /// How the pages look.
    pub brand: Brand,
    /// The group of a request that names none.
    pub group_id: String,
    /// The groups whose clients get `{"code": …, "message": …}` for errors of `/token/*`.
    pub code_and_message_groups: Vec<String>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Hosts besides the gateway's own to which a sign-in may lead back, such as `shop.example`, or
    /// `shop.example:8443` with another port than the usual one; with a leading dot all below a domain.
    pub return_hosts: Vec<String>,
}

/// Who looks after users on the pages, and how the pages do it.
#[derive(Debug, Clone)]
pub struct Operators {
    /// The role in access tokens of the people who may.
    pub role: String,
    /// The way to the service, as a caller with the role `operator` and no other.
    pub client: Client,
}

/// A URL that is no more than scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
}

/// Why a text is no such URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be http:// or https:// with a host, a port where needed, and nothing behind them")]
pub struct PublicUrlError;

impl PublicUrl {
    /// Reads one.
    ///
    /// # Errors
    /// [`PublicUrlError`] if it has a path, a query, a user or another scheme.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let uri: Uri = text.parse().map_err(|_| PublicUrlError)?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(PublicUrlError);
        };
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !is_bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(PublicUrlError);
        }
        Ok(Self {
            origin: format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()),
            host: authority.host().to_ascii_lowercase(),
        })
    }

    /// As an `Origin` header says it: `https://login.example`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Those of a gateway for tests, which reaches nobody.
    pub(crate) fn settings() -> Settings {
        Settings {
            transport: TransportConfig::default(),
            client: Client::builder("http://127.0.0.1:1").build().unwrap(),
            verifier: None,
            operators: None,
            issuer: "https://login.example".to_owned(),
            public_url: Some(PublicUrl::parse("https://login.example").unwrap()),
            product_name: "Countersign".to_owned(),
            brand: Brand::default(),
            group_id: "default".to_owned(),
            code_and_message_groups: Vec::new(),
            trusted_proxies: Vec::new(),
            return_hosts: ["shop.example", "dev.example:8443", ".apps.example"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    #[test]
    fn a_public_url_is_scheme_host_and_port() {
        for text in [
            "http://127.0.0.1:8080",
            "https://Login.Example/",
            "https://[::1]:8443",
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!(
                url.origin(),
                text.trim_end_matches('/').to_ascii_lowercase()
            );
        }
        for text in [
            "",
            "login.example",
            "/login",
            "ftp://login.example",
            "https://mina@login.example",
            "https://login.example/path",
            "https://login.example?query",
        ] {
            assert_eq!(PublicUrl::parse(text), Err(PublicUrlError), "{text}");
        }
    }
}
