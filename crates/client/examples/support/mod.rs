//! What the examples share: their arguments, and the steps of signing up and in.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_client::Error::CouldNotTell;
use countersign_client::ErrorReason::CallerNotPermitted;
use countersign_client::{Client, proto};
use proto::identifier::Value;

/// Where an example finds the service.
pub(crate) const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

/// The code of a caller that delivers codes itself, as these examples do by
/// knowing it.
pub(crate) const CODE: &str = "246810";

pub(crate) const PASSWORD: &str = "Seven lanterns over Mapo bridge";

/// `[ENDPOINT] [API_KEY]`
pub(crate) struct Arguments {
    pub(crate) endpoint: String,
    pub(crate) api_key: Option<String>,
}

impl Arguments {
    pub(crate) fn read() -> Self {
        let mut values = std::env::args()
            .skip(1)
            .filter(|argument| !argument.starts_with("--"));
        Self {
            endpoint: values.next().unwrap_or_else(|| DEFAULT_ENDPOINT.into()),
            api_key: values.next(),
        }
    }

    pub(crate) fn client(&self) -> Result<Client, Box<dyn Error>> {
        let mut builder = Client::builder(&self.endpoint);
        if let Some(key) = &self.api_key {
            builder = builder.api_key(key);
        }
        Ok(builder.build()?)
    }

    /// Says what to do if the service is not there, or wants a key.
    pub(crate) async fn check(&self, client: &Client) -> Result<(), Box<dyn Error>> {
        let keys = client
            .auth()
            .list_signing_keys(proto::ListSigningKeysRequest {})
            .await;
        let Err(status) = keys else {
            return Ok(());
        };
        let error = countersign_client::Error::from(status);
        if matches!(&error, CouldNotTell(trouble) if trouble.reason == Some(CallerNotPermitted)) {
            // The key is one of a gateway, which may not ask for keys.
            return Ok(());
        }
        Err(format!(
            "{error}\n\n\
             These examples need a Countersign that answers at {}. Start one in another terminal,\n    \
             cargo run -p countersign-server\n\
             and run this one again. The arguments are [ENDPOINT] [API_KEY]: a server that has\n\
             callers configured wants the key of one with the roles `service` and `gateway`,\n\
             which `countersign caller new` makes.",
            self.endpoint
        )
        .into())
    }
}

/// Runs an example, and prints an error as a person reads it.
pub(crate) fn report(result: Result<(), Box<dyn Error>>) -> std::process::ExitCode {
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// An address that nobody has yet.
#[expect(
    clippy::disallowed_methods,
    reason = "an example has no Clock; the time makes the address new"
)]
pub(crate) fn new_address() -> proto::Identifier {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since_epoch.unwrap_or_default().as_micros();
    proto::Identifier {
        value: Some(Value::Email(format!("mina-{micros}@example.com"))),
    }
}

/// For whom the gateway calls.
pub(crate) fn client_context() -> Option<proto::ClientContext> {
    Some(proto::ClientContext {
        ip_address: "203.0.113.7".into(),
        user_agent: "countersign-example/1".into(),
    })
}

/// Proves that an address is the person's: what CheckCode yields.
pub(crate) async fn prove_address(
    client: &Client,
    address: &proto::Identifier,
) -> Result<String, tonic::Status> {
    let mut verifications = client.verifications();
    let sent = verifications
        .send_code(proto::SendCodeRequest {
            identifier: Some(address.clone()),
            purpose: proto::Purpose::SignUp.into(),
            code: CODE.into(),
            client_context: client_context(),
            ..Default::default()
        })
        .await?
        .into_inner();
    let checked = verifications
        .check_code(proto::CheckCodeRequest {
            verification: Some(proto::check_code_request::Verification::VerificationId(
                sent.verification_id,
            )),
            code: CODE.into(),
        })
        .await?;
    Ok(checked.into_inner().proof)
}

/// Creates a user who has proved the address.
pub(crate) async fn sign_up(
    client: &Client,
    address: &proto::Identifier,
    proof: String,
) -> Result<proto::SignUpResponse, tonic::Status> {
    let request = proto::SignUpRequest {
        identifier: Some(address.clone()),
        password: PASSWORD.into(),
        proof,
        client_context: client_context(),
        ..Default::default()
    };
    Ok(client.auth().sign_up(request).await?.into_inner())
}

/// Signs in with the password.
pub(crate) async fn issue_tokens(
    client: &Client,
    address: &proto::Identifier,
) -> Result<proto::Tokens, tonic::Status> {
    let request = proto::IssueTokensRequest {
        grant: Some(proto::issue_tokens_request::Grant::Password(
            proto::PasswordGrant {
                identifier: Some(address.clone()),
                password: PASSWORD.into(),
            },
        )),
        client_context: client_context(),
        ..Default::default()
    };
    let response = client.auth().issue_tokens(request).await?.into_inner();
    let Some(proto::issue_tokens_response::Outcome::Tokens(tokens)) = response.outcome else {
        return Err(tonic::Status::unknown("the answer has no tokens"));
    };
    Ok(tokens)
}
