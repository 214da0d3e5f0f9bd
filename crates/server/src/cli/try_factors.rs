//! The part of `countersign try` about more than a password: an authenticator app,
//! asking again in a session, a second factor on a known device, and a code alone.

use std::time::Duration;

use countersign_domain::model::{Timestamp, TotpSecret};
use countersign_domain::ports::Clock as _;
use countersign_proto::v1::create_mfa_session_request::User;
use countersign_proto::v1::factor_service_client::FactorServiceClient;
use countersign_proto::v1::person::By;
use countersign_proto::v1::session_service_client::SessionServiceClient;
use countersign_proto::v1::{
    BeginEnrollmentRequest, ConfirmEnrollmentRequest, CreateMfaSessionRequest, FactorKind,
    MfaRequired, Person, RevokeUserSessionsRequest, StepUpSessionRequest, Tokens,
    ValidateMfaSessionRequest,
};
use tonic::transport::Channel;

use super::try_client::{TryClient, client_context};
use super::try_transcript::{Stopped, Transcript, instant, shortened};
use crate::system::SystemClock;

/// How long an authenticator app shows a code.
const STEP: Duration = Duration::from_secs(30);

/// An authenticator app that has been enrolled, and a recovery code.
pub(super) struct App {
    secret: TotpSecret,
    /// When it was enrolled, with the code of that time.
    enrolled_at: Timestamp,
    recovery_code: String,
}

impl App {
    /// The code after the one of the enrolment, which is good once. Servers take it
    /// a step early (RFC 6238, section 5.2).
    fn next_code(&self) -> String {
        self.secret.code_at(self.enrolled_at.plus(STEP))
    }
}

impl TryClient {
    fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone())
    }

    /// Does what a person does with an authenticator app.
    pub(super) async fn enroll_app(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
    ) -> Result<App, Stopped> {
        let mut client = FactorServiceClient::new(self.channel.clone());
        let begun = client.begin_enrollment(self.request(BeginEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            kind: FactorKind::Totp.into(),
            label: "countersign try".into(),
            ..Default::default()
        }));
        let with = "of an authenticator app";
        let begun = transcript
            .call("FactorService.BeginEnrollment", with, begun)
            .await?;
        let Some(secret) = TotpSecret::from_base32(&begun.secret) else {
            return Err(transcript.unexpected("the secret is not base32"));
        };
        let until = instant(begun.expire_time);
        transcript.answer(&format!("a secret and a QR code, good until {until}"))?;

        let enrolled_at = SystemClock::new().now();
        let confirmed = client.confirm_enrollment(self.request(ConfirmEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            enrollment_id: begun.enrollment_id,
            code: secret.code_at(enrolled_at),
            ..Default::default()
        }));
        let with = "with the code that the app shows";
        let confirmed = transcript
            .call("FactorService.ConfirmEnrollment", with, confirmed)
            .await?;
        let (id, codes) = (&confirmed.factor_id, confirmed.recovery_codes);
        transcript.answer(&format!("factor {id}, {} recovery codes", codes.len()))?;
        let Some(recovery_code) = codes.into_iter().next() else {
            return Err(transcript.unexpected("there is no recovery code in it"));
        };
        Ok(App {
            secret,
            enrolled_at,
            recovery_code,
        })
    }

    /// The access token of the same session, in which two factors were shown.
    pub(super) async fn step_up(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
        app: &App,
    ) -> Result<Tokens, Stopped> {
        let mut client = self.sessions();
        let stepped_up = client.step_up_session(self.request(StepUpSessionRequest {
            access_token: tokens.access_token.clone(),
            code: app.recovery_code.clone(),
            ..Default::default()
        }));
        let with = "with a recovery code, in place of a new sign-in";
        let stepped_up = transcript
            .call("SessionService.StepUpSession", with, stepped_up)
            .await?;
        let (acr, at) = (&stepped_up.acr, instant(stepped_up.authentication_time));
        let access = shortened(&stepped_up.access_token);
        transcript.answer(&format!("access token {access}, {acr} since {at}"))?;
        let is_same = stepped_up.session_id == tokens.session_id;
        transcript.demand(is_same, "the session is another one")?;
        Ok(Tokens {
            access_token: stepped_up.access_token,
            access_token_expire_time: stepped_up.access_token_expire_time,
            ..tokens.clone()
        })
    }

    /// Answers the question for a second factor.
    pub(super) async fn answer_with_app(
        &self,
        transcript: &mut Transcript<'_>,
        required: MfaRequired,
        app: &App,
    ) -> Result<Tokens, Stopped> {
        let with = "with the next code of the app";
        let id = required.mfa_session_id;
        self.validate_mfa(transcript, with, id, app.next_code())
            .await
    }

    /// Signs in without a password: a code of our own, as a service that delivers
    /// codes itself does it.
    pub(super) async fn sign_in_by_code(
        &self,
        transcript: &mut Transcript<'_>,
        user_id: &str,
    ) -> Result<Tokens, Stopped> {
        let mut client = self.sessions();
        let created = client.create_mfa_session(self.request(CreateMfaSessionRequest {
            user: Some(User::UserId(user_id.into())),
            code: self.code.clone(),
            client_context: client_context(),
            ..Default::default()
        }));
        let with = "to sign in without a password, with a code of our own";
        let created = transcript
            .call("SessionService.CreateMfaSession", with, created)
            .await?;
        let (id, until) = (created.mfa_session_id, instant(created.expire_time));
        transcript.answer(&format!(
            "MFA session {}, good until {until}",
            shortened(&id)
        ))?;
        self.validate_mfa(transcript, "with that code", id, self.code.clone())
            .await
    }

    async fn validate_mfa(
        &self,
        transcript: &mut Transcript<'_>,
        with: &str,
        mfa_session_id: String,
        code: String,
    ) -> Result<Tokens, Stopped> {
        let mut client = self.sessions();
        let validated = client.validate_mfa_session(self.request(ValidateMfaSessionRequest {
            mfa_session_id,
            code,
            ..Default::default()
        }));
        let validated = transcript
            .call("SessionService.ValidateMfaSession", with, validated)
            .await?;
        let Some(tokens) = validated.tokens else {
            return Err(transcript.unexpected("there are no tokens in it"));
        };
        let on_device = match validated.device_token_expire_time {
            Some(_) if validated.device_token.is_empty() => ", on a known device",
            Some(_) => ", on a device that is known from now on",
            None => "",
        };
        let session = &tokens.session_id;
        transcript.answer(&format!("tokens of session {session}{on_device}"))?;
        Ok(tokens)
    }

    /// Ends what sessions are left, so that none stays behind.
    pub(super) async fn end_sessions(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
        expected: i32,
    ) -> Result<(), Stopped> {
        let mut client = self.sessions();
        let ended = client.revoke_user_sessions(self.request(RevokeUserSessionsRequest {
            person: Some(Person {
                by: Some(By::AccessToken(tokens.access_token.clone())),
            }),
            keep_current: false,
        }));
        let with = "of the person with this access token";
        let ended = transcript
            .call("SessionService.RevokeUserSessions", with, ended)
            .await?;
        let count = ended.revoked_count;
        transcript.answer(&format!("{count} sessions have ended, no device is known"))?;
        transcript.demand(count == expected, "there were more or fewer sessions")
    }
}
