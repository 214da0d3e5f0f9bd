//! People who sign up and in, as a gateway does it for them.

use std::ops::Range;

use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::check_code_request::Verification;
use countersign_proto::v1::identifier::Value;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_proto::v1::sign_up_response::Outcome as SignedUp;
use countersign_proto::v1::verification_service_client::VerificationServiceClient;
use countersign_proto::v1::{
    CheckCodeRequest, Identifier, IssueTokensRequest, IssueTokensResponse, PasswordGrant, Purpose,
    SendCodeRequest, SignUpRequest, Tokens,
};
use tonic::transport::Channel;

use crate::connections::Connection;
use crate::failure::{Context as _, Failure};

/// Where IssueTokens is called.
pub(crate) const ISSUE_TOKENS: &str = "/countersign.v1.AuthService/IssueTokens";

const PASSWORD: &str = "seven brown otters hum at noon";
const CODE: &str = "604182";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    email: String,
    pub(crate) user_id: String,
}

impl Person {
    /// Signs somebody up, with a proven address and a password.
    pub(crate) async fn sign_up(channel: &Channel, number: usize) -> Result<Self, Failure> {
        let email = format!("person-{number}@example.com");
        let mut verification = VerificationServiceClient::new(channel.clone());
        let sent = verification
            .send_code(SendCodeRequest {
                identifier: Some(by_email(&email)),
                purpose: Purpose::SignUp.into(),
                code: CODE.into(),
                ..SendCodeRequest::default()
            })
            .await
            .context("SendCode")?;
        let checked = verification
            .check_code(CheckCodeRequest {
                verification: Some(Verification::VerificationId(
                    sent.into_inner().verification_id,
                )),
                code: CODE.into(),
            })
            .await
            .context("CheckCode")?;
        let signed_up = AuthServiceClient::new(channel.clone())
            .sign_up(SignUpRequest {
                identifier: Some(by_email(&email)),
                password: PASSWORD.into(),
                proof: checked.into_inner().proof,
                ..SignUpRequest::default()
            })
            .await
            .context("SignUp")?;
        match signed_up.into_inner().outcome {
            Some(SignedUp::UserId(user_id)) => Ok(Self { email, user_id }),
            other => Err(Failure::new(format!("SignUp answered {other:?}"))),
        }
    }

    /// Several people, one after another, with these numbers.
    pub(crate) async fn crowd(
        channel: &Channel,
        numbers: Range<usize>,
    ) -> Result<Vec<Self>, Failure> {
        let mut people = Vec::new();
        for number in numbers {
            people.push(Self::sign_up(channel, number).await?);
        }
        Ok(people)
    }

    /// What this person signs in with.
    pub(crate) fn password_request(&self) -> IssueTokensRequest {
        let grant = PasswordGrant {
            identifier: Some(by_email(&self.email)),
            password: PASSWORD.into(),
        };
        IssueTokensRequest {
            grant: Some(Grant::Password(grant)),
            ..IssueTokensRequest::default()
        }
    }

    /// Signs in, and checks that the tokens are this person's.
    pub(crate) async fn sign_in(&self, connection: &mut Connection) -> Result<Tokens, Failure> {
        let answer = self.issue_tokens(connection).await?;
        self.without_second_factor(answer)
    }

    /// As [`sign_in`](Self::sign_in), over a channel.
    pub(crate) async fn tokens(&self, channel: &Channel) -> Result<Tokens, Failure> {
        let answer = AuthServiceClient::new(channel.clone())
            .issue_tokens(self.password_request())
            .await
            .context("IssueTokens")?;
        self.without_second_factor(answer.into_inner())
    }

    /// Shows the password, and answers the MFA session with which a second factor
    /// is asked for.
    pub(crate) async fn begin_mfa(&self, connection: &mut Connection) -> Result<String, Failure> {
        match self.issue_tokens(connection).await?.outcome {
            Some(Outcome::MfaRequired(required)) => Ok(required.mfa_session_id),
            _ => Err(Failure::new("IssueTokens: no second factor is asked for")),
        }
    }

    /// Checks that tokens are this person's.
    pub(crate) fn own(&self, tokens: Option<Tokens>) -> Result<Tokens, Failure> {
        let tokens = tokens.ok_or_else(|| Failure::new("there are no tokens"))?;
        let is_whole = !tokens.access_token.is_empty() && !tokens.refresh_token.is_empty();
        if tokens.user_id == self.user_id && is_whole {
            return Ok(tokens);
        }
        Err(Failure::new("another's tokens"))
    }

    async fn issue_tokens(
        &self,
        connection: &mut Connection,
    ) -> Result<IssueTokensResponse, Failure> {
        let request = self.password_request();
        let answer = connection.call(ISSUE_TOKENS, &request).await;
        answer.context("IssueTokens")
    }

    fn without_second_factor(&self, answer: IssueTokensResponse) -> Result<Tokens, Failure> {
        match answer.outcome {
            Some(Outcome::Tokens(tokens)) => self.own(Some(tokens)),
            Some(Outcome::MfaRequired(_)) => {
                Err(Failure::new("IssueTokens: a second factor is asked for"))
            }
            Some(Outcome::ServiceAccountToken(_) | Outcome::FederatedAccount(_)) | None => {
                Err(Failure::new("IssueTokens answered nothing"))
            }
        }
    }
}

fn by_email(email: &str) -> Identifier {
    Identifier {
        value: Some(Value::Email(email.into())),
    }
}
