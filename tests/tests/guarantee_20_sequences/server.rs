//! A real server, asked in plain texts.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use countersign_domain::model::{Purpose, Timestamp};
use countersign_domain::testing::reference::{
    Answer, Call, FactorCode, Grant, Subject, Tokens, Which,
};
use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_tests::{Details, Gateway, LINK_PREFIX, World, token_of};
use tonic::Status;

use crate::keys::Keys;
use crate::texts::{People, group, password, person, purpose, typed};

/// Before the end of a step of 30 seconds no code of an app is used.
const STEP_MILLIS: i64 = 30_000;
const LAST_MILLIS: i64 = 5_000;

/// Replicas of a server, and people of one sequence.
pub(crate) struct Server<'a> {
    pub(crate) world: &'a World,
    callers: &'a [Vec<Gateway>; 2],
    pub(crate) people: People,
    pub(crate) keys: Keys,
    /// The addresses of factors that were offered, by their ids.
    pub(crate) offered: HashMap<String, u8>,
    /// The replica that ends sessions and is asked about them: others learn of it a
    /// little later.
    home: usize,
    turns: usize,
}

impl<'a> Server<'a> {
    pub(crate) fn new(world: &'a World, callers: &'a [Vec<Gateway>; 2], seed: u64) -> Self {
        let replicas = world.replicas().len();
        Self {
            world,
            callers,
            people: People(seed),
            home: usize::try_from(seed).unwrap_or(0) % replicas,
            turns: 0,
            keys: Keys::default(),
            offered: HashMap::new(),
        }
    }

