//! Whether a client is set up as the service expects: each thing that may be
//! wrong with endpoint, key and role is told from the others.

use std::error::Error as _;
use std::io;

use countersign_proto::v1::validate_token_response::Verdict;
use countersign_proto::v1::{ErrorReason, ValidateTokenRequest};
use tonic::{Code, Status};

use crate::client::Client;
use crate::error::CouldNotTell;
use crate::transport::causes;

/// What keeps a client from validating tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// Nothing answers at the endpoint: there is no connection, or it is closed
    /// without a word, as by a proxy with no server behind it, or by a server
    /// that wants TLS where `http://` is asked for.
    #[error("no server answers at the endpoint: {0}")]
    NoServer(CouldNotTell),
    /// Something answers, but not as Countersign does: another service, one
    /// without TLS where `https://` is asked for, or one whose certificate is
    /// not trusted.
    #[error("what answers at the endpoint is not Countersign: {0}")]
    NotCountersign(CouldNotTell),
    /// The server has callers, and this API key or client certificate is none of
    /// theirs, or absent.
    #[error("the API key or the client certificate is missing or wrong: {0}")]
    WrongApiKey(CouldNotTell),
    /// The key is good, but its caller has no role that may validate tokens.
    #[error("the caller's role may not validate tokens: {0}")]
    NotPermitted(CouldNotTell),
    /// Countersign answers, but is in trouble.
    #[error("Countersign cannot validate tokens now: {0}")]
    Unavailable(CouldNotTell),
}

impl Client {
    /// Asks whether this client can validate tokens, for the start of a service
    /// and its readiness: ValidateToken itself says "could not tell" to all
    /// that may be wrong.
    ///
    /// [`CheckError::NoServer`] and [`CheckError::Unavailable`] pass with time;
    /// for the others somebody has to change something.
    ///
    /// # Errors
    /// [`CheckError`] if it cannot.
    pub async fn check(&self) -> Result<(), CheckError> {
        let request = ValidateTokenRequest {
            access_token: "check".to_owned(),
            ..Default::default()
        };
        let response = self.auth().validate_token(request).await;
        match response.map_err(trouble)?.into_inner().verdict {
            Some(Verdict::Rejected(_)) => Ok(()),
            Some(Verdict::Valid(_)) | None => Err(CheckError::NotCountersign(CouldNotTell::new(
                "it did not reject what is no token",
            ))),
        }
    }
}

fn trouble(status: Status) -> CheckError {
    let is_understood = !is_another_protocol(&status);
    let trouble = CouldNotTell::from(status);
    match (trouble.reason, trouble.code) {
        (Some(ErrorReason::CallerUnknown), _) => CheckError::WrongApiKey(trouble),
        (Some(ErrorReason::CallerNotPermitted), _) => CheckError::NotPermitted(trouble),
        (Some(_), _) => CheckError::Unavailable(trouble),
        (None, Code::Unavailable | Code::DeadlineExceeded) if is_understood => {
            CheckError::NoServer(trouble)
        }
        (None, _) => CheckError::NotCountersign(trouble),
    }
}

/// Whether a connection came about, and failed because the other side speaks
/// something else than HTTP/2, or TLS that is not trusted.
fn is_another_protocol(status: &Status) -> bool {
    if status.source().is_none() {
        return false;
    }
    let kinds: Vec<_> = causes(status)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .collect();
    kinds.is_empty() || kinds.contains(&io::ErrorKind::InvalidData)
}
