//! `countersign try`: the main job from the caller's side, from a code to a
//! revoked token, and the other ways to sign in. It is also the shortest example of
//! how the RPCs fit together.

use std::io::Write;

use countersign_proto::v1::check_code_request::Verification;
use countersign_proto::v1::person::By;
use countersign_proto::v1::session_service_client::SessionServiceClient;
use countersign_proto::v1::sign_up_response::Outcome as SignedUp;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_proto::v1::verification_service_client::VerificationServiceClient;
use countersign_proto::v1::{
    CheckCodeRequest, ListSessionsRequest, Person, Purpose, RefreshTokensRequest, RejectionReason,
    RevokeTokenRequest, SendCodeRequest, SignUpRequest, Tokens, ValidateTokenRequest,
};

use super::arguments::Try;
use super::failure::{Failure, Outcome};
use super::try_client::TryClient;
use super::try_transcript::{Stopped, Transcript, instant, shortened};

/// Makes the calls of the main job in turn, and shows each.
pub(super) async fn execute(arguments: &Try, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let client = TryClient::connect(arguments).await?;
    writeln!(
        out,
        "The main job at {}, as {}:\n",
        arguments.server.addr, client.address
    )?;
    let mut transcript = Transcript::new(out);
    client.try_main_job(&mut transcript).await?;
    let calls = transcript.calls();
    writeln!(out, "\nAll {calls} answers are as expected.")?;
    Ok(Outcome::Done)
}

impl TryClient {
    async fn try_main_job(&self, transcript: &mut Transcript<'_>) -> Result<(), Stopped> {
        let proof = self.prove_address(transcript).await?;
        let user_id = self.sign_up(transcript, proof).await?;
        let first = self.sign_in(transcript, &user_id).await?;
        self.expect_valid(transcript, &first.tokens, &user_id)
            .await?;
        let renewed = self.refresh(transcript, &first.tokens).await?;
        self.list_sessions(transcript, &renewed).await?;
        let app = self.enroll_app(transcript, &renewed).await?;
        let raised = self.step_up(transcript, &renewed, &app).await?;
        self.revoke(transcript, &raised).await?;
        self.expect_revoked(transcript, &raised).await?;
        let second = self.sign_in_again(transcript, &first, &app).await?;
        if first.by_code {
            return self.end_sessions(transcript, &second, 1).await;
        }
        let third = self.sign_in_by_code(transcript, &user_id).await?;
        self.end_sessions(transcript, &third, 2).await
    }

    async fn prove_address(&self, transcript: &mut Transcript<'_>) -> Result<String, Stopped> {
        let mut client = VerificationServiceClient::new(self.channel.clone());
        let sent = client.send_code(self.request(SendCodeRequest {
            identifier: Some(self.identifier()),
            purpose: Purpose::SignUp.into(),
            code: self.code.clone(),
            ..Default::default()
        }));
        let with = "to the address, with a code of our own, so that no message is needed";
        let sent = transcript
            .call("VerificationService.SendCode", with, sent)
            .await?;
        let until = instant(sent.expire_time);
        let id = sent.verification_id;
        transcript.answer(&format!("verification {id}, good until {until}"))?;

        let checked = client.check_code(self.request(CheckCodeRequest {
            verification: Some(Verification::VerificationId(id)),
            code: self.code.clone(),
        }));
        let checked = transcript
            .call("VerificationService.CheckCode", "with that code", checked)
            .await?;
        let until = instant(checked.proof_expire_time);
        let proof = shortened(&checked.proof);
        transcript.answer(&format!("proof {proof}, good until {until}"))?;
        Ok(checked.proof)
    }

    async fn sign_up(
        &self,
        transcript: &mut Transcript<'_>,
        proof: String,
    ) -> Result<String, Stopped> {
        let mut client = self.auth();
        let signed_up = client.sign_up(self.request(SignUpRequest {
            identifier: Some(self.identifier()),
            password: self.password.clone(),
            proof,
            ..Default::default()
        }));
        let with = "with the proof and a password";
        let signed_up = transcript
            .call("AuthService.SignUp", with, signed_up)
            .await?;
        match signed_up.outcome {
            Some(SignedUp::UserId(user_id)) => {
                transcript.answer(&format!("user {user_id}, active"))?;
                Ok(user_id)
            }
            _ => Err(transcript.unexpected("the user is not active")),
        }
    }

