//! Why a call is not answered as it was asked.

use countersign_domain::{Error, Refusal};
use tonic::{Code, Status};

use crate::grpc::Unidentified;

/// Why a call is not answered as it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The domain says no.
    #[error(transparent)]
    Domain(#[from] Error),
    /// Nobody is known to have called.
    #[error(transparent)]
    Unidentified(#[from] Unidentified),
    /// It took longer than it may.
    #[error("the call took too long")]
    Deadline,
    /// The contract has no such RPC.
    #[error("there is no such RPC")]
    UnknownRpc,
    /// The message is compressed, and not with gzip.
    #[error("the encoding of the message is not known")]
    UnknownEncoding,
    /// The message is not one, or too large. What tonic says of it.
    #[error("the message cannot be read: {0}")]
    Unreadable(String),
    /// Unfinished requests hold as many bytes as they may.
    #[error("too many bytes of unfinished requests")]
    TooManyBytes,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Domain(refusal.into())
    }
}

/// What tonic answers by itself, or a body of ours through it, without details.
impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let message = status.message().to_owned();
        match status.code() {
            Code::DeadlineExceeded | Code::Cancelled => Self::Deadline,
            Code::Unimplemented => Self::UnknownRpc,
            Code::ResourceExhausted => Self::TooManyBytes,
            Code::Unavailable => Self::Domain(Error::Unavailable(message)),
            // An unreadable message is INTERNAL to tonic; a fault of ours has
            // details and does not come here.
            Code::Internal | Code::InvalidArgument | Code::OutOfRange => Self::Unreadable(message),
            _ => Self::Domain(Error::Internal(message)),
        }
    }
}
