//! VerificationService's messages, each made the command that it asks for.

use countersign_domain::model::{Code, LinkToken, Purpose, Region, VerificationId};
use countersign_domain::use_cases::{
    CancelVerification, CheckCode, CheckLink, GetVerification, GetVerificationOfLink, SendCode,
    Which,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

/// What CheckCode checks.
pub(super) enum Check {
    /// What was typed.
    Code(CheckCode),
    /// A link that was confirmed.
    Link(CheckLink),
}

/// How GetVerification finds what it shows.
pub(super) enum Get {
    /// By the id.
    Id(GetVerification),
    /// By the token of a link.
    Link(GetVerificationOfLink),
}

impl TryFrom<Asked<'_, v1::SendCodeRequest>> for SendCode {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::SendCodeRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let region = app.settings.region;
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let address = convert::address(&mut fields, "identifier", message.identifier, region);
        let purpose = convert::purpose(&mut fields, "purpose", message.purpose);
        if purpose == Some(Purpose::PasswordReset) {
            fields.refuse(
                "purpose",
                "must be PURPOSE_SIGN_UP, PURPOSE_SIGN_IN or PURPOSE_CHANGE_IDENTIFIER: \
                 StartPasswordReset starts a reset",
            );
        }
        let access_token = asking(&mut fields, purpose, message.access_token);
        let has_code = !message.code.is_empty();
        let offered = &app.settings.verification;
        let link_prefix =
            convert::link_prefix(&mut fields, &message.link_prefix, has_code, offered);
        let code = convert::optional(&mut fields, "code", message.code, Code::parse);
        if code.is_none() {
            convert::reachable(
                &mut fields,
                "identifier",
                address.as_ref(),
                &app.settings.verification,
            );
        }
        let ttl = convert::code_ttl(&mut fields, message.ttl);
        let client = convert::client(&mut fields, message.client_context);
        let device = convert::device_token(message.device_token);
        fields.finish(|| {
            Some(Self {
                group: group?,
                address: address?,
                purpose: purpose?,
                code,
                access_token,
                link_prefix,
                ttl,
                locale: call.locale,
                client: client?,
                device,
            })
        })
    }
}

/// The access token of the person who is to have the address, if one is to be changed.
fn asking(fields: &mut Fields, purpose: Option<Purpose>, token: String) -> Option<String> {
    if purpose == Some(Purpose::ChangeIdentifier) {
        return convert::required(fields, "access_token", token);
    }
    if !token.is_empty() {
        let rule = "must be empty, unless the purpose is PURPOSE_CHANGE_IDENTIFIER";
        fields.refuse("access_token", rule);
    }
    None
}

impl TryFrom<Asked<'_, v1::CheckCodeRequest>> for Check {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CheckCodeRequest>) -> Result<Self, Error> {
        use v1::check_code_request::Verification;
        let Asked { message, app, .. } = asked;
        let mut fields = Fields::new();
        if let Some(Verification::LinkToken(token)) = &message.verification {
            if !message.code.is_empty() {
                fields.refuse("code", "must be empty, since there is a link_token");
            }
            let token = fields.take("link_token", LinkToken::parse(token));
            return fields.finish(|| Some(Self::Link(CheckLink { token: token? })));
        }
        let which = which(&mut fields, message.verification, app.settings.region);
        let code = fields.take("code", Code::typed(&message.code));
        fields.finish(|| {
            Some(Self::Code(CheckCode {
                which: which?,
                code: code?,
            }))
        })
    }
}

fn which(
    fields: &mut Fields,
    message: Option<v1::check_code_request::Verification>,
    region: Region,
) -> Option<Which> {
    use v1::check_code_request::Verification;
    match message {
        Some(Verification::VerificationId(id)) => {
            fields.take("verification_id", id.parse()).map(Which::Id)
        }
        Some(Verification::Address(named)) => {
            let group = convert::group(fields, "address.group_id", &named.group_id);
            let address = convert::address(fields, "address.identifier", named.identifier, region);
            let purpose = convert::purpose(fields, "address.purpose", named.purpose);
            Some(Which::Latest(group?, address?, purpose?))
        }
        Some(Verification::LinkToken(_)) | None => {
            fields.refuse(
                "verification",
                "must have a verification_id, an address or a link_token",
            );
            None
        }
    }
}

impl TryFrom<Asked<'_, v1::GetVerificationRequest>> for Get {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::GetVerificationRequest>) -> Result<Self, Error> {
        let message = asked.message;
        if message.link_token.is_empty() {
            let id = verification_id(&message.verification_id)?;
            return Ok(Self::Id(GetVerification { id }));
        }
        let mut fields = Fields::new();
        if !message.verification_id.is_empty() {
            fields.refuse(
                "verification_id",
                "must be empty, since there is a link_token",
            );
        }
        let token = fields.take("link_token", LinkToken::parse(&message.link_token));
        fields.finish(|| Some(Self::Link(GetVerificationOfLink { token: token? })))
    }
}

impl TryFrom<Asked<'_, v1::CancelVerificationRequest>> for CancelVerification {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CancelVerificationRequest>) -> Result<Self, Error> {
        let id = verification_id(&asked.message.verification_id)?;
        Ok(Self { id })
    }
}

fn verification_id(text: &str) -> Result<VerificationId, Error> {
    text.parse()
        .map_err(|rule: &str| Error::invalid("verification_id", rule))
}
