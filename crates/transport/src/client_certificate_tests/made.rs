//! Certificates as authorities sign them, a server that believes one, and what it reads.

use std::fs;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::{
    ServerHandle, TlsFiles, TransportConfig,
    probe::{Probes, call, serve},
};

pub(super) const SHOP: &str = "spiffe://example.com/Shop";

/// A certificate with its chain, and its key, both in PEM form.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) chain: String,
    pub(super) key: String,
}

/// An authority, or one that another vouches for.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A server that believes one authority, and what a client trusts it by.
pub(super) struct Served {
    pub(super) server: ServerHandle,
    pub(super) files: TlsFiles,
    pub(super) trusted: String,
    _directory: TempDir,
}

pub(super) fn authority(above: Option<&Authority>) -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    let name = above.map_or("root", |_| "intermediate");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        None => params.self_signed(&key),
        Some(above) => params.signed_by(&key, &above.issuer),
    };
    Authority {
        pem: certificate.unwrap().pem(),
        issuer: Issuer::new(params, key),
    }
}

impl Authority {
    pub(super) fn sign(
        &self,
        sans: &[SanType],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Shown {
        let mut params = CertificateParams::new([]).unwrap();
        params.subject_alt_names = sans.to_vec();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Shown {
            chain: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    pub(super) fn shop(&self) -> Shown {
        self.sign(&[uri(SHOP)], |_| {})
    }
}

pub(super) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

pub(super) fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

pub(super) fn start(client_ca: Option<&str>) -> Served {
    let directory = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| directory.path().join(name);
    let files = TlsFiles {
        certificate: path("tls.crt"),
        private_key: path("tls.key"),
        client_ca: client_ca.map(|_| path("client-ca.crt")),
    };
    fs::write(&files.certificate, made.cert.pem()).unwrap();
    fs::write(&files.private_key, made.signing_key.serialize_pem()).unwrap();
    if let Some(pem) = client_ca {
        fs::write(path("client-ca.crt"), pem).unwrap();
    }
    let config = TransportConfig {
        tls: Some(files.clone()),
        ..TransportConfig::default()
    };
    Served {
        server: serve(config, &Probes::new()),
        files,
        trusted: made.cert.pem(),
        _directory: directory,
    }
}

impl Served {
    /// The names that the server reads, or why there is no answer. With TLS 1.3 a client learns of its refusal after
    /// the handshake.
    pub(super) async fn names(&self, shown: Option<&Shown>) -> Result<String, String> {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.trusted))
            .domain_name("localhost");
        if let Some(Shown { chain, key }) = shown {
            tls = tls.identity(Identity::from_pem(chain, key));
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.server.local_addr()));
        let channel = endpoint.unwrap().tls_config(tls).unwrap().connect().await;
        let channel = channel.map_err(|error| error.to_string())?;
        let called = call(&channel, "names").await;
        called.map_err(|status| status.to_string())
    }
}
