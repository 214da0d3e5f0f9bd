//! What a person shows in a session that goes on, and what services ask of that.

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::validate_token_response::Verdict;
use tonic::Status;

use crate::gateway::Gateway;
use crate::person::Person;

/// What a person shows.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// A password.
    Password(&'a str),
    /// A code.
    Code(&'a str),
    /// The answer of a passkey.
    Passkey(&'a str),
}

impl Person {
    /// Shows something in the session of an access token.
    ///
    /// # Errors
    /// The server's.
    pub async fn step_up(
        &self,
        access_token: &str,
        shown: Shown<'_>,
    ) -> Result<v1::StepUpSessionResponse, Status> {
        self.step_up_on("", access_token, shown).await
    }

    /// Shows something, on a device with this token, empty if it has none.
    ///
    /// # Errors
    /// The server's.
    pub async fn step_up_on(
        &self,
        device_token: &str,
        access_token: &str,
        shown: Shown<'_>,
    ) -> Result<v1::StepUpSessionResponse, Status> {
        let mut request = v1::StepUpSessionRequest {
            access_token: access_token.into(),
            device_token: device_token.into(),
            ..Default::default()
        };
        match shown {
            Shown::Password(password) => request.password = password.into(),
            Shown::Code(code) => request.code = code.into(),
            Shown::Passkey(credential) => request.credential = credential.into(),
        }
        let stepped_up = self.gateway.sessions().step_up_session(request).await?;
        Ok(stepped_up.into_inner())
    }

    /// Options with which a passkey answers in the session of an access token.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_step_up(&self, access_token: &str) -> Result<String, Status> {
        let request = v1::BeginStepUpAssertionRequest {
            access_token: access_token.into(),
        };
        let mut sessions = self.gateway.sessions();
        let begun = sessions.begin_step_up_assertion(request).await?;
        Ok(begun.into_inner().request_options)
    }
}

impl Gateway {
    /// Asks of a token that its person was authenticated so long ago at the most, and
    /// so well at least. In one word what is lacking, as a challenge would say it:
    /// `VALID`, the rejection, or `max_age=60 acr_values=aal2`.
    ///
    /// # Errors
    /// The server's, if the question could not be answered.
    pub async fn lacking(
        &self,
        access_token: &str,
        max_age: Option<Duration>,
        acr_values: &[&str],
    ) -> Result<String, Status> {
        let request = v1::ValidateTokenRequest {
            access_token: access_token.into(),
            max_authentication_age: max_age.map(|age| prost_types::Duration {
                seconds: i64::try_from(age.as_secs()).unwrap_or(i64::MAX),
                nanos: 0,
            }),
            acr_values: acr_values.iter().map(|value| (*value).to_owned()).collect(),
            ..Default::default()
        };
        let answer = self.auth().validate_token(request).await?.into_inner();
        let rejection = match answer.verdict {
            Some(Verdict::Valid(_)) => return Ok("VALID".into()),
            Some(Verdict::Rejected(rejection)) => rejection,
            None => return Err(Status::internal("no verdict")),
        };
        if rejection.reason() != v1::RejectionReason::InsufficientUserAuthentication {
            return Ok(rejection.reason().as_str_name().into());
        }
        let age = rejection.max_authentication_age;
        let mut parts: Vec<_> = age
            .map(|age| format!("max_age={}", age.seconds))
            .into_iter()
            .collect();
        if !rejection.acr_values.is_empty() {
            parts.push(format!("acr_values={}", rejection.acr_values.join(" ")));
        }
        Ok(parts.join(" "))
    }
}
