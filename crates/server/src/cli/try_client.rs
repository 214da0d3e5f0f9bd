//! The client of `countersign try`: a connection to the server, and a person made
//! up for it.

use countersign_domain::ports::Random;
use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::identifier::Value;
use countersign_proto::v1::{ClientContext, Identifier};
use tonic::Request;
use tonic::transport::Channel;

use super::arguments::Try;
use super::failure::Failure;
use super::server_client::ServerClient;
use crate::system::SystemRandom;

/// A connection to the server, and a person made up for it.
pub(super) struct TryClient {
    pub(super) channel: Channel,
    server: ServerClient,
    pub(super) address: String,
    pub(super) password: String,
    pub(super) code: String,
}

impl TryClient {
    pub(super) async fn connect(arguments: &Try) -> Result<Self, Failure> {
        let server = ServerClient::connect(&arguments.server).await?;
        Ok(Self {
            channel: server.channel.clone(),
            server,
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
        self.server.request(message)
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
