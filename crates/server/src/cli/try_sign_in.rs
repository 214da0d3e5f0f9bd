//! The sign-ins of `countersign try` by password: on a new device, and again on the
//! known one with a second factor. The settings of the server may ask for less, or
//! for more.

use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::issue_tokens_response::Outcome as Issued;
use countersign_proto::v1::{IssueTokensRequest, IssueTokensResponse, PasswordGrant, Tokens};

use super::try_client::{TryClient, client_context};
use super::try_command::show;
use super::try_factors::App;
use super::try_transcript::{Stopped, Transcript, instant, shortened};

/// What the first sign-in yields.
pub(super) struct FirstSignIn {
    pub(super) tokens: Tokens,
    /// Empty if the device is not known by it.
    device_token: String,
    /// Whether it was by a code alone, which can be had once a minute.
    pub(super) by_code: bool,
}

impl TryClient {
    /// Signs in with the password, or by a code alone where the server asks everybody
    /// for a second factor.
    pub(super) async fn sign_in(
        &self,
        transcript: &mut Transcript<'_>,
        user_id: &str,
    ) -> Result<FirstSignIn, Stopped> {
        let with = "with the password, on a device that is not known yet";
        match self.issue_tokens(transcript, with, "").await {
            Ok(IssueTokensResponse {
                outcome: Some(Issued::Tokens(tokens)),
                device_token,
                device_token_expire_time,
            }) => {
                show(transcript, &tokens)?;
                let until = instant(device_token_expire_time);
                let device = shortened(&device_token);
                transcript.answer(&format!("device token {device}, good until {until}"))?;
                return Ok(FirstSignIn {
                    tokens,
                    device_token,
                    by_code: false,
                });
            }
            Ok(IssueTokensResponse {
                outcome: Some(Issued::MfaRequired(_)),
                ..
            }) => {}
            Err(stopped) if stopped.is_for("SECOND_FACTOR_UNAVAILABLE") => {}
            Ok(_) => return Err(transcript.unexpected("there are no tokens in it")),
            Err(stopped) => return Err(stopped),
        }
        transcript.answer(
            "mfa.policy asks everybody for a second factor, and there is none yet: on by a code",
        )?;
        Ok(FirstSignIn {
            tokens: self.sign_in_by_code(transcript, user_id).await?,
            device_token: String::new(),
            by_code: true,
        })
    }

    /// Signs in with the password and a second factor, if the server asks for it.
    pub(super) async fn sign_in_again(
        &self,
        transcript: &mut Transcript<'_>,
        first: &FirstSignIn,
        app: &App,
    ) -> Result<Tokens, Stopped> {
        let with = if first.device_token.is_empty() {
            "with the password"
        } else {
            "with the password, on the known device"
        };
        let issued = self.issue_tokens(transcript, with, &first.device_token);
        match issued.await?.outcome {
            Some(Issued::MfaRequired(required)) => {
                let names = required.factors().map(|kind| kind.as_str_name());
                let names = names.map(|name| name.trim_start_matches("FACTOR_KIND_"));
                let names: Vec<&str> = names.collect();
                transcript.answer(&format!("a second factor: {}", names.join(" or ")))?;
                self.answer_with_app(transcript, required, app).await
            }
            Some(Issued::Tokens(tokens)) => {
                transcript.answer("tokens at once: mfa.policy asks for no second factor")?;
                Ok(tokens)
            }
            Some(Issued::ServiceAccountToken(_) | Issued::FederatedAccount(_)) | None => {
                Err(transcript.unexpected("there are no tokens in it"))
            }
        }
    }

    async fn issue_tokens(
        &self,
        transcript: &mut Transcript<'_>,
        with: &str,
        device_token: &str,
    ) -> Result<IssueTokensResponse, Stopped> {
        let mut client = self.auth();
        let issued = client.issue_tokens(self.request(IssueTokensRequest {
            grant: Some(Grant::Password(PasswordGrant {
                identifier: Some(self.identifier()),
                password: self.password.clone(),
            })),
            device_token: Some(device_token.into()),
            client_context: client_context(),
            ..Default::default()
        }));
        transcript
            .call("AuthService.IssueTokens", with, issued)
            .await
    }
}
