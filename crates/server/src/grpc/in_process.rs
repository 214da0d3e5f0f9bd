//! ValidateToken for the gateway of this process: the same answers, counted and logged as the same
//! calls, without the way over the network.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::Locale;
use countersign_domain::ports::Random;
use countersign_domain::validation::VerifiedToken;
use countersign_gateway::client::{Identity, Requirement, ValidateError, VerifyToken, async_trait};
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
}

#[async_trait]
impl VerifyToken for InProcessVerifier {
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        let began = now();
        // The token is not copied.
        let question = requirement.request("");
        match self.validate_token.judge_as(access_token, &question).await {
            Ok(judged) => {
                self.rpc.calls.note(Code::Ok, began.elapsed());
                match judged {
                    Ok(token) => identity(&token),
                    Err(not_accepted) => requirement.judge(convert::rejection(not_accepted)),
                }
            }
            Err(error) => Err(self.fail(&error.into(), began.elapsed())),
        }
    }
}

/// What a good token says. It is read once for each token.
fn identity(token: &VerifiedToken) -> Result<Identity, ValidateError> {
    let kept = token.kept.get().and_then(|kept| kept.downcast_ref());
    if let Some(kept) = kept {
        return Ok(Identity::clone(kept));
    }
    let identity = Requirement::new().judge(valid(token))?;
    // Another thread may have been first, with the same.
    let _ = token.kept.set(Box::new(identity.clone()));
    Ok(identity)
}
