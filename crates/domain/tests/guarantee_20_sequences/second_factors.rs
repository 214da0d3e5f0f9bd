//! Questions for a second factor, and answers to them: at a sign-in, and in a session.

use countersign_domain::Error;
use countersign_domain::model::{ClientContext, Locale, MfaSessionId, NamedUser as Named};
use countersign_domain::ports::Content;
use countersign_domain::testing::reference::{Answer, Call, FactorCode, NamedUser, StepUp};
use countersign_domain::use_cases::{
    BeginMfaAssertion, BeginPasskeySignIn, BeginStepUpAssertion, CreateMfaSession, MfaAnswer,
    MfaCode, SendMfaCode, SendStepUpCode, StepUpAnswer, StepUpSession, ValidateMfaSession,
};

use crate::application::Application;
use crate::texts;

impl Application {
    pub(crate) async fn answer_about_second_factors(&self, call: &Call) -> Result<Answer, Error> {
        let app = &self.world.app;
        let locale = Locale::English;
        Ok(match call.clone() {
            Call::CreateMfaSession {
                group,
                user,
                code,
                client,
            } => {
                let create = CreateMfaSession {
                    group: texts::group(group),
                    user: match user {
                        NamedUser::Id(id) => Named::Id(id.parse().expect("an id")),
                        NamedUser::Address(address) => Named::Identifier(texts::at(address).into()),
                    },
                    code: code.map_or(MfaCode::Enrolled, |code| MfaCode::Own(texts::code(&code))),
                    ttl: None,
                    audience: "shop".into(),
                    scopes: Vec::new(),
                    client_id: texts::client_id(client),
                    locale,
                    client: ClientContext::default(),
                };
                let created = create.execute(app).await?;
                Answer::MfaSession {
                    id: created.id.expose().to_owned(),
                    codes: Vec::new(),
                }
            }
            Call::ValidateMfaSession {
                group,
                id,
                code,
                client,
                remember,
            } => {
                let validate = ValidateMfaSession {
                    group: texts::group(group),
                    id: mfa_session(id),
                    answer: match &code {
                        FactorCode::Passkey { .. } => {
                            MfaAnswer::Passkey(Box::new(self.keys.assertion(&code)))
                        }
                        code => MfaAnswer::Code(texts::typed(code)),
                    },
                    client_id: texts::client_id(client),
                    remember_device: remember,
                    locale,
                };
                self.tokens(validate.execute(app).await?).await
            }
            Call::SendMfaCode {
                group,
                id,
                factor,
                client,
            } => {
                let send = SendMfaCode {
                    group: texts::group(group),
                    id: mfa_session(id),
                    factor_id: factor.parse().expect("an id"),
                    client_id: texts::client_id(client),
                    locale,
                    client: ClientContext::default(),
                };
                send.execute(app).await?;
                Answer::CodeSent(self.sent_code().await)
            }
            Call::BeginMfaAssertion { group, id, client } => {
                let begin = BeginMfaAssertion {
                    group: texts::group(group),
                    id: mfa_session(id),
                    client_id: texts::client_id(client),
                };
                Answer::Options(begin.execute(app).await?.options)
            }
            Call::StepUpSession {
                token,
                shown,
                client,
                device,
            } => {
                let step_up = StepUpSession {
                    access_token: token,
                    answer: match &shown {
                        StepUp::Password(number) => StepUpAnswer::Password(texts::known(*number)),
                        StepUp::Factor(code @ FactorCode::Passkey { .. }) => {
                            StepUpAnswer::Passkey(Box::new(self.keys.assertion(code)))
                        }
                        StepUp::Factor(code) => StepUpAnswer::Code(texts::typed(code)),
                    },
                    client_id: texts::client_id(client),
                    device: texts::claim(device),
                };
                let stepped_up = step_up.execute(app).await?;
                let methods = stepped_up.session.methods.iter();
                Answer::SteppedUp {
                    session: stepped_up.session.id.to_string(),
                    access: stepped_up.access.token,
                    methods: methods.map(|method| method.as_str().into()).collect(),
                }
            }
            Call::SendStepUpCode {
                token,
                factor,
                client,
            } => {
                let send = SendStepUpCode {
                    access_token: token,
                    factor_id: factor.map(|factor| factor.parse().expect("an id")),
                    client_id: texts::client_id(client),
                    locale,
                    client: ClientContext::default(),
                };
                send.execute(app).await?;
                Answer::CodeSent(self.sent_code().await)
            }
            Call::BeginStepUpAssertion { token, client } => {
                let begin = BeginStepUpAssertion {
                    access_token: token,
                    client_id: texts::client_id(client),
                };
                Answer::Options(begin.execute(app).await?.options)
            }
            Call::BeginPasskeySignIn { group, client } => {
                let begin = BeginPasskeySignIn {
                    group: texts::group(group),
                    client_id: texts::client_id(client),
                };
                Answer::Options(begin.execute(app)?.options)
            }
            other => panic!("{other:?} is not about second factors"),
        })
    }

    /// The code that was sent now, and where to.
    pub(crate) async fn sent_code(&self) -> Option<(u8, String)> {
        let sent = self.world.take_sent().await.into_iter().rev();
        let mut codes = sent.filter_map(|message| match message.content {
            Content::Code { code, .. } => {
                Some((texts::number(&message.to), code.expose().to_owned()))
            }
            _ => None,
        });
        codes.next()
    }
}

fn mfa_session(id: String) -> MfaSessionId {
    MfaSessionId::parse(id).expect("an id")
}
