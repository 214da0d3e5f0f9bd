//! How a client is configured; nothing is connected before the first call.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, Uri};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::client::Client;
use crate::pool::Pool;
use crate::transport::{Timeouts, Transport};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Configures a [`Client`]; made by [`Client::builder`].
#[must_use = "call `build`"]
pub struct ClientBuilder {
    endpoint: String,
    api_key: Option<String>,
    ca_certificate: Option<Vec<u8>>,
    client_certificate: Option<Identity>,
    connections: u16,
    connection_age: Duration,
    timeouts: Timeouts,
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The endpoint is not an address that can be called.
    #[error("the endpoint {0:?} is not of the form http://host:port or https://host:port")]
    Endpoint(String),
    /// The API key has characters that a header cannot carry.
    #[error("the API key is empty or has characters that no key has")]
    ApiKey,
    /// A CA certificate was given for an endpoint without TLS.
    #[error("a CA certificate needs an https:// endpoint")]
    CaWithoutTls,
    /// A client certificate was given for an endpoint without TLS.
    #[error("a client certificate needs an https:// endpoint")]
    ClientCertificateWithoutTls,
    /// There is no certificate in what was given as one.
    #[error("the CA certificate is not in PEM form")]
    CaCertificate,
    /// TLS cannot be set up, for instance because the system has no roots, or
    /// because a client certificate or its key is not in PEM form.
    #[error("TLS cannot be set up")]
    Tls(#[source] tonic::transport::Error),
}

impl Client {
    /// Configures a client for an endpoint, `http://host:port` or
    /// `https://host:port`.
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// The same connections for another caller, who must be known by this key: a server that lets everybody on its
    /// machine in, since it has no callers yet, refuses it.
    ///
    /// # Errors
    /// [`BuildError::ApiKey`] if no header can carry the key.
    pub fn with_api_key(&self, key: &str) -> Result<Self, BuildError> {
        let authorization = bearer(key)?;
        Ok(Self::new(
            self.transport().with_authorization(authorization),
        ))
    }
}

impl ClientBuilder {
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            api_key: None,
            ca_certificate: None,
            client_certificate: None,
            connections: 4,
            connection_age: Duration::from_secs(300),
            timeouts: Timeouts {
                validation: Duration::from_secs(2),
                others: Duration::from_secs(10),
            },
        }
    }

    /// The key of this caller, `csk_…`, sent with every call. Without one only
    /// a server that has no callers configured, on loopback, answers.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Trusts the certificates in this PEM text, and no others, to vouch for
    /// the server. The system's roots are trusted by default.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// Proves who calls by a client certificate, instead of an API key: PEM text
    /// with the certificate and the intermediate ones, its own first, and PEM
    /// text with its unencrypted private key. The server must believe its
    /// authority (`server.tls_client_ca`) and know a caller with a name that
    /// stands in it.
    ///
    /// A certificate that is renewed needs a new client.
    pub fn client_certificate(
        mut self,
        certificate: impl AsRef<[u8]>,
        private_key: impl AsRef<[u8]>,
    ) -> Self {
        self.client_certificate = Some(Identity::from_pem(certificate, private_key));
        self
    }

    /// How many connections to use in turn, 4 by default. One connection is
    /// served by one core.
    pub fn connections(mut self, connections: u16) -> Self {
        self.connections = connections;
        self
    }

    /// How long a connection is used before another replaces it in the
    /// background, 5 minutes by default: so the load reaches new replicas.
    pub fn connection_age(mut self, age: Duration) -> Self {
        self.connection_age = age;
        self
    }

    /// How long ValidateToken and ValidateTokens may take, repetitions
    /// included; 2 seconds by default.
    pub fn validation_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.validation = timeout;
        self
    }

    /// How long any other call may take, repetitions included; 10 seconds by
    /// default. `Request::set_timeout` sets another for one call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.others = timeout;
        self
    }

    /// Makes the client. It connects when it is first used.
    ///
    /// # Errors
    /// [`BuildError`] if the configuration cannot work.
    pub fn build(self) -> Result<Client, BuildError> {
        let authorization = self.api_key.as_deref().map(bearer).transpose()?;
        let endpoint = endpoint(&self.endpoint, self.ca_certificate, self.client_certificate)?;
        let is_plain = endpoint.uri().scheme_str() == Some("http");
        if authorization.is_some() && is_plain && !is_loopback(endpoint.uri()) {
            tracing::warn!(
                endpoint = %endpoint.uri(),
                "the API key and all tokens travel unencrypted; use https:// unless the network encrypts"
            );
        }
        let pool = Pool::new(endpoint, self.connections, self.connection_age);
        Ok(Client::new(Transport::new(
            pool,
            authorization,
            self.timeouts,
        )))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("api_key", &self.api_key.as_ref().map(|_| "…"))
            .field("connections", &self.connections)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

fn bearer(key: &str) -> Result<HeaderValue, BuildError> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BuildError::ApiKey);
    }
    let mut value =
        HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| BuildError::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

