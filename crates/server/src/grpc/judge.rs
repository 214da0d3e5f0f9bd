//! Judging tokens for services. The answer for a good token is encoded once and
//! kept with it: a call then costs a look-up and a copy.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::Error;
use countersign_domain::model::Role;
use countersign_domain::validation::{
    Judgement, NotAccepted, Question, TokenValidator, VerifiedToken,
};
use countersign_proto::v1;
use countersign_token::AccessClaims;
use prost::Message as _;
use tonic::{Request, Status};

use crate::grpc::call::{Desk, Rpc};
use crate::grpc::convert;
use crate::metrics::Validations;

/// Validates tokens against the memory of this replica.
pub(crate) type Validator = TokenValidator<Box<[u8]>>;

/// Judges tokens for callers with the role `service`.
pub(crate) struct Judge {
    pub(crate) desk: Desk,
    pub(crate) validator: Arc<Validator>,
    pub(crate) validations: Validations,
}

/// An encoded `ValidateTokenResponse`.
pub(crate) enum Answer {
    /// That of a good token.
    Kept(Arc<VerifiedToken<Box<[u8]>>>),
    /// A rejection.
    Made(Vec<u8>),
}

const VALIDATE_TOKEN: Rpc = Rpc {
    name: "ValidateToken",
    roles: &[Role::Service],
};

/// How long the database may take to tell what a feed that is too old cannot.
/// Services wait for this answer before they serve anybody.
const ASK_STORE: Duration = Duration::from_secs(2);

/// The encoded answer for a good token.
pub(crate) fn encode_claims(claims: &AccessClaims) -> Box<[u8]> {
    let valid = v1::validate_token_response::Verdict::Valid(convert::claims(claims));
    v1::ValidateTokenResponse {
        verdict: Some(valid),
    }
    .encode_to_vec()
    .into()
}

impl Answer {
    /// The bytes of the message.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Kept(token) => &token.answer,
            Self::Made(bytes) => bytes,
        }
    }

    /// The message itself.
    pub(crate) fn message(&self) -> Result<v1::ValidateTokenResponse, Error> {
        v1::ValidateTokenResponse::decode(self.bytes())
            .map_err(|error| Error::Internal(format!("a kept answer cannot be read: {error}")))
    }

    fn rejected(not_accepted: NotAccepted) -> Self {
        Self::Made(convert::rejection(not_accepted).encode_to_vec())
    }
}

impl Judge {
    /// Answers one call of ValidateToken.
    pub(crate) async fn answer(
        &self,
        request: Request<v1::ValidateTokenRequest>,
    ) -> Result<Answer, Status> {
        self.desk.admit(VALIDATE_TOKEN, request.metadata())?;
        let answer = self.judge(request.get_ref()).await;
        answer.map_err(|error| self.desk.refuse(VALIDATE_TOKEN, error, request.metadata()))
    }

    /// Judges one token: from memory, or from the database if the feed of
    /// revocations is too old.
    pub(crate) async fn judge(&self, question: &v1::ValidateTokenRequest) -> Result<Answer, Error> {
        let judgement = self.validator.judge(Question {
            token: &question.access_token,
            audience: &question.audience,
            scopes: &question.required_scopes,
        });
        let outcome = match judgement {
            Judgement::Valid(token) => Ok(token),
            Judgement::Rejected(not_accepted) => Err(not_accepted),
            Judgement::Stale(token) => match self.ask_store(&token).await? {
                None => Ok(token),
                Some(not_accepted) => Err(not_accepted),
            },
        };
        self.validations.count(outcome.is_ok());
        Ok(outcome.map_or_else(Answer::rejected, Answer::Kept))
    }

    async fn ask_store(
        &self,
        token: &VerifiedToken<Box<[u8]>>,
    ) -> Result<Option<NotAccepted>, Error> {
        let store = Arc::clone(&self.desk.app.store);
        let session = token.session_id;
        let asked = self
            .desk
            .back
            .spawn(async move { Validator::ask_store(&*store, session).await });
        match tokio::time::timeout(ASK_STORE.min(self.desk.timeout), asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable(
                "the database did not tell in time".into(),
            )),
        }
    }
}
