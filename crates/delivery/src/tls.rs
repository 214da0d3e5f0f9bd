//! The certification authorities that providers' certificates are believed by:
//! those of this machine, and perhaps one more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The authorities that are believed.
#[derive(Clone)]
pub struct Authorities {
    /// PEM file with one more, as it was read.
    pub(crate) additional: Option<Vec<u8>>,
    pub(crate) config: Arc<ClientConfig>,
}

/// Why there are no authorities to believe.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// There is no certificate in the file.
    #[error("{0} has no PEM certificate of an authority")]
    NoCertificate(PathBuf),
}

impl Authorities {
    /// Those of this machine, and the one in the PEM file.
    ///
    /// # Errors
    /// If the file cannot be read or has no certificate.
    pub fn load(additional: Option<&Path>) -> Result<Self, AuthoritiesError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let pem = additional.map(|path| -> Result<_, AuthoritiesError> {
            let pem = std::fs::read(path)
                .map_err(|error| AuthoritiesError::Unreadable(path.into(), error))?;
            let certificates = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
            let (added, _) = roots.add_parsable_certificates(certificates);
            if added == 0 {
                return Err(AuthoritiesError::NoCertificate(path.into()));
            }
            Ok(pem)
        });
        let additional = pem.transpose()?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs has TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            additional,
            config: Arc::new(config),
        })
    }

    /// Whether there is one beside those of this machine.
    #[must_use]
    pub fn has_additional(&self) -> bool {
        self.additional.is_some()
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorities")
            .field("has_additional", &self.additional.is_some())
            .finish_non_exhaustive()
    }
}
