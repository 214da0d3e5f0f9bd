//! Questions about second factors.

use countersign_domain::Error;
use countersign_domain::model::{FactorKind, FactorLabel, Locale};
use countersign_domain::testing::reference::{Answer, Call};
use countersign_domain::use_cases::{
    BeginEnrollment, ConfirmEnrollment, EnrollmentAnswer, ListFactors, RegenerateRecoveryCodes,
    RemoveFactor,
};

use crate::application::Application;
use crate::texts::typed;

impl Application {
    pub(crate) async fn answer_about_factors(&self, call: &Call) -> Result<Answer, Error> {
        let app = &self.world.app;
        let locale = Locale::English;
        Ok(match call.clone() {
            Call::BeginEnrollment { token } => {
                let begin = BeginEnrollment {
                    access_token: token,
                    kind: FactorKind::Totp,
                    label: FactorLabel::parse("phone").expect("a name"),
                };
                let enrollment = begin.execute(app).await?.enrollment;
                let secret = enrollment.totp().expect("an app").expose();
                Answer::Enrollment {
                    id: enrollment.id.to_string(),
                    secret: secret.iter().map(|byte| format!("{byte:02x}")).collect(),
                }
            }
            Call::ConfirmEnrollment { token, id, code } => {
                let confirm = ConfirmEnrollment {
                    access_token: token,
                    enrollment_id: id.parse().expect("an id"),
                    answer: EnrollmentAnswer::Code(typed(&code)),
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
}
