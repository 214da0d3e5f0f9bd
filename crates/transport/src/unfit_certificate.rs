//! Certificates that a server can show and no client believes: what is wrong with them, and how to make a good one.

use std::{error::Error, fmt, io, time::Duration};

use rustls::{
    CertificateError, RootCertStore,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};

use super::x509;

/// Why clients refuse a certificate, whoever signed it: `openssl req -x509` makes such ones unless it is told
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnfitCertificate {
    /// It is that of a certification authority.
    is_authority: bool,
    /// It has no subjectAltName.
    names_nobody: bool,
}

impl UnfitCertificate {
    /// Looks at the first certificate of a PEM file, as a client does while it is good; `None` if it is fit, or
    /// no certificate at all.
    #[must_use]
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        let begin = x509::begin(&certificate)?.try_into().unwrap_or_default();
        let begin = UnixTime::since_unix_epoch(Duration::from_secs(begin));
        let certificate = ParsedCertificate::try_from(&certificate).ok()?;
        // Nobody is trusted, and there is no such name: the other faults are found before these.
        let name = ServerName::try_from("countersign.invalid").ok()?;
        let signed = verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &RootCertStore::empty(),
            &[],
            begin,
            provider::default_provider()
                .signature_verification_algorithms
                .all,
        );
        let named = verify_server_name(&certificate, &name);
        let found =
            [signed, named].map(|judged| judged.err().and_then(|error| Self::of_error(&error)));
        found.into_iter().flatten().reduce(|one, other| Self {
            is_authority: one.is_authority || other.is_authority,
            names_nobody: one.names_nobody || other.names_nobody,
        })
    }

    /// What a client found that could not connect; `None` if it was something else.
    #[must_use]
    pub fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            // An I/O error does not tell what it was made of as its source.
            let made_of = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            let tls = match made_of {
                Some(inner) => inner.downcast_ref(),
                None => error.downcast_ref(),
            };
            if let Some(found) = tls.and_then(Self::of_error) {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }

    fn of_error(error: &rustls::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(error) = error else {
            return None;
        };
        let is_authority = match error {
            // The verifier's own error, which rustls passes on without a name for it.
            CertificateError::Other(other) => other.to_string().contains("CaUsedAsEndEntity"),
            _ => false,
        };
        let names_nobody = match error {
            CertificateError::NotValidForNameContext { presented, .. } => presented.is_empty(),
            _ => false,
        };
        (is_authority || names_nobody).then_some(Self {
            is_authority,
            names_nobody,
        })
    }
}

impl fmt::Display for UnfitCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_authority, self.names_nobody) {
            (true, true) => {
                "the server's certificate is that of a certification authority and has no subjectAltName"
            }
            (true, false) => "the server's certificate is that of a certification authority",
            (false, _) => "the server's certificate has no subjectAltName",
        })?;
        f.write_str(
            ", so clients refuse it; openssl req -x509 makes a good one with -addext \
             subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE (and the server's own \
             name for localhost)",
        )
    }
}
