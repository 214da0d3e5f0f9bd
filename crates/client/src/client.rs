//! The client: generated stubs over one transport, and typed calls where the
//! difference between "no" and "no answer" decides what the caller does.

use countersign_proto::v1;
use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::factor_service_client::FactorServiceClient;
use countersign_proto::v1::federation_service_client::FederationServiceClient;
use countersign_proto::v1::group_service_client::GroupServiceClient;
use countersign_proto::v1::service_account_service_client::ServiceAccountServiceClient;
use countersign_proto::v1::session_service_client::SessionServiceClient;
use countersign_proto::v1::user_service_client::UserServiceClient;
use countersign_proto::v1::verification_service_client::VerificationServiceClient;
use tonic::async_trait;

use crate::claims::Identity;
use crate::error::{CouldNotTell, Error, ValidateError};
use crate::transport::Transport;
use crate::verify::{Requirement, VerifyToken};

/// A connection to Countersign. Cheap to clone: make one and share it.
///
/// Its connections belong to the tokio runtime that opens them; where that
/// runtime ends, the next call opens new ones.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// The way to the service, for stubs that were generated elsewhere.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// AuthService: signing up and in, refreshing, validating, revoking.
    #[must_use]
    pub fn auth(&self) -> AuthServiceClient<Transport> {
        AuthServiceClient::new(self.transport.clone())
    }

    /// FactorService: a person's second factors.
    #[must_use]
    pub fn factors(&self) -> FactorServiceClient<Transport> {
        FactorServiceClient::new(self.transport.clone())
    }

    /// FederationService: a person's accounts at providers of sign-ins.
    #[must_use]
    pub fn federation(&self) -> FederationServiceClient<Transport> {
        FederationServiceClient::new(self.transport.clone())
    }

    /// GroupService: the groups of people, for operators.
    #[must_use]
    pub fn groups(&self) -> GroupServiceClient<Transport> {
        GroupServiceClient::new(self.transport.clone())
    }

    /// ServiceAccountService: programs that get tokens in their own name, for operators.
    #[must_use]
    pub fn service_accounts(&self) -> ServiceAccountServiceClient<Transport> {
        ServiceAccountServiceClient::new(self.transport.clone())
    }

    /// SessionService: a person's sign-ins.
    #[must_use]
    pub fn sessions(&self) -> SessionServiceClient<Transport> {
        SessionServiceClient::new(self.transport.clone())
    }

    /// UserService: a person's addresses.
    #[must_use]
    pub fn users(&self) -> UserServiceClient<Transport> {
        UserServiceClient::new(self.transport.clone())
    }

    /// VerificationService: proving that an address is a person's.
    #[must_use]
    pub fn verifications(&self) -> VerificationServiceClient<Transport> {
        VerificationServiceClient::new(self.transport.clone())
    }

    /// Asks whether an access token is good now. [`Verifier`](crate::Verifier)
    /// does the same and remembers the answer for some seconds.
    ///
    /// # Errors
    /// [`ValidateError::Rejected`] if it is not,
    /// [`ValidateError::InsufficientAuthentication`] if its person has to show more,
    /// and [`ValidateError::CouldNotTell`] if there is no answer.
    pub async fn validate_token(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        let request = requirement.request(access_token);
        match self.auth().validate_token(request).await {
            Ok(response) => requirement.judge(response.into_inner()),
            Err(status) => Err(ValidateError::CouldNotTell(status.into())),
        }
    }

    /// Exchanges a refresh token for new tokens of the same session.
    ///
    /// # Errors
    /// After [`Error::Refused`] the session is over: the person signs in
    /// again. After [`Error::CouldNotTell`] keep the refresh token and repeat
    /// with it; nobody is signed out.
    pub async fn refresh_tokens(
        &self,
        refresh_token: impl Into<String>,
        client_context: Option<v1::ClientContext>,
    ) -> Result<v1::Tokens, Error> {
        let request = v1::RefreshTokensRequest {
            refresh_token: refresh_token.into(),
            client_context,
        };
        let response = self.auth().refresh_tokens(request).await?.into_inner();
        response
            .tokens
            .ok_or_else(|| Error::CouldNotTell(CouldNotTell::new("the answer has no tokens")))
    }
}

/// Asks the service about each token each time.
#[async_trait]
impl VerifyToken for Client {
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        self.validate_token(access_token, requirement).await
    }
}
