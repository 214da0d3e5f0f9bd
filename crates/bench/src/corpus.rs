//! Questions and the answers that are right, both as bytes on the wire.

use countersign_proto::envoy::service::auth::v3::CheckResponse;
use countersign_proto::v1::{ValidateTokenRequest, ValidateTokenResponse};
use prost::Message;
use prost::bytes::Bytes;
use tonic::codegen::http::HeaderValue;
use tonic::codegen::http::uri::PathAndQuery;

use crate::check_messages;
use crate::echo::{self, Echoed};
use crate::failure::{Context as _, Failure};
use crate::forge::Forged;

/// Questions of one RPC, with the answer that is right for each.
pub(crate) struct Corpus {
    path: PathAndQuery,
    /// The API key that each call shows.
    authorization: Option<HeaderValue>,
    questions: Vec<(Bytes, Bytes)>,
    /// Whether an answer of other bytes means the same.
    means: fn(&[u8], &[u8]) -> bool,
}

impl Corpus {
    /// ValidateToken for each token; the right answer tells exactly the claims
    /// that the token was signed with.
    pub(crate) fn of_tokens(tokens: &[Forged]) -> Self {
        let question = |forged: &Forged| {
            let request = ValidateTokenRequest {
                access_token: forged.token.clone(),
                ..ValidateTokenRequest::default()
            };
            (
                request.encode_to_vec().into(),
                forged.answer.encode_to_vec().into(),
            )
        };
        Self {
            path: PathAndQuery::from_static("/countersign.v1.AuthService/ValidateToken"),
            authorization: None,
            questions: tokens.iter().map(question).collect(),
            means: |answer, expected| {
                let read = |bytes| ValidateTokenResponse::decode(bytes).ok();
                read(answer).is_some() && read(answer) == read(expected)
            },
        }
    }

    /// Check of a request with each token; the right answer tells exactly who it is, and
    /// removes all other headers that tell of it.
    pub(crate) fn of_checks(tokens: &[Forged]) -> Self {
        let question = |forged: &Forged| {
            let request = check_messages::question(&forged.token);
            let answer = check_messages::passed(forged);
            (
                request.encode_to_vec().into(),
                answer.encode_to_vec().into(),
            )
        };
        Self {
            path: PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check"),
            authorization: None,
            questions: tokens.iter().map(question).collect(),
            means: |answer, expected| {
                let read = |bytes| CheckResponse::decode(bytes).ok();
                read(answer).is_some() && read(answer) == read(expected)
            },
        }
    }

    /// The very same questions to the bare handler, and answers of the size of the right
    /// ones.
    pub(crate) fn of_bare_checks(&self) -> Self {
        let answer = Bytes::from(check_messages::bare_answer(self.answer_bytes()).encode_to_vec());
        let asked = self.questions.iter();
        Self {
            path: self.path.clone(),
            authorization: self.authorization.clone(),
            questions: asked
                .map(|(question, _)| (question.clone(), answer.clone()))
                .collect(),
            means: |_, _| false,
        }
    }

    /// The same calls, by a caller with this API key.
    pub(crate) fn with_key(self, key: &str) -> Result<Self, Failure> {
        let authorization = format!("Bearer {key}").parse().context("an API key")?;
        Ok(Self {
            authorization: Some(authorization),
            ..self
        })
    }

    /// The very same bytes as questions to the echo, and answers of the size of
    /// the right ones.
    pub(crate) fn of_echoes(&self) -> Self {
        let answer_bytes = self.echoed_bytes();
        let echoed = |(question, _): &(Bytes, Bytes)| {
            let request = Echoed::decode(question.clone()).unwrap_or_default();
            let answer = echo::answer(request, answer_bytes);
            (question.clone(), answer.encode_to_vec().into())
        };
        Self {
            path: PathAndQuery::from_static(echo::PATH),
            authorization: self.authorization.clone(),
            questions: self.questions.iter().map(echoed).collect(),
            means: |_, _| false,
        }
    }

    /// How many bytes the echo must return so that its answers have the size
    /// of these.
    pub(crate) fn echoed_bytes(&self) -> usize {
        let size = self.answer_bytes();
        let fits = |data: &usize| {
            Echoed {
                data: vec![0; *data],
            }
            .encoded_len()
                <= size
        };
        (0..=size).rev().find(fits).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.questions.len()
    }

    pub(crate) fn path(&self) -> PathAndQuery {
        self.path.clone()
    }

    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        self.authorization.clone()
    }

    /// The question.
    pub(crate) fn request(&self, index: usize) -> Bytes {
        self.questions[index].0.clone()
    }

    /// The size of a question.
    pub(crate) fn request_bytes(&self) -> usize {
        self.questions
            .first()
            .map_or(0, |(request, _)| request.len())
    }

    /// The size of a right answer.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.questions.first().map_or(0, |(_, answer)| answer.len())
    }

    /// Compares an answer with the right one.
    pub(crate) fn check(&self, index: usize, answer: &Bytes) -> Result<(), Failure> {
        let expected = &self.questions[index].1;
        if answer == expected || (self.means)(answer, expected) {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "a wrong answer to question {index} of {}",
                self.path
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_proto::v1::Claims;
    use countersign_proto::v1::validate_token_response::Verdict;

    fn forged(subject: &str) -> Forged {
        let claims = Claims {
            subject: subject.into(),
            issuer: "i".repeat(200),
            ..Claims::default()
        };
        Forged {
            token: "t".repeat(600),
            answer: ValidateTokenResponse {
                verdict: Some(Verdict::Valid(claims)),
            },
        }
    }

    #[test]
    fn the_answer_for_another_subject_is_wrong() {
        let corpus = Corpus::of_tokens(&[forged("ann"), forged("bob")]);
        let ann = Bytes::from(forged("ann").answer.encode_to_vec());
        assert!(corpus.check(0, &ann).is_ok());
        assert!(corpus.check(1, &ann).is_err());
        assert!(corpus.check(0, &Bytes::new()).is_err());
    }

    #[test]
    fn echoes_have_the_sizes_of_what_they_stand_for() {
        let corpus = Corpus::of_tokens(&[forged("ann")]);
        let echoes = corpus.of_echoes();
        assert_eq!(echoes.request(0), corpus.request(0));
        assert_eq!(echoes.answer_bytes(), corpus.answer_bytes());
        let checks = Corpus::of_checks(&[forged("ann")]);
        let bare = checks.of_bare_checks();
        assert_eq!(bare.request(0), checks.request(0));
        assert_eq!(bare.answer_bytes(), checks.answer_bytes());
    }
}
