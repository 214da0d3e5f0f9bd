//! A connection to a server, and what its refusals say.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tonic::metadata::AsciiMetadataValue;
use tonic::metadata::errors::InvalidMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use super::channel;
use super::failure::Failure;
use super::server_arguments::ServerArguments;

const CONNECTING: Duration = Duration::from_secs(5);
const CALLING: Duration = Duration::from_secs(30);

/// A connection to a server.
pub(super) struct ServerClient {
    pub(super) channel: Channel,
    authorization: Option<AsciiMetadataValue>,
}

impl ServerClient {
    pub(super) async fn connect(arguments: &ServerArguments) -> Result<Self, Failure> {
        let authorization = arguments.api_key.as_ref().map(|key| {
            let mut value =
                AsciiMetadataValue::try_from(format!("Bearer {}", key.expose_secret()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let authorization = authorization.transpose().map_err(|_: InvalidMetadataValue| {
            "the API key must be printable ASCII, as countersign caller new prints it"
        })?;
        let endpoint = channel::endpoint(&arguments.addr, arguments.tls().as_ref())?;
        let channel = tokio::time::timeout(CONNECTING, endpoint.connect())
            .await
            .map_err(|_| Failure::from(format!("no answer within {CONNECTING:?}")))
            .and_then(|connected| connected.map_err(Failure::from))
            .map_err(|failure| {
                let advice = if failure.is_of_certificate() {
                    ""
                } else {
                    "; is the server running? It is started with: countersign serve"
                };
                let address = &arguments.addr;
                Failure::unavailable(format!("cannot connect to {address}: {failure}{advice}"))
            })?;
        Ok(Self {
            channel,
            authorization,
        })
    }

    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(CALLING);
        if let Some(authorization) = &self.authorization {
            request
                .metadata_mut()
                .insert("authorization", authorization.clone());
        }
        request
    }
}

/// What the server answers, or what its refusal says.
pub(super) fn answered<T>(answer: Result<Response<T>, Status>) -> Result<T, Failure> {
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => Err(refused(&status)),
    }
}

/// What a refusal says, with its reason, and what to do about a key.
pub(super) fn refused(status: &Status) -> Failure {
    let info = status.get_details_error_info();
    let reason = info.map_or_else(|| format!("{:?}", status.code()), |info| info.reason);
    let advice = match reason.as_str() {
        "CALLER_UNKNOWN" | "CALLER_NOT_PERMITTED" => {
            " Give the key of an operator by --api-key or COUNTERSIGN_API_KEY: countersign caller \
             new --name desk --role operator"
        }
        _ => "",
    };
    let text = format!("{} ({reason}){advice}", status.message());
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => Failure::unavailable(text),
        _ => Failure::from(text),
    }
}
