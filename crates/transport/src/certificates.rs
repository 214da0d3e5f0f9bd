//! The server's certificate: read from files, checked against its key, and replaced while serving when the files change.

use std::{fmt, fs, io, path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs as provider},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio::{task::spawn_blocking, time::interval};
use zeroize::Zeroizing;

use super::{TlsFiles, TransportError};

/// How often the files are looked at. Contents are compared, not times: Kubernetes swaps symbolic links,
/// and copies can keep their times.
const RELOAD_INTERVAL: Duration = if cfg!(test) {
    Duration::from_millis(50)
} else {
    Duration::from_secs(10)
};

const CERTIFICATE: &str = "certificate";
const PRIVATE_KEY: &str = "private key";

/// The certificate that new connections are shown.
pub(super) struct Certificates {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

/// The two files as they were at one moment.
struct FileContents {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
}

impl Certificates {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// Which file is missing, unreadable, not PEM, not usable, or does not match the other.
    pub(super) fn load(files: &TlsFiles) -> Result<Self, TransportError> {
        let provider = Arc::new(provider::default_provider());
        let key = FileContents::read(files)?.certified_key(files, &provider)?;
        Ok(Self {
            files: files.clone(),
            provider,
            current: ArcSwap::from_pointee(key),
        })
    }

    /// TLS 1.2 and 1.3 with this certificate, for HTTP/2 alone.
    pub(super) fn server_config(self: &Arc<Self>) -> ServerConfig {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("the provider has cipher suites for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    /// Looks at the files for ever. A pair that cannot be used leaves the current one in place, and is named
    /// in the log once.
    pub(super) async fn follow_files(self: Arc<Self>) {
        let mut seen = None;
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
                if seen.as_ref() != Some(&fingerprint) {
                    seen = Some(fingerprint);
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
            reported = problem;
        }
    }

    fn replace(&self, contents: &FileContents) -> Result<(), TransportError> {
        let key = contents.certified_key(&self.files, &self.provider)?;
        if key.cert != self.current.load().cert {
            self.current.store(Arc::new(key));
            let certificate = self.files.certificate.display();
            tracing::info!(%certificate, "the TLS certificate was replaced");
        }
        Ok(())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
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
        Ok(Self {
            certificate: read(CERTIFICATE, &files.certificate)?,
            private_key: Zeroizing::new(read(PRIVATE_KEY, &files.private_key)?),
        })
    }

    fn fingerprint(&self) -> Vec<u8> {
        let parts = [&*self.certificate, &*self.private_key]
            .map(|part| digest::digest(&digest::SHA256, part));
        parts.iter().flat_map(AsRef::as_ref).copied().collect()
    }

    fn certified_key(
        &self,
        files: &TlsFiles,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, TransportError> {
        let not_pem = |content, path: &Path, expected| TransportError::NotPem {
            content,
            path: path.to_owned(),
            expected,
        };
        let unusable = |content, path: &Path, error: rustls::Error| TransportError::Unusable {
            content,
            path: path.to_owned(),
            reason: error.to_string(),
        };

        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, PemError>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| {
                not_pem(
                    CERTIFICATE,
                    &files.certificate,
                    "-----BEGIN CERTIFICATE-----",
                )
            })?;
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
            .map_err(|error| unusable(PRIVATE_KEY, &files.private_key, error))?;

        let certified_key = CertifiedKey::new(chain, signing_key);
        match certified_key.keys_match() {
            Ok(()) => Ok(certified_key),
            Err(rustls::Error::InconsistentKeys(_)) => Err(TransportError::KeyMismatch {
                certificate: files.certificate.clone(),
                private_key: files.private_key.clone(),
            }),
            Err(error) => Err(unusable(CERTIFICATE, &files.certificate, error)),
        }
    }
}

fn read(content: &'static str, path: &Path) -> Result<Vec<u8>, TransportError> {
    fs::read(path).map_err(|source: io::Error| TransportError::Unreadable {
        content,
        path: path.to_owned(),
        source,
    })
}
