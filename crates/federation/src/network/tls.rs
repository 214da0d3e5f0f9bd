//! The certification authorities that providers' certificates are believed by: those of this
//! machine, and perhaps others for one provider.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The authorities of this machine, read once.
pub(crate) struct Roots(RootCertStore);

/// The text has no certificate of an authority.
#[derive(Debug)]
pub(crate) struct NoCertificate;

impl Roots {
    /// Those of this machine.
    pub(crate) fn of_this_machine() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self(roots)
    }

    /// What believes them, and those in the PEM text.
    ///
    /// # Errors
    /// If a text is given that has no certificate.
    pub(crate) fn config(&self, more: Option<&str>) -> Result<Arc<ClientConfig>, NoCertificate> {
        let mut roots = self.0.clone();
        if let Some(pem) = more {
            let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
            let (added, _) = roots.add_parsable_certificates(certificates.filter_map(Result::ok));
            if added == 0 {
                return Err(NoCertificate);
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs has TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
