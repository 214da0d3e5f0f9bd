//! The server's certificate, and the authorities whose client certificates are believed: read from files, checked, and
//! replaced while serving when the files change.

use std::{fmt, fs, io, path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs as provider},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use tokio::{task::spawn_blocking, time::interval};
use zeroize::Zeroizing;

use super::{Protocols, TlsFiles, TransportError, UnfitCertificate, x509};

/// How often the files are looked at. Contents are compared, not times: Kubernetes swaps symbolic links,
/// and copies can keep their times.
const RELOAD_INTERVAL: Duration = if cfg!(test) {
    Duration::from_millis(50)
} else {
    Duration::from_secs(10)
};

const CERTIFICATE: &str = "certificate";
const PRIVATE_KEY: &str = "private key";
const CLIENT_CA: &str = "client CA certificate";

/// How new connections speak TLS.
pub(super) struct Certificates {
    files: TlsFiles,
    protocols: Protocols,
    current: ArcSwap<Loaded>,
}

/// What was made of the files.
struct Loaded {
    config: Arc<ServerConfig>,
    fingerprint: Vec<u8>,
    /// When the first certificate of the chain expires, in seconds since 1970.
    end: Option<i64>,
    /// Why no client believes the certificate.
    unfit: Option<UnfitCertificate>,
}

/// The files as they were at one moment.
struct FileContents {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

/// Reads and checks the files as a start does. Tells why clients would refuse the certificate, which stops no start.
///
/// # Errors
/// Which file is missing, unreadable, not PEM, not usable, or does not match the other.
pub fn check_tls_files(files: &TlsFiles) -> Result<Option<UnfitCertificate>, TransportError> {
    let contents = FileContents::read(files)?;
    Ok(contents.load(files, Protocols::Http2)?.unfit)
}

impl Certificates {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// Which file is missing, unreadable, not PEM, not usable, or does not match the other.
    pub(super) fn load(files: &TlsFiles, protocols: Protocols) -> Result<Self, TransportError> {
        let loaded = FileContents::read(files)?.load(files, protocols)?;
        loaded.show_end();
        show_refusal(false);
        Ok(Self {
            files: files.clone(),
            protocols,
            current: ArcSwap::from_pointee(loaded),
        })
    }

    /// How a connection that begins now speaks TLS.
    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// Looks at the files for ever. Files that cannot be used leave what is in effect in place, and are named
    /// in the log once.
    pub(super) async fn follow_files(self: Arc<Self>) {
        let mut seen = self.current.load().fingerprint.clone();
        let mut reported = None;
        let mut ticks = interval(RELOAD_INTERVAL);
        loop {
            ticks.tick().await;
            let files = self.files.clone();
            let Ok(contents) = spawn_blocking(move || FileContents::read(&files)).await else {
                continue;
            };
            let used = contents.and_then(|contents| {
                let fingerprint = contents.fingerprint();
                if seen != fingerprint {
                    seen = fingerprint;
                    self.replace(&contents)?;
                }
                Ok(())
            });
            let problem = used.err().map(|error| error.to_string());
            if let Some(error) = problem.as_ref().filter(|_| problem != reported) {
                tracing::warn!(
                    error,
                    "the changed TLS files are not used; the previous certificate stays"
                );
            }
            show_refusal(problem.is_some() || seen != self.current.load().fingerprint);
            reported = problem;
        }
    }

    fn replace(&self, contents: &FileContents) -> Result<(), TransportError> {
        let loaded = contents.load(&self.files, self.protocols)?;
        let current = self.current.load();
        // Nobody is helped if the one that is served is no better.
        if let (Some(unfit), None) = (loaded.unfit, current.unfit) {
            let path = self.files.certificate.clone();
            return Err(TransportError::Unfit { path, unfit });
        }
        if loaded.fingerprint != current.fingerprint {
            loaded.show_end();
            self.current.store(Arc::new(loaded));
            let certificate = self.files.certificate.display();
            let client_ca = self.files.client_ca.as_ref().map(|path| path.display());
            let client_ca = client_ca.map(tracing::field::display);
            tracing::info!(%certificate, client_ca, "the TLS certificate was replaced");
        }
        Ok(())
    }
}

impl Loaded {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float, and the seconds of a thousand centuries are below 2^52"
    )]
    fn show_end(&self) {
        let end = self.end.map_or(f64::NAN, |end| end as f64);
        metrics::gauge!("countersign_tls_certificate_not_after_timestamp_seconds").set(end);
    }
}

