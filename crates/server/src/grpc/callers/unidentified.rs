//! Why nobody is known to make a call. The peer is told that the caller is not
//! known, whatever the cause; the log is told the cause.

use countersign_domain::model::{KeyId, Timestamp};

use crate::rfc3339::rfc3339;

/// The call is nobody's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unidentified {
    /// It carries no API key, two of them, or one that nobody has, and no
    /// certificate.
    #[error("the caller is not known")]
    Unknown,
    /// Its key was good once.
    #[error("the key {key} of the caller has expired, at {}", rfc3339(*.since))]
    KeyExpired {
        caller: String,
        key: KeyId,
        since: Timestamp,
    },
    /// Its certificate is good, and nobody's.
    #[error("the client certificate belongs to no caller: {0}")]
    CertificateUnknown(String),
    /// The names in its certificate are those of two callers.
    #[error("the client certificate belongs to two callers: {0}")]
    CertificateOfTwo(String),
    /// It shows a certificate and a key, and they do not belong together.
    #[error("the client certificate is that of {certificate}, the key that of {key}")]
    Contradiction { certificate: String, key: String },
}

impl Unidentified {
    /// Who seems to have called.
    pub(crate) fn caller(&self) -> Option<&str> {
        match self {
            Self::KeyExpired { caller, .. } => Some(caller),
            Self::Unknown
            | Self::CertificateUnknown(_)
            | Self::CertificateOfTwo(_)
            | Self::Contradiction { .. } => None,
        }
    }
}
