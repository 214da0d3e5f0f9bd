//! An authenticator app, and what a person does with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use countersign_proto::v1;
use tonic::Status;

use crate::gateway::email;
use crate::person::{PASSWORD, Person};

/// An app that holds a secret (RFC 6238).
#[derive(Debug, Clone)]
pub struct Authenticator {
    secret: Vec<u8>,
}

/// An app that was enrolled.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The app.
    pub app: Authenticator,
    /// The factor.
    pub factor_id: String,
    /// What was shown with the first factor.
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// An app into which a secret was typed.
    ///
    /// # Panics
    /// If it is not base32.
    #[must_use]
    pub fn holding(secret: &str) -> Self {
        let mut bits = (0_u32, 0_u32);
        let mut bytes = Vec::new();
        for letter in secret.bytes() {
            let value = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'2'..=b'7' => letter - b'2' + 26,
                _ => panic!("{secret} is not base32"),
            };
            bits = (bits.0 << 5 | u32::from(value), bits.1 + 5);
            if bits.1 >= 8 {
                bits.1 -= 8;
                bytes.push((bits.0 >> bits.1) as u8);
                bits.0 &= (1 << bits.1) - 1;
            }
        }
        Self { secret: bytes }
    }

    /// The bytes of the secret.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The code that the app shows now.
    #[must_use]
    pub fn code(&self) -> String {
        self.code_of_step(present_step())
    }

    /// The code of a step.
    #[must_use]
    pub fn code_of_step(&self, step: u64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 15);
        let mut number = u32::from(tag[offset] & 0x7f);
        for byte in &tag[offset + 1..offset + 4] {
            number = number << 8 | u32::from(*byte);
        }
        format!("{:06}", number % 1_000_000)
    }
}

/// The step of the machine's time.
///
/// # Panics
/// If the machine's clock is not set.
#[must_use]
pub fn present_step() -> u64 {
    since_1970().as_secs() / 30
}

/// Waits until the present step has begun a moment ago, so that what follows
/// is of one step.
pub async fn at_the_beginning_of_a_step() {
    let into = since_1970().as_millis() % 30_000;
    if into > 20_000 {
        let left = u64::try_from(30_000 - into).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(left + 50)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an app on a person's phone goes by its own clock"
)]
fn since_1970() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the machine's clock is set")
}

impl Person {
    /// Begins to enrol an app.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_enrollment(
        &self,
        tokens: &v1::Tokens,
        label: &str,
    ) -> Result<v1::BeginEnrollmentResponse, Status> {
        let request = v1::BeginEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            kind: v1::FactorKind::Totp.into(),
            label: label.into(),
            ..Default::default()
        };
        let begun = self.gateway.factors().begin_enrollment(request).await?;
        Ok(begun.into_inner())
    }

    /// Shows the first code of an app.
    ///
    /// # Errors
    /// The server's.
    pub async fn confirm_enrollment(
        &self,
        tokens: &v1::Tokens,
        enrollment_id: &str,
        code: &str,
    ) -> Result<v1::ConfirmEnrollmentResponse, Status> {
        let request = v1::ConfirmEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            enrollment_id: enrollment_id.into(),
            code: code.into(),
            ..Default::default()
        };
        let confirmed = self.gateway.factors().confirm_enrollment(request).await?;
        Ok(confirmed.into_inner())
    }

    /// Enrols an app with the code of the step before, so that the present one
    /// is still good.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn enroll(&self, tokens: &v1::Tokens) -> Enrolled {
        at_the_beginning_of_a_step().await;
        let begun = self.begin_enrollment(tokens, "phone").await;
        let begun = begun.expect("an enrolment");
        let app = Authenticator::holding(&begun.secret);
        let code = app.code_of_step(present_step() - 1);
        let confirmed = self.confirm_enrollment(tokens, &begun.enrollment_id, &code);
        let confirmed = confirmed.await.expect("a factor");
        Enrolled {
            app,
            factor_id: confirmed.factor_id,
            recovery_codes: confirmed.recovery_codes,
        }
    }

    /// Signs in with the password, up to the question for a second factor.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_sign_in(&self) -> Result<v1::MfaRequired, Status> {
        use v1::issue_tokens_response::Outcome;
        let password = v1::PasswordGrant {
            identifier: Some(email(&self.email)),
            password: PASSWORD.into(),
        };
        let request = v1::IssueTokensRequest {
            grant: Some(v1::issue_tokens_request::Grant::Password(password)),
            ..Default::default()
        };
        let issued = self.gateway.auth().issue_tokens(request).await?;
        match issued.into_inner().outcome {
            Some(Outcome::MfaRequired(required)) => Ok(required),
            _ => Err(Status::internal("no second factor is asked for")),
        }
    }

    /// Answers the question for a second factor.
    ///
    /// # Errors
    /// The server's.
    pub async fn answer(&self, mfa_session_id: &str, code: &str) -> Result<v1::Tokens, Status> {
        let request = v1::ValidateMfaSessionRequest {
            group_id: String::new(),
            mfa_session_id: mfa_session_id.into(),
            code: code.into(),
            ..Default::default()
        };
        let mut sessions = self.gateway.sessions();
        let answered = sessions.validate_mfa_session(request).await?;
        let tokens = answered.into_inner().tokens;
        tokens.ok_or_else(|| Status::internal("no tokens"))
    }

    /// The factors of the person.
    ///
    /// # Errors
    /// The server's.
    pub async fn factors(&self, tokens: &v1::Tokens) -> Result<v1::ListFactorsResponse, Status> {
        let request = v1::ListFactorsRequest {
            access_token: tokens.access_token.clone(),
        };
        let listed = self.gateway.factors().list_factors(request).await?;
        Ok(listed.into_inner())
    }

    /// Removes a factor.
    ///
    /// # Errors
    /// The server's.
    pub async fn remove_factor(&self, tokens: &v1::Tokens, id: &str) -> Result<(), Status> {
        let request = v1::RemoveFactorRequest {
            access_token: tokens.access_token.clone(),
            factor_id: id.into(),
        };
        let removed = self.gateway.factors().remove_factor(request).await;
        removed.map(drop)
    }

    /// New recovery codes.
    ///
    /// # Errors
    /// The server's.
    pub async fn regenerate_recovery_codes(
        &self,
        tokens: &v1::Tokens,
    ) -> Result<Vec<String>, Status> {
        let request = v1::RegenerateRecoveryCodesRequest {
            access_token: tokens.access_token.clone(),
        };
        let mut factors = self.gateway.factors();
        let made = factors.regenerate_recovery_codes(request).await?;
        Ok(made.into_inner().recovery_codes)
    }
}
