//! Certificates of a server and of its clients, and the authorities that sign
//! them.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// An authority that signs client certificates.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A client certificate and its key, in PEM form.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub private_key: String,
}

/// The files of a server that speaks TLS, for `localhost`, and believes one
/// authority.
#[derive(Debug)]
pub struct TlsServer {
    /// The settings that name the files.
    pub settings: [(&'static str, String); 3],
    /// By what its clients believe it, in PEM form.
    pub trusted: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// Never: there is enough randomness.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    /// Its own certificate, in PEM form.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A client certificate with these names: URIs, or names of DNS.
    ///
    /// # Panics
    /// If a name is not ASCII.
    #[must_use]
    pub fn sign(&self, names: &[&str]) -> ClientCertificate {
        let mut params = CertificateParams::new([]).expect("no names");
        let name = |name: &&str| {
            let text = (*name).try_into().expect("ASCII");
            if name.contains(':') {
                SanType::URI(text)
            } else {
                SanType::DnsName(text)
            }
        };
        params.subject_alt_names = names.iter().map(name).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        ClientCertificate {
            certificate: signed.pem(),
            private_key: key.serialize_pem(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl TlsServer {
    /// Writes the files, with the certificate of the authority in PEM form.
    ///
    /// # Panics
    /// If they cannot be written.
    #[must_use]
    pub fn in_directory(directory: &Path, client_ca: &str) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let own = own.expect("a certificate");
        let write = |name: &str, pem: &str| {
            let path: PathBuf = directory.join(name);
            fs::write(&path, pem).expect("written");
            path.display().to_string()
        };
        let key = own.signing_key.serialize_pem();
        Self {
            settings: [
                ("server.tls_certificate", write("tls.crt", &own.cert.pem())),
                ("server.tls_private_key", write("tls.key", &key)),
                ("server.tls_client_ca", write("clients.crt", client_ca)),
            ],
            trusted: own.cert.pem(),
        }
    }
}
