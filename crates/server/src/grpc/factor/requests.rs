//! FactorService's messages, each made the command that it asks for.

use countersign_domain::model::{Code, FactorKind, FactorLabel, Registration};
use countersign_domain::use_cases::{
    BeginEnrollment, ConfirmEnrollment, EnrollmentAnswer, ListFactors, RegenerateRecoveryCodes,
    RemoveFactor,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const ACCESS_TOKEN: &str = "access_token";

impl TryFrom<Asked<'_, v1::BeginEnrollmentRequest>> for BeginEnrollment {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::BeginEnrollmentRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let kind = match v1::FactorKind::try_from(message.kind) {
            Ok(v1::FactorKind::Totp) => Ok(FactorKind::Totp),
            Ok(v1::FactorKind::Passkey) => Ok(FactorKind::Passkey),
            _ => Err("must be FACTOR_KIND_TOTP or FACTOR_KIND_PASSKEY"),
        };
        let kind = fields.take("kind", kind);
        let label = fields.take("label", FactorLabel::parse(&message.label));
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                kind: kind?,
                label: label?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::ConfirmEnrollmentRequest>> for ConfirmEnrollment {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ConfirmEnrollmentRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let enrollment_id = fields.take("enrollment_id", message.enrollment_id.parse());
        let answer = convert::one_of(
            &mut fields,
            message.code,
            message.credential,
            |code| Code::typed(&code).map(EnrollmentAnswer::Code),
            |credential| {
                let registration = Registration::parse(&credential)?;
                Ok(EnrollmentAnswer::Passkey(Box::new(registration)))
            },
        );
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                enrollment_id: enrollment_id?,
                answer: answer?,
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::ListFactorsRequest>> for ListFactors {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListFactorsRequest>) -> Result<Self, Error> {
        let access_token = access_token(asked.message.access_token)?;
        Ok(Self { access_token })
    }
}

impl TryFrom<Asked<'_, v1::RemoveFactorRequest>> for RemoveFactor {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RemoveFactorRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let factor_id = fields.take("factor_id", message.factor_id.parse());
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                factor_id: factor_id?,
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::RegenerateRecoveryCodesRequest>> for RegenerateRecoveryCodes {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RegenerateRecoveryCodesRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        Ok(Self {
            access_token: access_token(message.access_token)?,
            locale: call.locale,
        })
    }
}

fn access_token(text: String) -> Result<String, Error> {
    let mut fields = Fields::new();
    let access_token = convert::required(&mut fields, ACCESS_TOKEN, text);
    fields.finish(|| access_token)
}
