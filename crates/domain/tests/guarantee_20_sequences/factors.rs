//! Questions about the second factors that there are.

use countersign_domain::Error;
use countersign_domain::model::{Address, Channel, ClientContext, FactorKind, FactorLabel, Locale};
use countersign_domain::testing::reference::{Answer, Call, FactorCode, Given, NewFactor};
use countersign_domain::use_cases::{
    BeginCodeEnrollment, BeginEnrollment, ConfirmEnrollment, EnrollmentAnswer, ListFactors,
    RegenerateRecoveryCodes, RemoveFactor,
};

use crate::application::Application;
use crate::texts::{self, typed};

impl Application {
    pub(crate) async fn answer_about_factors(&self, call: &Call) -> Result<Answer, Error> {
        let app = &self.world.app;
        let locale = Locale::English;
        Ok(match call.clone() {
            Call::BeginEnrollment { token, factor } => self.begin_enrollment(token, factor).await?,
            Call::ConfirmEnrollment { token, id, code } => {
                let confirm = ConfirmEnrollment {
                    access_token: token,
                    enrollment_id: id.parse().expect("an id"),
                    answer: match &code {
                        FactorCode::NewPasskey { key, options } => {
                            EnrollmentAnswer::Passkey(Box::new(self.keys.make(*key, options)))
                        }
                        code => EnrollmentAnswer::Code(typed(code)),
                    },
                    locale,
                };
                let enrolled = confirm.execute(app).await?;
                let codes = enrolled.recovery_codes.iter();
                Answer::Factor {
                    id: enrolled.factor.id.to_string(),
                    recovery: codes.map(|code| code.to_shown().to_string()).collect(),
                }
            }
            Call::RemoveFactor { token, id } => {
                let remove = RemoveFactor {
                    access_token: token,
                    factor_id: id.parse().expect("an id"),
                    locale,
                };
                remove.execute(app).await?;
                Answer::Done
            }
            Call::RegenerateRecoveryCodes { token } => {
                let regenerate = RegenerateRecoveryCodes {
                    access_token: token,
                    locale,
                };
                let codes = regenerate.execute(app).await?;
                let codes = codes.iter().map(|code| code.to_shown().to_string());
                Answer::RecoveryCodes(codes.collect())
            }
            Call::ListFactors { token } => {
                let list = ListFactors {
                    access_token: token,
                };
                let listed = list.execute(app).await?;
                Answer::Factors {
                    ids: listed
                        .factors
                        .iter()
                        .map(|f| f.factor.id.to_string())
                        .collect(),
                    recovery_left: listed.recovery_codes_left,
                }
            }
            other => panic!("{other:?} is not about factors"),
        })
    }

    async fn begin_enrollment(
        &self,
        access_token: String,
        factor: NewFactor<u8>,
    ) -> Result<Answer, Error> {
        let app = &self.world.app;
        let label = FactorLabel::parse("mine").expect("a name");
        let kind = match factor {
            NewFactor::App => FactorKind::Totp,
            NewFactor::Passkey => FactorKind::Passkey,
            NewFactor::Address(number) => {
                let address = texts::at(number);
                let begin = BeginCodeEnrollment {
                    access_token,
                    channel: match address {
                        Address::Phone(_) => Channel::Phone,
                        Address::Email(_) => Channel::Email,
                    },
                    address: Some(address),
                    label,
                    locale: Locale::English,
                    client: ClientContext::default(),
                };
                let enrollment = begin.execute(app).await?.enrollment;
                let (to, code) = self.sent_code().await.expect("a code was sent");
                return Ok(Answer::Enrollment {
                    id: enrollment.id.to_string(),
                    given: Given::Code { to, code },
                });
            }
        };
        let begin = BeginEnrollment {
            access_token,
            kind,
            label,
        };
        let begun = begin.execute(app).await?;
        let secret = begun.enrollment.totp().map(|secret| {
            let bytes = secret.expose().iter();
            Given::App(bytes.map(|byte| format!("{byte:02x}")).collect())
        });
        let options = begun.creation_options.map(Given::Passkey);
        Ok(Answer::Enrollment {
            id: begun.enrollment.id.to_string(),
            given: secret.or(options).expect("a secret or options"),
        })
    }
}
