//! SessionService's messages about authenticating a person again, each made the
//! command that it asks for.

use countersign_domain::model::{Assertion, Code, Password};
use countersign_domain::use_cases::{
    BeginStepUpAssertion, SendStepUpCode, StepUpAnswer, StepUpSession,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

impl TryFrom<Asked<'_, v1::BeginStepUpAssertionRequest>> for BeginStepUpAssertion {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::BeginStepUpAssertionRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, "access_token", message.access_token);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                client_id: call.caller.name.clone(),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::SendStepUpCodeRequest>> for SendStepUpCode {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::SendStepUpCodeRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, "access_token", message.access_token);
        let factor_id = match message.factor_id.is_empty() {
            true => Some(None),
            false => fields
                .take("factor_id", message.factor_id.parse())
                .map(Some),
        };
        let client = convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                factor_id: factor_id?,
                client_id: call.caller.name.clone(),
                locale: call.locale,
                client: client?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::StepUpSessionRequest>> for StepUpSession {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::StepUpSessionRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, "access_token", message.access_token);
        let answer = answer(
            &mut fields,
            message.password,
            &message.code,
            &message.credential,
        );
        convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                answer: answer?,
                client_id: call.caller.name.clone(),
                device: convert::device_token(message.device_token),
            })
        })
    }
}

/// What is shown: exactly one of the three.
fn answer(
    fields: &mut Fields,
    password: String,
    code: &str,
    credential: &str,
) -> Option<StepUpAnswer> {
    match (password.is_empty(), code.is_empty(), credential.is_empty()) {
        (false, true, true) => {
            let password = fields.take("password", Password::to_compare(password));
            password.map(StepUpAnswer::Password)
        }
        (true, false, true) => {
            let code = fields.take("code", Code::typed(code));
            code.map(StepUpAnswer::Code)
        }
        (true, true, false) => {
            let assertion = fields.take("credential", Assertion::parse(credential));
            assertion.map(|assertion| StepUpAnswer::Passkey(Box::new(assertion)))
        }
        (true, true, true) => {
            fields.refuse("password", "must be given, or a code or a credential");
            None
        }
        _ => {
            fields.refuse(
                "password",
                "must not be given with a code or a credential: one of them is shown",
            );
            None
        }
    }
}
