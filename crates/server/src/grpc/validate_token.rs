//! ValidateToken: the answer for a good token is encoded once and
//! kept with it: a call then costs a look-up and a copy.

use std::sync::Arc;

use countersign_domain::model::ExternalId;
use countersign_domain::validation::{
    Encoded, NotAccepted, Question, TokenHolder, TokenValidator, Validation, VerifiedToken,
};
use countersign_domain::{Error, Fields};
use countersign_gateway::Holder;
use countersign_proto::v1;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_token::{AccessClaims, Rejection};
use prost::Message as _;
use prost::bytes::Bytes;

use crate::feed_reader::FeedReader;
use crate::grpc::protocol::HEAD;
use crate::grpc::{convert, required_authentication, unary};
use crate::metrics::Validations;

/// The path of the RPC.
pub(crate) const VALIDATE_TOKEN: &str = "/countersign.v1.AuthService/ValidateToken";

/// Answers what is asked about tokens.
pub(crate) struct ValidateTokenService {
    pub(crate) validator: Arc<TokenValidator>,
    pub(crate) feed_reader: Arc<FeedReader>,
    pub(crate) validations: Arc<Validations>,
}

/// What is told of a token, whatever the answer looks like.
pub(crate) type Judged = Result<Arc<VerifiedToken>, NotAccepted>;

/// An encoded `ValidateTokenResponse`, in its frame.
pub(crate) enum Answer {
    /// That of a good token.
    Kept(Arc<VerifiedToken>),
    /// A rejection.
    Made(Vec<u8>),
}

/// What is said of a good token: the answer, and the holder as headers tell him.
pub(crate) fn encode(
    claims: &AccessClaims,
    holder: &TokenHolder,
    external_id: Option<&ExternalId>,
) -> Encoded {
    let has_session = matches!(holder, TokenHolder::Session(_));
    let holder = Holder {
        user_id: &claims.sub,
        group_id: &claims.grp,
        session_id: has_session.then_some(&*claims.sid),
        client_id: &claims.client_id,
        scopes: &claims.scope,
        roles: &claims.roles,
    };
    Encoded {
        answer: unary::framed(&says(claims, external_id)),
        holder: holder.to_text(),
    }
}

/// The answer for a good token.
pub(crate) fn valid(token: &VerifiedToken) -> v1::ValidateTokenResponse {
    says(&token.claims, token.external_id.as_ref())
}

fn says(claims: &AccessClaims, external_id: Option<&ExternalId>) -> v1::ValidateTokenResponse {
    let claims = convert::claims(claims, external_id);
    v1::ValidateTokenResponse {
        verdict: Some(Verdict::Valid(claims)),
    }
}

impl Answer {
    /// The answer as it is sent. What is kept is not copied.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }

    /// The message itself.
    pub(crate) fn message(&self) -> Result<v1::ValidateTokenResponse, Error> {
        v1::ValidateTokenResponse::decode(&self.as_ref()[HEAD..])
            .map_err(|error| Error::Internal(format!("a kept answer cannot be read: {error}")))
    }

    fn rejected(not_accepted: NotAccepted) -> Self {
        Self::Made(unary::framed(&convert::rejection(not_accepted)))
    }
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Kept(token) => token.answer(),
            Self::Made(bytes) => bytes,
        }
    }
}

impl ValidateTokenService {
    /// Answers one question.
    pub(crate) async fn answer(
        &self,
        question: &v1::ValidateTokenRequest,
    ) -> Result<Answer, Error> {
        let verdict = self.judge_as(&question.access_token, question).await?;
        Ok(verdict.map_or_else(Answer::rejected, Answer::Kept))
    }

    /// Judges a token as a question asks for another.
    pub(crate) async fn judge_as(
        &self,
        token: &str,
        question: &v1::ValidateTokenRequest,
    ) -> Result<Judged, Error> {
        let mut fields = Fields::new();
        let authentication = required_authentication::read(&mut fields, "", question);
        fields.finish(|| Some(()))?;
        let question = Question {
            token,
            audience: &question.audience,
            scopes: &question.required_scopes,
            authentication,
        };
        self.judge(question).await
    }

    /// Validates several tokens.
    pub(crate) async fn validate_all(
        &self,
        questions: &[v1::ValidateTokenRequest],
    ) -> Result<Vec<v1::ValidateTokenResponse>, Error> {
        let mut fields = Fields::new();
        let read = |(index, question): (usize, &v1::ValidateTokenRequest)| {
            if !required_authentication::is_asked(question) {
                return None;
            }
            let path = format!("requests[{index}].");
            required_authentication::read(&mut fields, &path, question)
        };
        let authentications: Vec<_> = questions.iter().enumerate().map(read).collect();
        fields.finish(|| Some(()))?;
        let mut reread = Reread::default();
        let mut answers = Vec::with_capacity(questions.len());
        for (question, authentication) in questions.iter().zip(authentications) {
            let question = Question {
                token: &question.access_token,
                audience: &question.audience,
                scopes: &question.required_scopes,
                authentication,
            };
            let verdict = self.judge_of_many(question, &mut reread).await?;
            answers.push(verdict.map_or_else(convert::rejection, |token| valid(&token)));
        }
        Ok(answers)
    }

    /// Validates one token, whoever asks.
    ///
    /// # Errors
    /// Unavailable, if it cannot be told whether it is good.
    pub(crate) async fn judge(&self, question: Question<'_>) -> Result<Judged, Error> {
        self.judge_of_many(question, &mut Reread::default()).await
    }

    /// Judges one token from memory. What is too old, or does not know the token's key,
    /// is read anew before; boxed, as it is seldom.
    async fn judge_of_many(
        &self,
        question: Question<'_>,
        reread: &mut Reread,
    ) -> Result<Judged, Error> {
        let mut readings = 0;
        let outcome = loop {
            match self.validator.validate(question) {
                Validation::Valid(token) => break Ok(token),
                Validation::Rejected(not_accepted) => break Err(not_accepted),
                Validation::Stale => {
                    match readings {
                        0 => Box::pin(self.feed_reader.read()).await?,
                        // The first was under way already, since too long ago
                        // where the process was stopped meanwhile.
                        1 => Box::pin(self.feed_reader.read_again()).await?,
                        _ => {
                            let slow = "the database is too slow to tell";
                            return Err(Error::Unavailable(slow.into()));
                        }
                    }
                    readings += 1;
                }
                Validation::UnknownKey if reread.0 => {
                    break Err(NotAccepted::Token(Rejection::UnknownKey));
                }
                Validation::UnknownKey => {
                    Box::pin(self.feed_reader.read_again()).await?;
                    reread.0 = true;
                }
            }
        };
        self.validations.count(outcome.is_ok());
        Ok(outcome)
    }
}

/// Whether the keys were read anew for a call already.
#[derive(Default)]
struct Reread(bool);
