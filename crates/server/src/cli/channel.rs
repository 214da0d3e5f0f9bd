//! Connections of the commands that call a server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// How a server proves that it is the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    /// Which certificates are believed.
    pub(super) trust: Trust,
    /// The name in the certificate, if it is not that of the address.
    pub(super) server_name: Option<String>,
    /// What this end shows, if the server asks for it.
    pub(super) identity: Option<IdentityFiles>,
}

/// The PEM files of a client certificate and of its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdentityFiles {
    pub(super) certificate: PathBuf,
    pub(super) private_key: PathBuf,
}

/// Which certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those of the authorities that this machine knows.
    Machine,
    /// Those of the authority in a PEM file.
    File(PathBuf),
    /// All.
    Anything,
}

/// The address cannot be called as it is given.
#[derive(Debug, thiserror::Error)]
pub(super) enum EndpointError {
    #[error("{0:?} is no address; it must be a host and a port such as localhost:50051")]
    Address(String),
    #[error("cannot read the file {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot speak TLS with {address}: {source}")]
    Tls {
        address: String,
        source: tonic::transport::Error,
    },
}

/// The server at `host:port`; without a host this machine.
pub(super) fn endpoint(address: &str, tls: Option<&Tls>) -> Result<Endpoint, EndpointError> {
    let host = if address.starts_with(':') {
        "localhost"
    } else {
        ""
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{host}{address}"))
        .ok()
        .filter(|endpoint| endpoint.uri().port().is_some() && endpoint.uri().path() == "/")
        .ok_or_else(|| EndpointError::Address(address.into()))?;
    let Some(tls) = tls else {
        return Ok(endpoint);
    };
    let mut config = ClientTlsConfig::new();
    if let Some(name) = &tls.server_name {
        config = config.domain_name(name);
    }
    if let Some(files) = &tls.identity {
        let (certificate, key) = (read(&files.certificate)?, read(&files.private_key)?);
        config = config.identity(Identity::from_pem(certificate, key));
    }
    let endpoint = match &tls.trust {
        Trust::Machine => endpoint.tls_config(config.with_native_roots()),
        Trust::File(path) => {
            let pem = read(path)?;
            endpoint.tls_config(config.ca_certificate(Certificate::from_pem(pem)))
        }
        Trust::Anything => endpoint.tls_config_with_verifier(config, Arc::new(Believing::new())),
    };
    endpoint.map_err(|source| EndpointError::Tls {
        address: address.into(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, EndpointError> {
    fs::read(path).map_err(|source| EndpointError::File {
        path: path.to_owned(),
        source,
    })
}

/// Believes any certificate, of which the server must have the key all the same.
#[derive(Debug)]
struct Believing {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Believing {
    fn new() -> Self {
        let provider: CryptoProvider = aws_lc_rs::default_provider();
        Self {
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_an_address() {
        for (address, uri) in [
            ("localhost:50051", "http://localhost:50051/"),
            (":50051", "http://localhost:50051/"),
            ("[::1]:1", "http://[::1]:1/"),
        ] {
            let endpoint = endpoint(address, None).expect(address);
            assert_eq!(endpoint.uri().to_string(), uri);
        }
        for address in [
            "",
            "localhost",
            "a b:1",
            "http://localhost:1",
            "localhost:1/x",
        ] {
            assert!(endpoint(address, None).is_err(), "{address}");
        }
    }
}