    async fn refresh(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
    ) -> Result<Tokens, Stopped> {
        let mut client = self.auth();
        let refreshed = client.refresh_tokens(self.request(RefreshTokensRequest {
            refresh_token: tokens.refresh_token.clone(),
            ..Default::default()
        }));
        let with = "with the refresh token";
        let refreshed = transcript
            .call("AuthService.RefreshTokens", with, refreshed)
            .await?;
        let Some(renewed) = refreshed.tokens else {
            return Err(transcript.unexpected("there are no tokens in it"));
        };
        show(transcript, &renewed)?;
        let is_renewed = renewed.refresh_token != tokens.refresh_token;
        transcript.demand(is_renewed, "the refresh token is the old one")?;
        let is_same = renewed.session_id == tokens.session_id;
        transcript.demand(is_same, "the session is another one")?;
        Ok(renewed)
    }

    async fn list_sessions(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
    ) -> Result<(), Stopped> {
        let mut client = SessionServiceClient::new(self.channel.clone());
        let listed = client.list_sessions(self.request(ListSessionsRequest {
            person: Some(Person {
                by: Some(By::AccessToken(tokens.access_token.clone())),
            }),
            ..Default::default()
        }));
        let with = "of the person with this access token";
        let listed = transcript
            .call("SessionService.ListSessions", with, listed)
            .await?;
        for session in &listed.sessions {
            let current = if session.current {
                ", the current one"
            } else {
                ""
            };
            let since = instant(session.create_time);
            let agent = &session.user_agent;
            transcript.answer(&format!(
                "{}{current}, {agent:?} since {since}",
                session.session_id
            ))?;
        }
        let [session] = listed.sessions.as_slice() else {
            return Err(transcript.unexpected("there is not just one session"));
        };
        let is_ours = session.current && session.session_id == tokens.session_id;
        transcript.demand(is_ours, "the session is another one")
    }

    async fn revoke(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
    ) -> Result<(), Stopped> {
        let mut client = self.auth();
        let revoked = client.revoke_token(self.request(RevokeTokenRequest {
            token: tokens.refresh_token.clone(),
        }));
        let with = "with the refresh token";
        transcript
            .call("AuthService.RevokeToken", with, revoked)
            .await?;
        transcript.answer("the session has ended")
    }

    async fn expect_valid(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
        user_id: &str,
    ) -> Result<(), Stopped> {
        match self
            .validate(transcript, tokens, "with the access token")
            .await?
        {
            Some(Verdict::Valid(claims)) => {
                let (subject, audience) = (&claims.subject, claims.audience.join(" "));
                transcript.answer(&format!("valid: sub {subject}, aud {audience}"))?;
                transcript.demand(subject == user_id, "the subject is another user")?;
                let is_ours = claims.session_id == tokens.session_id;
                transcript.demand(is_ours, "the session is another one")
            }
            other => {
                let found = describe(other.as_ref());
                transcript.demand(false, &found)
            }
        }
    }

    async fn expect_revoked(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
    ) -> Result<(), Stopped> {
        let with = "with the access token of the ended session";
        let verdict = self.validate(transcript, tokens, with).await?;
        let found = describe(verdict.as_ref());
        let is_revoked = matches!(
            verdict,
            Some(Verdict::Rejected(rejection)) if rejection.reason() == RejectionReason::Revoked
        );
        transcript.demand(is_revoked, &found)?;
        transcript.answer(&found)
    }

    async fn validate(
        &self,
        transcript: &mut Transcript<'_>,
        tokens: &Tokens,
        with: &str,
    ) -> Result<Option<Verdict>, Stopped> {
        let mut client = self.auth();
        let validated = client.validate_token(self.request(ValidateTokenRequest {
            access_token: tokens.access_token.clone(),
            ..Default::default()
        }));
        let validated = transcript
            .call("AuthService.ValidateToken", with, validated)
            .await?;
        Ok(validated.verdict)
    }
}

pub(super) fn show(transcript: &mut Transcript<'_>, tokens: &Tokens) -> Result<(), Stopped> {
    let (access, refresh) = (&tokens.access_token, &tokens.refresh_token);
    let until = instant(tokens.access_token_expire_time);
    transcript.answer(&format!(
        "access token {}, good until {until}",
        shortened(access)
    ))?;
    let until = instant(tokens.refresh_token_expire_time);
    transcript.answer(&format!(
        "refresh token {}, good until {until}",
        shortened(refresh)
    ))
}

fn describe(verdict: Option<&Verdict>) -> String {
    match verdict {
        Some(Verdict::Valid(_)) => "valid".into(),
        Some(Verdict::Rejected(rejection)) => {
            let name = rejection.reason().as_str_name();
            format!("rejected: {}", name.trim_start_matches("REJECTION_REASON_"))
        }
        None => "neither valid nor rejected".into(),
    }
}