/// Whether the files as they are now are not used.
fn show_refusal(is_refused: bool) {
    metrics::gauge!("countersign_tls_files_refused").set(if is_refused { 1.0 } else { 0.0 });
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl FileContents {
    fn read(files: &TlsFiles) -> Result<Self, TransportError> {
        let client_ca = files.client_ca.as_ref();
        Ok(Self {
            certificate: read(CERTIFICATE, &files.certificate)?,
            private_key: Zeroizing::new(read(PRIVATE_KEY, &files.private_key)?),
            client_ca: client_ca.map(|path| read(CLIENT_CA, path)).transpose()?,
        })
    }

    fn fingerprint(&self) -> Vec<u8> {
        let client_ca = self.client_ca.as_deref().unwrap_or_default();
        let parts = [&*self.certificate, &*self.private_key, client_ca]
            .map(|part| digest::digest(&digest::SHA256, part));
        parts.iter().flat_map(AsRef::as_ref).copied().collect()
    }

    /// TLS 1.2 and 1.3 for these protocols alone. Who shows a client certificate is verified; who shows none is let in.
    fn load(&self, files: &TlsFiles, protocols: Protocols) -> Result<Loaded, TransportError> {
        let provider = Arc::new(provider::default_provider());
        let key = self.certified_key(files, &provider)?;
        let end = x509::end(&key.cert);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("the provider has cipher suites for TLS 1.2 and 1.3");
        let verifier = self.client_verifier(files, provider)?;
        let verifies_clients = verifier.is_some();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        config.alpn_protocols = protocols.alpn();
        if verifies_clients {
            // A resumed session would bring a certificate along that may have expired since it was verified.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Loaded {
            config: Arc::new(config),
            fingerprint: self.fingerprint(),
            end,
            unfit: UnfitCertificate::of_pem(&self.certificate),
        })
    }

    fn client_verifier(
        &self,
        files: &TlsFiles,
        provider: Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, TransportError> {
        let (Some(pem), Some(path)) = (&self.client_ca, &files.client_ca) else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates(CLIENT_CA, path, pem)? {
            let added = roots.add(authority);
            added.map_err(|error| unusable(CLIENT_CA, path, &error))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build();
        let verifier = verifier.map_err(|error| unusable(CLIENT_CA, path, &error))?;
        Ok(Some(verifier))
    }

    fn certified_key(
        &self,
        files: &TlsFiles,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, TransportError> {
        let chain = certificates(CERTIFICATE, &files.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.private_key).map_err(|_| {
            not_pem(
                PRIVATE_KEY,
                &files.private_key,
                "-----BEGIN PRIVATE KEY----- (not encrypted)",
            )
        })?;
        let signing_key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| unusable(PRIVATE_KEY, &files.private_key, &error))?;

        let certified_key = CertifiedKey::new(chain, signing_key);
        match certified_key.keys_match() {
            Ok(()) => Ok(certified_key),
            Err(rustls::Error::InconsistentKeys(_)) => Err(TransportError::KeyMismatch {
                certificate: files.certificate.clone(),
                private_key: files.private_key.clone(),
            }),
            Err(error) => Err(unusable(CERTIFICATE, &files.certificate, &error)),
        }
    }
}

/// The certificates of a PEM file, at least one.
fn certificates(
    content: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, PemError>>()
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| not_pem(content, path, "-----BEGIN CERTIFICATE-----"))
}

fn not_pem(content: &'static str, path: &Path, expected: &'static str) -> TransportError {
    TransportError::NotPem {
        content,
        path: path.to_owned(),
        expected,
    }
}

fn unusable(content: &'static str, path: &Path, error: &dyn fmt::Display) -> TransportError {
    TransportError::Unusable {
        content,
        path: path.to_owned(),
        reason: reason(&error.to_string()),
    }
}

/// What the library says, or what to do where it says it in names of its own.
fn reason(error: &str) -> String {
    if error.contains("UnsupportedCertVersion") {
        return "it is of version 1 of X.509, without extensions; openssl x509 -req makes version 3 with \
                -copy_extensions copyall or -extfile"
            .to_owned();
    }
    if error.contains("failed to parse private key") {
        return format!("{error}; an RSA key needs at least 2,048 bits");
    }
    error.to_owned()
}

fn read(content: &'static str, path: &Path) -> Result<Vec<u8>, TransportError> {
    fs::read(path).map_err(|source: io::Error| TransportError::Unreadable {
        content,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
