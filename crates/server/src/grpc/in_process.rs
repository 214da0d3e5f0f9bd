//! ValidateToken for the gateway of this process: the same answers, counted and logged as the same
//! calls, without the way over the network.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::Locale;
use countersign_domain::ports::Random;
use countersign_domain::validation::VerifiedToken;
use countersign_gateway::client::{Identity, Requirement, ValidateError, VerifyToken, async_trait};
use countersign_gateway::{VerifyForGateway, with_identity};
use http::HeaderMap;
use tonic::Code;

use crate::grpc::call::{Ended, RequestId, now};
use crate::grpc::callers::GATEWAY;
use crate::grpc::convert;
use crate::grpc::rpc::Rpc;
use crate::grpc::validate_token::{ValidateTokenService, valid};
use crate::status::Failure;

/// Verifies access tokens from the memory of this process.
pub(crate) struct InProcessVerifier {
    pub(crate) validate_token: ValidateTokenService,
    pub(crate) rpc: &'static Rpc,
    pub(crate) random: Arc<dyn Random>,
}

impl InProcessVerifier {
    /// Logs and counts that there is no answer, and tells why.
    fn fail(&self, failure: &Failure, took: Duration) -> ValidateError {
        let ended = Ended {
            rpc: self.rpc,
            caller: Some(GATEWAY),
            peer: None,
            request_id: &RequestId::of(&HeaderMap::new(), &*self.random),
            trace: None,
            took,
        };
        let status = ended.refuse(failure, Locale::default());
        ValidateError::CouldNotTell(status.into())
    }

    async fn judge(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Arc<VerifiedToken>, ValidateError> {
        let began = now();
        // The token is not copied.
        let question = requirement.request("");
        match self.validate_token.judge_as(access_token, &question).await {
            Ok(judged) => {
                self.rpc.calls.note(Code::Ok, began.elapsed());
                judged.map_err(|not_accepted| convert::rejected(not_accepted).into())
            }
            Err(error) => Err(self.fail(&error.into(), began.elapsed())),
        }
    }
}

#[async_trait]
impl VerifyToken for InProcessVerifier {
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        let token = self.judge(access_token, requirement).await?;
        Requirement::new().judge(valid(&token))
    }
}

#[async_trait]
impl VerifyForGateway for InProcessVerifier {
    async fn identify(
        &self,
        access_token: &str,
        requirement: &Requirement,
        anonymous: &HeaderMap,
    ) -> Result<HeaderMap, ValidateError> {
        let token = self.judge(access_token, requirement).await?;
        Ok(with_identity(anonymous, token.holder_text()))
    }
}
