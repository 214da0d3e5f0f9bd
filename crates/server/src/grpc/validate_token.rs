//! ValidateToken: the answer for a good token is encoded once and
//! kept with it: a call then costs a look-up and a copy.

use std::sync::Arc;

use countersign_domain::model::ExternalId;
use countersign_domain::validation::{
    NotAccepted, Question, RequiredAuthentication, TokenValidator, Validation, VerifiedToken,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_token::{AccessClaims, Rejection};
use prost::Message as _;
use prost::bytes::Bytes;

use crate::feed_reader::FeedReader;
use crate::grpc::protocol::HEAD;
use crate::grpc::{convert, required_authentication, unary};
use crate::metrics::Validations;

/// Answers what is asked about tokens.
pub(crate) struct ValidateTokenService {
    pub(crate) validator: Arc<TokenValidator>,
    pub(crate) feed_reader: Arc<FeedReader>,
    pub(crate) validations: Arc<Validations>,
}

/// What is told of a token, whatever the answer looks like.
pub(crate) type Verdict = Result<Arc<VerifiedToken>, NotAccepted>;

/// An encoded `ValidateTokenResponse`, in its frame.
pub(crate) enum Answer {
    /// That of a good token.
    Kept(Arc<VerifiedToken>),
    /// A rejection.
    Made(Vec<u8>),
}

/// The encoded answer for a good token.
pub(crate) fn encode_claims(claims: &AccessClaims, external_id: Option<&ExternalId>) -> Vec<u8> {
    let claims = convert::claims(claims, external_id);
    let valid = v1::validate_token_response::Verdict::Valid(claims);
    unary::framed(&v1::ValidateTokenResponse {
        verdict: Some(valid),
    })
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
        let mut fields = Fields::new();
        let authentication = required_authentication::read(&mut fields, "", question);
        fields.finish(|| Some(()))?;
        let reread = &mut Reread::default();
        self.validate(question, authentication, reread).await
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
            let answer = self.validate(question, authentication, &mut reread);
            answers.push(answer.await?.message()?);
        }
        Ok(answers)
    }

    /// Validates one token from memory. What is too old, or does not know the
    /// token's key, is read anew before.
    async fn validate(
        &self,
        question: &v1::ValidateTokenRequest,
        authentication: Option<RequiredAuthentication>,
        reread: &mut Reread,
    ) -> Result<Answer, Error> {
        let question = Question {
            token: &question.access_token,
            audience: &question.audience,
            scopes: &question.required_scopes,
            authentication,
        };
        let verdict = self.judge_of_many(question, reread).await?;
        Ok(verdict.map_or_else(Answer::rejected, Answer::Kept))
    }

    /// Validates one token, whoever asks.
    ///
    /// # Errors
    /// Unavailable, if it cannot be told whether it is good.
    pub(crate) async fn judge(&self, question: Question<'_>) -> Result<Verdict, Error> {
        self.judge_of_many(question, &mut Reread::default()).await
    }

    async fn judge_of_many(
        &self,
        question: Question<'_>,
        reread: &mut Reread,
    ) -> Result<Verdict, Error> {
        let mut readings = 0;
        let outcome = loop {
            match self.validator.validate(question) {
                Validation::Valid(token) => break Ok(token),
                Validation::Rejected(not_accepted) => break Err(not_accepted),
                Validation::Stale => {
                    match readings {
                        0 => self.feed_reader.read().await?,
                        // The first was under way already, since too long ago
                        // where the process was stopped meanwhile.
                        1 => self.feed_reader.read_again().await?,
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
                    self.feed_reader.read_again().await?;
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
