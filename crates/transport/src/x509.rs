//! What is read of certificates: when they are good, and whose they are.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// What a client certificate says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The subject alternative names that are URIs, as they are, and those that are names of DNS, in lower case.
    pub names: Vec<String>,
}

impl PeerCertificate {
    /// Reads a verified certificate. One that cannot be read has no names.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
            tracing::debug!("a client certificate cannot be read");
            return Self::default();
        };
        let extension = parsed.subject_alternative_name().ok().flatten();
        let names = extension
            .iter()
            .flat_map(|found| &found.value.general_names);
        let names = names.filter_map(|name| match name {
            GeneralName::URI(uri) => Some((*uri).to_owned()),
            GeneralName::DNSName(host) => Some(host.to_ascii_lowercase()),
            _ => None,
        });
        Self {
            names: names.collect(),
        }
    }
}

/// When the first certificate of a chain expires, in seconds since 1970; `None` if one cannot be read.
pub(super) fn end(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let ends = chain.iter().map(|certificate| {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        Some(parsed.validity().not_after.timestamp())
    });
    let ends: Option<Vec<_>> = ends.collect();
    ends?.into_iter().min()
}

/// When a certificate begins to be good, in seconds since 1970; `None` if it cannot be read.
pub(super) fn begin(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.validity().not_before.timestamp())
}
