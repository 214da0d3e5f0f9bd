//! SessionService's messages about MFA sessions, each made the command that it
//! asks for.

use countersign_domain::model::{Assertion, Channel, Code, MfaSessionId, NamedUser, Region};
use countersign_domain::use_cases::{
    BeginMfaAssertion, CreateMfaSession, MfaAnswer, MfaCode, SendMfaCode, ValidateMfaSession,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

impl TryFrom<Asked<'_, v1::CreateMfaSessionRequest>> for CreateMfaSession {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CreateMfaSessionRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let rules = convert::group_rules(&mut fields, "group_id", &message.group_id, app)?;
        let user = named_user(&mut fields, message.user, app.settings.region);
        let code = match message.enrolled_factors {
            true => without_code(&mut fields, &message.code, message.channel),
            false => code(&mut fields, message.code, message.channel),
        };
        if let (Some(NamedUser::Identifier(named)), Some(MfaCode::Sent(channel))) = (&user, &code)
            && let Some(address) = named.address()
            && channel.is_none_or(|channel| channel.leads_to(&address))
        {
            convert::reachable(
                &mut fields,
                "identifier",
                Some(&address),
                &app.settings.verification,
            );
        }
        let ttl = convert::code_ttl(&mut fields, message.ttl);
        let audience = fields.take("audience", rules.offered_audience(&message.audience));
        let scopes = convert::scopes(&mut fields, &message.scopes, &rules);
        let client = convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                group: rules.id().clone(),
                user: user?,
                code: code?,
                ttl,
                audience: audience?,
                scopes,
                client_id: call.caller.name.clone(),
                locale: call.locale,
                client: client?,
            })
        })
    }
}

fn named_user(
    fields: &mut Fields,
    message: Option<v1::create_mfa_session_request::User>,
    region: Region,
) -> Option<NamedUser> {
    use v1::create_mfa_session_request::User;
    match message {
        Some(User::UserId(id)) => fields.take("user_id", id.parse()).map(NamedUser::Id),
        Some(User::Identifier(identifier)) => {
            convert::identifier(fields, "identifier", Some(identifier), region)
                .map(NamedUser::Identifier)
        }
        None => {
            fields.refuse("user", "must have a user_id or an identifier");
            None
        }
    }
}

/// No code is kept: none may be given, and no way to send one.
fn without_code(fields: &mut Fields, code: &str, channel: i32) -> Option<MfaCode> {
    if !code.is_empty() {
        fields.refuse("code", "must not be given with enrolled_factors");
    }
    if channel != 0 {
        fields.refuse("channel", "must not be given with enrolled_factors");
    }
    Some(MfaCode::Enrolled)
}

fn code(fields: &mut Fields, code: String, channel: i32) -> Option<MfaCode> {
    let channel = match v1::MfaChannel::try_from(channel) {
        Ok(v1::MfaChannel::Unspecified) => None,
        Ok(v1::MfaChannel::Phone) => Some(Channel::Phone),
        Ok(v1::MfaChannel::Email) => Some(Channel::Email),
        Err(_) => {
            fields.refuse("channel", "must be a known channel");
            return None;
        }
    };
    if code.is_empty() {
        return Some(MfaCode::Sent(channel));
    }
    if channel.is_some() {
        fields.refuse("channel", "must not be given with a code: it is not sent");
    }
    fields.take("code", Code::parse(code)).map(MfaCode::Own)
}

impl TryFrom<Asked<'_, v1::BeginMfaAssertionRequest>> for BeginMfaAssertion {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::BeginMfaAssertionRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let id = MfaSessionId::parse(message.mfa_session_id);
        let id = fields.take("mfa_session_id", id);
        fields.finish(|| {
            Some(Self {
                group: group?,
                id: id?,
                client_id: call.caller.name.clone(),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::SendMfaCodeRequest>> for SendMfaCode {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::SendMfaCodeRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let id = MfaSessionId::parse(message.mfa_session_id);
        let id = fields.take("mfa_session_id", id);
        let factor_id = fields.take("factor_id", message.factor_id.parse());
        let client = convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                group: group?,
                id: id?,
                factor_id: factor_id?,
                client_id: call.caller.name.clone(),
                locale: call.locale,
                client: client?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::ValidateMfaSessionRequest>> for ValidateMfaSession {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ValidateMfaSessionRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let remember_device = message.remember_device;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let id = fields.take(
            "mfa_session_id",
            MfaSessionId::parse(message.mfa_session_id),
        );
        let answer = convert::one_of(
            &mut fields,
            message.code,
            message.credential,
            |code| Code::typed(&code).map(MfaAnswer::Code),
            |credential| {
                let assertion = Assertion::parse(&credential)?;
                Ok(MfaAnswer::Passkey(Box::new(assertion)))
            },
        );
        fields.finish(|| {
            Some(Self {
                group: group?,
                id: id?,
                answer: answer?,
                client_id: call.caller.name.clone(),
                remember_device,
                locale: call.locale,
            })
        })
    }
}
