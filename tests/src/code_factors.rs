//! Addresses as second factors, and what a person does with them.

use countersign_proto::v1;
use tonic::Status;

use crate::gateway::{email, phone};
use crate::person::Person;
use crate::world::World;

impl World {
    /// Gives somebody a verified phone number.
    ///
    /// # Panics
    /// If the database does not take it.
    pub async fn give_number(&self, person: &Person, number: &str) {
        let user = self.backend().bytes(&person.user_id);
        let insert = format!(
            "INSERT INTO identifiers (group_id, kind, value, user_id) \
             VALUES ('default', 'phone', '{number}', {user})"
        );
        assert_eq!(self.execute(&insert).await, 1, "{number} is given");
    }
}

impl Person {
    /// Begins to enrol an address, to which a code is sent.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_with_code(
        &self,
        tokens: &v1::Tokens,
        address: &str,
    ) -> Result<v1::BeginEnrollmentResponse, Status> {
        let (kind, address) = match address.contains('@') {
            true => (v1::FactorKind::Email, email(address)),
            false => (v1::FactorKind::Sms, phone(address)),
        };
        let request = v1::BeginEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            kind: kind.into(),
            address: Some(address),
            ..Default::default()
        };
        let begun = self.gateway.factors().begin_enrollment(request).await?;
        Ok(begun.into_inner())
    }

    /// Enrols an address by the code that is sent to it.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn enroll_address(
        &self,
        world: &World,
        tokens: &v1::Tokens,
        address: &str,
    ) -> v1::ConfirmEnrollmentResponse {
        let begun = self.begin_with_code(tokens, address).await;
        let begun = begun.expect("an enrolment");
        let code = world.read_code(&masked_number(address)).await;
        let confirmed = self.confirm_enrollment(tokens, &begun.enrollment_id, &code);
        confirmed.await.expect("a factor")
    }

    /// Signs in by the password and a code to the phone number of a factor.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn sign_in_by_code(&self, world: &World, factor_id: &str) -> v1::Tokens {
        let asked = self.begin_sign_in().await.expect("a question");
        let of = |offered: &&v1::CodeFactor| offered.factor_id == factor_id;
        let offered = asked.code_factors.iter().find(of).expect("it is offered");
        let sent = self.send_mfa_code(&asked.mfa_session_id, factor_id).await;
        sent.expect("sent");
        let code = world.read_code(&offered.masked_address).await;
        let answered = self.answer(&asked.mfa_session_id, &code).await;
        answered.expect("signed in")
    }

    /// Asks for a code for a step-up in the session of an access token, to a factor,
    /// the oldest one if empty.
    ///
    /// # Errors
    /// The server's.
    pub async fn send_step_up_code(
        &self,
        access_token: &str,
        factor_id: &str,
    ) -> Result<v1::SendStepUpCodeResponse, Status> {
        let request = v1::SendStepUpCodeRequest {
            access_token: access_token.into(),
            factor_id: factor_id.into(),
            ..Default::default()
        };
        let sent = self.gateway.sessions().send_step_up_code(request).await?;
        Ok(sent.into_inner())
    }

    /// Asks for the code of an MFA session.
    ///
    /// # Errors
    /// The server's.
    pub async fn send_mfa_code(
        &self,
        mfa_session_id: &str,
        factor_id: &str,
    ) -> Result<v1::SendMfaCodeResponse, Status> {
        let request = v1::SendMfaCodeRequest {
            mfa_session_id: mfa_session_id.into(),
            factor_id: factor_id.into(),
            ..Default::default()
        };
        let sent = self.gateway.sessions().send_mfa_code(request).await?;
        Ok(sent.into_inner())
    }
}

/// A Korean number as messages show it; another address as it is.
#[must_use]
pub fn masked_number(address: &str) -> String {
    match address.strip_prefix("+8210") {
        Some(rest) => format!("+8210****{}", &rest[4..]),
        None => address.into(),
    }
}
