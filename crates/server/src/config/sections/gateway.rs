//! The section `[gateway]`.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use countersign_domain::model::UserRole;
use countersign_gateway::{Color, IpNet, PublicUrl};
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::checks::Checks;
use crate::config::serde_formats::{masked, optional};

/// Where the gateway listens if nothing else is said.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// `[gateway]`: REST, discovery and forward authentication over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where it listens.
    pub listen: GatewayListen,
    /// Where people and programs reach it: scheme, host and port. The address that it listens on, if absent.
    #[serde(deserialize_with = "optional")]
    pub public_url: Option<String>,
    /// The service that it asks. The server that it is started with, if absent.
    #[serde(deserialize_with = "optional")]
    pub endpoint: Option<String>,
    /// The key of a caller with the role `gateway`, for another service.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub api_key: Option<SecretString>,
    /// The role in access tokens of those who look after users on the pages; there are no such pages, if absent.
    #[serde(deserialize_with = "optional")]
    pub operator_role: Option<String>,
    /// The key of a caller with the role `operator`, for those pages and another service.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub operator_api_key: Option<SecretString>,
    /// The PEM file with the authorities that vouch for the service; those of the machine, if absent.
    pub endpoint_ca: Option<PathBuf>,
    /// The PEM file with the certificate chain; with it and its key the gateway speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// The PEM file with the private key.
    pub tls_private_key: Option<PathBuf>,
    /// The group of requests that name none.
    pub group: String,
    /// The groups whose clients get `{"code": …, "message": …}` for errors of `/token/*`.
    pub code_and_message_groups: Vec<String>,
    /// The proxies whose `X-Forwarded-For` is believed: addresses and networks.
    pub trusted_proxies: Vec<String>,
    /// Hosts to which a sign-in may lead back, besides its own.
    pub return_hosts: Vec<String>,
    /// The colour of the pages, such as `#3546c9`.
    #[serde(deserialize_with = "optional")]
    pub brand_color: Option<String>,
    /// The file of the logo on the pages: SVG or PNG.
    #[serde(deserialize_with = "optional")]
    pub brand_logo: Option<PathBuf>,
}

/// Where the gateway listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayListen {
    /// On 127.0.0.1:8080, if the server serves this machine alone and without TLS, and the address is free.
    Auto,
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

impl GatewayConfig {
    /// The address, of a server that listens there, and whether the gateway may be left out if it is taken.
    #[must_use]
    pub fn address(&self, server: SocketAddr, has_tls: bool) -> Option<(SocketAddr, bool)> {
        match self.listen {
            GatewayListen::Auto => (server.ip().is_loopback() && !has_tls).then_some((USUAL, true)),
            GatewayListen::Off => None,
            GatewayListen::At(address) => Some((address, false)),
        }
    }

    /// The proxies that are believed. What is none was refused.
    #[must_use]
    pub fn proxies(&self) -> Vec<IpNet> {
        self.trusted_proxies
            .iter()
            .filter_map(|text| network(text))
            .collect()
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        if let Some(Err(rule)) = self.public_url.as_deref().map(PublicUrl::parse) {
            checks.refuse("gateway.public_url", rule.to_string());
        }
        if let Some(Err(rule)) = self.brand_color.as_deref().map(Color::parse) {
            checks.refuse("gateway.brand_color", rule.to_string());
        }
        let role = self.operator_role.as_deref().map(UserRole::parse);
        if let Some(Err(rule)) = role {
            checks.refuse("gateway.operator_role", rule);
        }
        checks.that(
            "gateway.operator_api_key",
            role.is_none() || self.endpoint.is_none() || self.operator_api_key.is_some(),
            "must be that of a caller with the role operator, as gateway.operator_role and gateway.endpoint are set",
        );
        checks.that(
            "gateway.tls_private_key",
            self.tls_certificate.is_none() || self.tls_private_key.is_some(),
            "must be set too, as gateway.tls_certificate is",
        );
        checks.that(
            "gateway.tls_certificate",
            self.tls_private_key.is_none() || self.tls_certificate.is_some(),
            "must be set too, as gateway.tls_private_key is",
        );
        checks.that(
            "gateway.trusted_proxies",
            self.trusted_proxies
                .iter()
                .all(|text| network(text).is_some()),
            "must be IP addresses or networks such as 10.0.0.0/8",
        );
        let is_host = |text: &String| {
            let host = text.strip_prefix('.').unwrap_or(text);
            let (host, port) = host.split_once(':').unwrap_or((host, "443"));
            let is_label = |label: &str| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            let has_port =
                port.parse::<u16>().is_ok() && !text.starts_with('.') || !text.contains(':');
            host.len() <= 253 && host.split('.').all(is_label) && has_port
        };
        checks.that(
            "gateway.return_hosts",
            self.return_hosts.iter().all(is_host),
            "must be host names in lower case, such as shop.example or shop.example:8443, or .example for all below it",
        );
    }
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: GatewayListen::Auto,
            public_url: None,
            endpoint: None,
            api_key: None,
            operator_role: None,
            operator_api_key: None,
            endpoint_ca: None,
            tls_certificate: None,
            tls_private_key: None,
            group: "default".to_owned(),
            code_and_message_groups: Vec::new(),
            trusted_proxies: Vec::new(),
            return_hosts: Vec::new(),
            brand_color: None,
            brand_logo: None,
        }
    }
}

impl FromStr for GatewayListen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "" => Ok(Self::Off),
            address => address
                .parse()
                .map(Self::At)
                .map_err(|_| "must be an address such as 0.0.0.0:8080, auto, or empty for none"),
        }
    }
}

impl fmt::Display for GatewayListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => Ok(()),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl Serialize for GatewayListen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GatewayListen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().ok().or_else(|| address.ok())
}