    pub(crate) fn home(&self) -> &'a Gateway {
        &self.callers[0][self.home]
    }

    /// One replica after the other.
    pub(crate) fn any(&mut self, client: u8) -> &'a Gateway {
        self.turns += 1;
        let gateways = &self.callers[usize::from(client)];
        &gateways[self.turns % gateways.len()]
    }

    async fn answer(&mut self, call: &Call) -> Result<Answer, Status> {
        match call.clone() {
            Call::SignUp {
                group,
                address,
                username,
                password,
                proof,
            } => {
                self.sign_up(group, address, username, password, proof)
                    .await
            }
            Call::ConfirmSignUp { id, code } => {
                Ok(Answer::User(self.any(0).confirm(&id, &code).await?))
            }
            Call::SendCode {
                group,
                address,
                purpose,
                code,
                token,
            } => self.send(group, address, (purpose, token), code).await,
            Call::CheckCode { .. } | Call::CheckLink { .. } | Call::CancelVerification { .. } => {
                self.check(call).await
            }
            Call::IssueTokens {
                group,
                grant,
                client,
                device,
            } => self.issue(group, grant, client, device).await,
            Call::RefreshTokens { token, client } => {
                let gateway = &self.callers[usize::from(client)][self.home];
                let tokens = gateway.refresh(&token).await?;
                self.tokens(Some(tokens), false, String::new()).await
            }
            _ => self.answer_a_person(call).await,
        }
    }

    /// What a person asks who is signed in.
    async fn answer_a_person(&mut self, call: &Call) -> Result<Answer, Status> {
        let home = self.home();
        Ok(match call.clone() {
            Call::ValidateToken { token, required } => {
                let acr_values: &[_] = if required.is_aal2 { &["aal2"] } else { &[] };
                let lacking = home.lacking(&token, required.max_age, acr_values).await?;
                Answer::Verdict(match lacking.strip_prefix("REJECTION_REASON_") {
                    Some(reason) => reason.into(),
                    None if lacking == "VALID" => lacking,
                    None => "INSUFFICIENT".into(),
                })
            }
            Call::RevokeToken { token } => {
                home.revoke(&token).await?;
                Answer::Done
            }
            Call::ListSessions { token } => {
                let request = v1::ListSessionsRequest {
                    person: person(token),
                    page_size: 100,
                    page_token: String::new(),
                };
                let listed = home.sessions().list_sessions(request).await?.into_inner();
                let sessions = listed.sessions.into_iter();
                Answer::Sessions(sessions.map(|session| session.session_id).collect())
            }
            Call::RevokeSession { token, session } => {
                let request = v1::RevokeSessionRequest {
                    person: person(token),
                    session_id: session,
                };
                home.sessions().revoke_session(request).await?;
                Answer::Done
            }
            Call::RevokeUserSessions { token, keep } => {
                let request = v1::RevokeUserSessionsRequest {
                    person: person(token),
                    keep_current: keep,
                };
                let ended = home.sessions().revoke_user_sessions(request).await?;
                Answer::Ended(ended.into_inner().revoked_count.unsigned_abs())
            }
            Call::SuspendUser { user } => {
                home.suspend(&user, "").await?;
                Answer::Done
            }
            Call::ReinstateUser { user } => {
                home.reinstate(&user).await?;
                Answer::Done
            }
            Call::ChangePassword {
                token,
                current,
                new,
            } => {
                let request = v1::ChangePasswordRequest {
                    access_token: token,
                    current_password: password(current),
                    new_password: password(new),
                    ..Default::default()
                };
                home.auth().change_password(request).await?;
                Answer::Done
            }
            Call::ResetPassword { proof, new } => {
                home.reset_password(&proof, &password(new)).await?;
                Answer::Done
            }
            Call::AddIdentifier { .. }
            | Call::ChangeIdentifier { .. }
            | Call::RemoveIdentifier { .. }
            | Call::UndoIdentifierChange { .. }
            | Call::ListIdentifiers { .. } => return self.answer_about_addresses(call).await,
            Call::BeginEnrollment { .. }
            | Call::ConfirmEnrollment { .. }
            | Call::RemoveFactor { .. }
            | Call::RegenerateRecoveryCodes { .. }
            | Call::ListFactors { .. } => return self.answer_about_factors(call).await,
            _ => return self.answer_about_second_factors(call).await,
        })
    }

    async fn answer_about_factors(&mut self, call: &Call) -> Result<Answer, Status> {
        let mut factors = self.any(0).factors();
        Ok(match call.clone() {
            Call::BeginEnrollment { token, factor } => self.begin_enrollment(token, factor).await?,
            Call::ConfirmEnrollment { token, id, code } => {
                let mut request = v1::ConfirmEnrollmentRequest {
                    access_token: token,
                    enrollment_id: id,
                    ..Default::default()
                };
                match &code {
                    FactorCode::NewPasskey { key, options } => {
                        request.credential = self.keys.make(*key, options);
                    }
                    code => request.code = typed(code),
                }
                let confirmed = factors.confirm_enrollment(request).await?.into_inner();
                Answer::Factor {
                    id: confirmed.factor_id,
                    recovery: confirmed.recovery_codes,
                }
            }
            Call::RemoveFactor { token, id } => {
                let request = v1::RemoveFactorRequest {
                    access_token: token,
                    factor_id: id,
                };
                factors.remove_factor(request).await?;
                Answer::Done
            }
            Call::RegenerateRecoveryCodes { token } => {
                let request = v1::RegenerateRecoveryCodesRequest {
                    access_token: token,
                };
                let made = factors.regenerate_recovery_codes(request).await?;
                Answer::RecoveryCodes(made.into_inner().recovery_codes)
            }
            Call::ListFactors { token } => {
                let request = v1::ListFactorsRequest {
                    access_token: token,
                };
                let listed = factors.list_factors(request).await?.into_inner();
                let ids = listed.factors.into_iter().map(|factor| factor.factor_id);
                Answer::Factors {
                    ids: ids.collect(),
                    recovery_left: listed.remaining_recovery_codes.unsigned_abs(),
                }
            }
            other => return Err(Status::internal(format!("{other:?} is not asked here"))),
        })
    }

    async fn sign_up(
        &mut self,
        group: u8,
        address: u8,
        username: Option<u8>,
        password: Option<u8>,
        proof: Option<String>,
    ) -> Result<Answer, Status> {
        use v1::sign_up_response::Outcome;
        let request = v1::SignUpRequest {
            group_id: self::group(group),
            identifier: self.people.at(address),
            username: username
                .map(|name| self.people.name(name))
                .unwrap_or_default(),
            password: password.map(self::password).unwrap_or_default(),
            proof: proof.unwrap_or_default(),
            ..Default::default()
        };
        let is_owned = self.is_owned(group, address).await;
        let signed_up = self.any(0).auth().sign_up(request).await?.into_inner();
        match signed_up.outcome {
            Some(Outcome::UserId(id)) => Ok(Answer::User(id)),
            Some(Outcome::Pending(pending)) => {
                let id = pending.verification_id;
                let code = match is_owned {
                    true => None,
                    false => Some(self.world.read_code(&self.people.masked(address)).await),
                };
                Ok(Answer::Pending { id, code })
            }
            None => Err(Status::internal("no outcome")),
        }
    }

    async fn send(
        &mut self,
        group: u8,
        address: u8,
        (to_what, token): (Purpose, Option<String>),
        code: Option<String>,
    ) -> Result<Answer, Status> {
        let is_link = code.is_none();
        let is_for_anybody = matches!(to_what, Purpose::SignUp | Purpose::ChangeIdentifier);
        let is_sent = match to_what {
            Purpose::PasswordReset => self.is_active(group, address).await,
            _ => is_for_anybody || self.is_owned(group, address).await,
        };
        let (code, link_prefix) = match code {
            Some(code) => (code, String::new()),
            None => (String::new(), LINK_PREFIX.to_owned()),
        };
        let gateway = self.any(0);
        let id = match to_what {
            Purpose::PasswordReset => {
                let request = v1::StartPasswordResetRequest {
                    group_id: self::group(group),
                    identifier: self.people.at(address),
                    code,
                    link_prefix,
                    ..Default::default()
                };
                gateway.ask_for_reset(request).await?
            }
            _ => {
                let request = v1::SendCodeRequest {
                    group_id: self::group(group),
                    identifier: self.people.at(address),
                    purpose: purpose(to_what).into(),
                    code,
                    link_prefix,
                    access_token: token.unwrap_or_default(),
                    ..Default::default()
                };
                gateway.ask_for_code(request).await?
            }
        };
        let link = match is_link && is_sent {
            true => Some(self.world.read_link(&self.people.masked(address)).await),
            false => None,
        };
        let link = link.map(|link| token_of(&link).to_owned());
        Ok(Answer::Sent { id, link })
    }

    async fn check(&mut self, call: &Call) -> Result<Answer, Status> {
        let gateway = self.any(0);
        Ok(match call.clone() {
            Call::CheckCode {
                which: Which::Id(id),
                code,
            } => Answer::Proof(gateway.check_code(&id, &code).await?),
            Call::CheckCode {
                which:
                    Which::Latest {
                        group,
                        address,
                        purpose,
                    },
                code,
            } => {
                let latest = v1::VerifiedAddress {
                    group_id: self::group(group),
                    identifier: self.people.at(address),
                    purpose: self::purpose(purpose).into(),
                };
                Answer::Proof(gateway.check_latest(latest, &code).await?)
            }
            Call::CheckLink { token } => Answer::Proof(gateway.check_link(&token).await?),
            Call::CancelVerification { id } => {
                gateway.cancel(&id).await?;
                Answer::Done
            }
            other => return Err(Status::internal(format!("{other:?} is not asked here"))),
        })
    }

    async fn issue(
        &mut self,
        group: u8,
        grant: Grant,
        client: u8,
        device_token: Option<String>,
    ) -> Result<Answer, Status> {
        use v1::issue_tokens_request::Grant as Shown;
        let grant = match grant {
            Grant::Proof(proof) => Shown::VerifiedCode(v1::VerifiedCodeGrant { proof }),
            Grant::Passkey(shown) => Shown::Passkey(v1::PasskeyGrant {
                credential: self.keys.signed(&shown).expect("it is a passkey"),
            }),
            Grant::Password { who, password } => Shown::Password(v1::PasswordGrant {
                identifier: self.people.who(who),
                password: self::password(password),
            }),
        };
        let request = v1::IssueTokensRequest {
            group_id: self::group(group),
            grant: Some(grant),
            device_token,
            ..Default::default()
        };
        let issued = self.any(client).auth().issue_tokens(request).await?;
        let issued = issued.into_inner();
        match issued.outcome {
            Some(Outcome::MfaRequired(asked)) => Ok(self.asked(asked)),
            Some(Outcome::Tokens(tokens)) => {
                let is_known = issued.device_token_expire_time.is_some();
                self.tokens(Some(tokens), is_known, issued.device_token)
                    .await
            }
            Some(Outcome::ServiceAccountToken(_) | Outcome::FederatedAccount(_)) | None => {
                Err(Status::internal("no outcome"))
            }
        }
    }

    pub(crate) async fn tokens(
        &self,
        tokens: Option<v1::Tokens>,
        is_known: bool,
        device: String,
    ) -> Result<Answer, Status> {
        let tokens = tokens.ok_or_else(|| Status::internal("no tokens"))?;
        let claims = self.home().validate(&tokens.access_token).await?;
        let claims = claims.map_err(|why| Status::internal(format!("not good: {why:?}")))?;
        Ok(Answer::Tokens(Box::new(Tokens {
            user: tokens.user_id,
            session: tokens.session_id,
            access: tokens.access_token,
            refresh: tokens.refresh_token,
            methods: claims.authentication_methods,
            is_known,
            device: (!device.is_empty()).then_some(device),
        })))
    }
}

#[async_trait]
impl Subject for Server<'_> {
    /// Between the ends of steps, so that it is the same step when it is judged.
    async fn now(&mut self) -> Timestamp {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let left = STEP_MILLIS - now_millis().rem_euclid(STEP_MILLIS);
        if left < LAST_MILLIS {
            let left = u64::try_from(left).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(left + 50)).await;
        }
        Timestamp::from_millis(now_millis())
    }

    /// Here it goes on by itself.
    async fn pass(&mut self, _span: Duration) {}

    async fn ask(&mut self, call: &Call) -> Result<Answer, String> {
        match self.answer(call).await {
            Ok(answer) => Ok(answer),
            Err(status) => match Details::of(&status).reason {
                reason if reason.is_empty() => Err(format!("{status:?}")),
                reason => Ok(Answer::Refused(reason)),
            },
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an app on a person's phone goes by its own clock"
)]
fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.expect("the machine's clock is set");
    i64::try_from(since.as_millis()).expect("not so many")
}