fn endpoint(
    address: &str,
    ca_certificate: Option<Vec<u8>>,
    client_certificate: Option<Identity>,
) -> Result<Endpoint, BuildError> {
    let invalid = || BuildError::Endpoint(address.to_owned());
    let uri: Uri = address.parse().map_err(|_| invalid())?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(invalid());
    }
    let scheme = uri.scheme_str().map(str::to_owned);
    let endpoint = Endpoint::from(uri)
        .user_agent(concat!("countersign-client/", env!("CARGO_PKG_VERSION")))
        .expect("letters, digits and dots are a header value")
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    match (scheme.as_deref(), ca_certificate, client_certificate) {
        (Some("http"), None, None) => Ok(endpoint),
        (Some("http"), Some(_), _) => Err(BuildError::CaWithoutTls),
        (Some("http"), None, Some(_)) => Err(BuildError::ClientCertificateWithoutTls),
        (Some("https"), ca_certificate, identity) => {
            let tls = tls(ca_certificate)?;
            let tls = match identity {
                Some(identity) => tls.identity(identity),
                None => tls,
            };
            endpoint.tls_config(tls).map_err(BuildError::Tls)
        }
        _ => Err(invalid()),
    }
}

fn tls(ca_certificate: Option<Vec<u8>>) -> Result<ClientTlsConfig, BuildError> {
    let tls = ClientTlsConfig::new().timeout(CONNECT_TIMEOUT);
    let Some(pem) = ca_certificate else {
        return Ok(tls.with_native_roots());
    };
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
        return Err(BuildError::CaCertificate);
    }
    Ok(tls.ca_certificate(Certificate::from_pem(pem)))
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback_address = address
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    host == "localhost" || is_loopback_address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_without_a_scheme_is_refused_by_name() {
        for address in [
            "127.0.0.1:50051",
            "auth",
            "ftp://auth:1",
            "http://",
            "",
            "unix:/x",
        ] {
            let error = Client::builder(address).build().unwrap_err();
            assert!(
                matches!(error, BuildError::Endpoint(_)),
                "{address}: {error}"
            );
        }
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused_without_showing_it() {
        for key in ["", "csk_secret\n", "csk_secret x", "csk_비밀"] {
            let error = Client::builder("http://[::1]:1")
                .api_key(key)
                .build()
                .unwrap_err();
            assert!(matches!(error, BuildError::ApiKey));
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }

    #[test]
    fn the_api_key_is_in_no_debug() {
        let builder = Client::builder("http://127.0.0.1:1").api_key("csk_canary");
        assert!(!format!("{builder:#?}").contains("canary"));
        let client = builder.build().unwrap();
        assert!(!format!("{client:#?}").contains("canary"));
        assert!(!format!("{:#?}", client.auth()).contains("canary"));
    }

    #[test]
    fn a_ca_certificate_must_be_one_and_needs_tls() {
        let with_ca = |endpoint: &str| {
            Client::builder(endpoint)
                .ca_certificate("no certificate")
                .build()
                .unwrap_err()
        };
        assert!(matches!(
            with_ca("https://localhost:1"),
            BuildError::CaCertificate
        ));
        assert!(matches!(
            with_ca("http://localhost:1"),
            BuildError::CaWithoutTls
        ));
    }

    #[test]
    fn a_client_certificate_must_be_one_and_needs_tls() {
        let with_certificate = |endpoint: &str| {
            Client::builder(endpoint)
                .client_certificate("no certificate", "no key")
                .build()
                .unwrap_err()
        };
        assert!(matches!(
            with_certificate("https://localhost:1"),
            BuildError::Tls(_)
        ));
        assert!(matches!(
            with_certificate("http://localhost:1"),
            BuildError::ClientCertificateWithoutTls
        ));
    }
}
