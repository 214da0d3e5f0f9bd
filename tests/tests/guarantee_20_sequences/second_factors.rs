//! Questions for a second factor, and answers to them: at a sign-in, and in a session.

use countersign_domain::testing::reference::{Answer, Call, Given, NamedUser, NewFactor, StepUp};
use countersign_proto::v1;
use tonic::Status;

use crate::server::Server;
use crate::texts::{group, password, typed};

impl Server<'_> {
    pub(crate) async fn answer_about_second_factors(
        &mut self,
        call: &Call,
    ) -> Result<Answer, Status> {
        match call.clone() {
            Call::CreateMfaSession {
                group,
                user,
                code,
                client,
            } => {
                use v1::create_mfa_session_request::User;
                let request = v1::CreateMfaSessionRequest {
                    group_id: self::group(group),
                    user: Some(match user {
                        NamedUser::Id(id) => User::UserId(id),
                        NamedUser::Address(address) => {
                            User::Identifier(self.people.at(address).expect("an address"))
                        }
                    }),
                    enrolled_factors: code.is_none(),
                    code: code.unwrap_or_default(),
                    ..Default::default()
                };
                Ok(Answer::MfaSession {
                    id: self.any(client).ask_for_mfa(request).await?,
                    codes: Vec::new(),
                })
            }
            Call::ValidateMfaSession {
                group,
                id,
                code,
                client,
                remember,
            } => {
                let mut request = v1::ValidateMfaSessionRequest {
                    group_id: self::group(group),
                    mfa_session_id: id,
                    remember_device: remember,
                    ..Default::default()
                };
                match self.keys.signed(&code) {
                    Some(credential) => request.credential = credential,
                    None => request.code = typed(&code),
                }
                let gateway = self.any(client);
                let answered = gateway.sessions().validate_mfa_session(request).await?;
                let answered = answered.into_inner();
                let is_known = answered.device_token_expire_time.is_some();
                self.tokens(answered.tokens, is_known, answered.device_token)
                    .await
            }
            Call::SendMfaCode {
                group,
                id,
                factor,
                client,
            } => {
                let request = v1::SendMfaCodeRequest {
                    group_id: self::group(group),
                    mfa_session_id: id,
                    factor_id: factor.clone(),
                    client_context: None,
                };
                self.any(client).sessions().send_mfa_code(request).await?;
                let to = self.offered.get(&factor).copied();
                Ok(self.code_sent(to.expect("it was offered")).await)
            }
            Call::BeginMfaAssertion { group, id, client } => {
                let request = v1::BeginMfaAssertionRequest {
                    group_id: self::group(group),
                    mfa_session_id: id,
                };
                let mut sessions = self.any(client).sessions();
                let begun = sessions.begin_mfa_assertion(request).await?;
                Ok(Answer::Options(begun.into_inner().request_options))
            }
            Call::BeginPasskeySignIn { group, client } => {
                let request = v1::BeginPasskeySignInRequest {
                    group_id: self::group(group),
                    client_context: None,
                };
                let mut auth = self.any(client).auth();
                let begun = auth.begin_passkey_sign_in(request).await?;
                Ok(Answer::Options(begun.into_inner().request_options))
            }
            _ => self.answer_about_step_ups(call).await,
        }
    }

    async fn answer_about_step_ups(&mut self, call: &Call) -> Result<Answer, Status> {
        match call.clone() {
            Call::StepUpSession {
                token,
                shown,
                client,
                device,
            } => {
                let mut request = v1::StepUpSessionRequest {
                    access_token: token,
                    device_token: device.unwrap_or_default(),
                    ..Default::default()
                };
                match shown {
                    StepUp::Password(number) => request.password = password(number),
                    StepUp::Factor(code) => match self.keys.signed(&code) {
                        Some(credential) => request.credential = credential,
                        None => request.code = typed(&code),
                    },
                }
                let mut sessions = self.any(client).sessions();
                let stepped_up = sessions.step_up_session(request).await?.into_inner();
                let claims = self.home().validate(&stepped_up.access_token).await?;
                let claims =
                    claims.map_err(|why| Status::internal(format!("not good: {why:?}")))?;
                Ok(Answer::SteppedUp {
                    session: stepped_up.session_id,
                    access: stepped_up.access_token,
                    methods: claims.authentication_methods,
                })
            }
            Call::SendStepUpCode {
                token,
                factor,
                client,
            } => {
                let request = v1::SendStepUpCodeRequest {
                    access_token: token,
                    factor_id: factor.unwrap_or_default(),
                    client_context: None,
                };
                let mut sessions = self.any(client).sessions();
                let sent = sessions.send_step_up_code(request).await?.into_inner();
                let to = self.people.number_of_masked(&sent.masked_address);
                Ok(self.code_sent(to).await)
            }
            Call::BeginStepUpAssertion { token, client } => {
                let request = v1::BeginStepUpAssertionRequest {
                    access_token: token,
                };
                let mut sessions = self.any(client).sessions();
                let begun = sessions.begin_step_up_assertion(request).await?;
                Ok(Answer::Options(begun.into_inner().request_options))
            }
            other => Err(Status::internal(format!("{other:?} is not asked here"))),
        }
    }

    /// Notes where codes are offered.
    pub(crate) fn asked(&mut self, asked: v1::MfaRequired) -> Answer {
        let mut codes = Vec::new();
        for factor in asked.code_factors {
            let address = self.people.number_of_masked(&factor.masked_address);
            self.offered.insert(factor.factor_id.clone(), address);
            codes.push((factor.factor_id, address));
        }
        let id = asked.mfa_session_id;
        Answer::MfaSession { id, codes }
    }

    pub(crate) async fn begin_enrollment(
        &mut self,
        access_token: String,
        factor: NewFactor<u8>,
    ) -> Result<Answer, Status> {
        let mut request = v1::BeginEnrollmentRequest {
            access_token,
            label: "mine".into(),
            ..Default::default()
        };
        let kind = match factor {
            NewFactor::App => v1::FactorKind::Totp,
            NewFactor::Passkey => v1::FactorKind::Passkey,
            NewFactor::Address(address) => {
                request.address = self.people.at(address);
                match &request.address.as_ref().expect("an address").value {
                    Some(v1::identifier::Value::Phone(_)) => v1::FactorKind::Sms,
                    _ => v1::FactorKind::Email,
                }
            }
        };
        request.kind = kind.into();
        let mut factors = self.any(0).factors();
        let begun = factors.begin_enrollment(request).await?.into_inner();
        let given = match factor {
            NewFactor::App => Given::App(begun.secret),
            NewFactor::Passkey => Given::Passkey(begun.creation_options),
            NewFactor::Address(_) => {
                let to = self.people.number_of_masked(&begun.masked_address);
                let code = self.world.read_code(&self.people.masked(to)).await;
                Given::Code { to, code }
            }
        };
        let id = begun.enrollment_id;
        Ok(Answer::Enrollment { id, given })
    }

    async fn code_sent(&self, to: u8) -> Answer {
        let code = self.world.read_code(&self.people.masked(to)).await;
        Answer::CodeSent(Some((to, code)))
    }
}
