//! The client of `countersign try`: a connection to the server, and a person made
//! up for it.

use std::time::Duration;

use countersign_domain::ports::Random;
use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::identifier::Value;
use countersign_proto::v1::{ClientContext, Identifier};
use secrecy::ExposeSecret as _;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;

use super::arguments::Try;
use super::channel::{self, Tls, Trust};
use super::failure::Failure;
use crate::system::SystemRandom;

const CONNECTING: Duration = Duration::from_secs(5);
const CALLING: Duration = Duration::from_secs(30);

/// A connection to the server, and a person made up for it.
pub(super) struct TryClient {
    pub(super) channel: Channel,
    authorization: Option<AsciiMetadataValue>,
    pub(super) address: String,
    pub(super) password: String,
    pub(super) code: String,
}

impl TryClient {
    pub(super) async fn connect(arguments: &Try) -> Result<Self, Failure> {
        let authorization = arguments.api_key.as_ref().map(|key| {
            let mut value =
                AsciiMetadataValue::try_from(format!("Bearer {}", key.expose_secret()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let authorization = authorization
            .transpose()
            .map_err(|_: tonic::metadata::errors::InvalidMetadataValue| {
                "the API key must be printable ASCII, as countersign caller new prints it"
            })?;
        let speaks_tls =
            arguments.tls || arguments.tls_ca.is_some() || arguments.tls_server_name.is_some();
        let tls = speaks_tls.then(|| Tls {
            trust: arguments.tls_ca.clone().map_or(Trust::Machine, Trust::File),
            server_name: arguments.tls_server_name.clone(),
            identity: None,
        });
        let endpoint = channel::endpoint(&arguments.addr, tls.as_ref())?;
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
            address: format!("try-{}@example.com", random_hex(8)),
            password: random_hex(16),
            code: random_hex(4),
        })
    }

    pub(super) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    pub(super) fn identifier(&self) -> Identifier {
        Identifier {
            value: Some(Value::Email(self.address.clone())),
        }
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

/// What the list of sessions shows.
#[expect(clippy::unnecessary_wraps, reason = "it is how requests carry it")]
pub(super) fn client_context() -> Option<ClientContext> {
    Some(ClientContext {
        user_agent: "countersign try".into(),
        ..Default::default()
    })
}

fn random_hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}
