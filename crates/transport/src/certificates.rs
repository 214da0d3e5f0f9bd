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
use x509_parser::prelude::{FromDer as _, X509Certificate};
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
        show_end(&key.cert);
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
            show_end(&key.cert);
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

/// Shows when the first certificate of a chain expires.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and the seconds of a thousand centuries are below 2^52"
)]
fn show_end(chain: &[CertificateDer<'_>]) {
    let ends = chain.iter().map(|certificate| {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        Some(parsed.validity().not_after.timestamp())
    });
    let end = ends
        .collect::<Option<Vec<_>>>()
        .and_then(|ends| ends.into_iter().min());
    let end = end.map_or(f64::NAN, |end| end as f64);
    metrics::gauge!("countersign_tls_certificate_not_after_timestamp_seconds").set(end);
}

fn read(content: &'static str, path: &Path) -> Result<Vec<u8>, TransportError> {
    fs::read(path).map_err(|source: io::Error| TransportError::Unreadable {
        content,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::TempDir;

    use super::*;

    /// A certificate that expires with a year.
    fn until(year: i32, key: &KeyPair) -> String {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.self_signed(key).unwrap().pem()
    }

    #[test]
    fn the_metric_tells_the_first_expiry_of_the_chain_that_is_served() {
        let (directory, key) = (TempDir::new().unwrap(), KeyPair::generate().unwrap());
        let files = TlsFiles {
            certificate: directory.path().join("tls.crt"),
            private_key: directory.path().join("tls.key"),
        };
        fs::write(&files.private_key, key.serialize_pem()).unwrap();
        let recorder = PrometheusBuilder::new().build_recorder();
        let tells = |expiry: &str| {
            let rendered = recorder.handle().render();
            let name = "countersign_tls_certificate_not_after_timestamp_seconds";
            assert!(
                rendered.contains(&format!("{name} {expiry}\n")),
                "{rendered}"
            );
        };
        metrics::with_local_recorder(&recorder, || {
            let chain = [until(2040, &key), until(2030, &key)].concat();
            fs::write(&files.certificate, chain).unwrap();
            let certificates = Certificates::load(&files).unwrap();
            tells("1893456000");
            fs::write(&files.certificate, until(2041, &key)).unwrap();
            certificates
                .replace(&FileContents::read(&files).unwrap())
                .unwrap();
            tells("2240611200");
            fs::write(&files.certificate, "nothing").unwrap();
            certificates
                .replace(&FileContents::read(&files).unwrap())
                .unwrap_err();
            tells("2240611200");
        });
    }
}
