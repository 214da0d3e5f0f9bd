//! FactorService's messages, each made the command that it asks for.

use countersign_domain::application::Application;
use countersign_domain::model::{
    Address, Channel, Code, FactorKind, FactorLabel, Region, Registration,
};
use countersign_domain::use_cases::{
    BeginCodeEnrollment, BeginEnrollment, BegunEnrollment, ConfirmEnrollment, EnrollmentAnswer,
    ListFactors, RegenerateRecoveryCodes, RemoveFactor,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const ACCESS_TOKEN: &str = "access_token";

/// What BeginEnrollment begins to enrol.
pub(super) enum Begin {
    /// An app or a passkey.
    Authenticator(BeginEnrollment),
    /// An address.
    Address(BeginCodeEnrollment),
}

/// The kind of a factor to enrol.
enum NewFactor {
    Authenticator(FactorKind),
    Address(Channel),
}

impl Begin {
    pub(super) async fn execute(self, app: &Application) -> Result<BegunEnrollment, Error> {
        match self {
            Self::Authenticator(begin) => begin.execute(app).await,
            Self::Address(begin) => begin.execute(app).await,
        }
    }
}

impl TryFrom<Asked<'_, v1::BeginEnrollmentRequest>> for Begin {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::BeginEnrollmentRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let kind = match v1::FactorKind::try_from(message.kind) {
            Ok(v1::FactorKind::Totp) => Ok(NewFactor::Authenticator(FactorKind::Totp)),
            Ok(v1::FactorKind::Passkey) => Ok(NewFactor::Authenticator(FactorKind::Passkey)),
            Ok(v1::FactorKind::Sms) => Ok(NewFactor::Address(Channel::Phone)),
            Ok(v1::FactorKind::Email) => Ok(NewFactor::Address(Channel::Email)),
            _ => Err(
                "must be FACTOR_KIND_TOTP, FACTOR_KIND_PASSKEY, FACTOR_KIND_SMS or \
                 FACTOR_KIND_EMAIL",
            ),
        };
        let kind = fields.take("kind", kind);
        let label = fields.take("label", FactorLabel::parse(&message.label));
        let region = app.settings.region;
        let address = address(&mut fields, kind.as_ref(), message.address, region);
        let client = convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            let (access_token, label) = (access_token?, label?);
            Some(match kind? {
                NewFactor::Authenticator(kind) => Self::Authenticator(BeginEnrollment {
                    access_token,
                    kind,
                    label,
                }),
                NewFactor::Address(channel) => Self::Address(BeginCodeEnrollment {
                    access_token,
                    channel,
                    address,
                    label,
                    locale: call.locale,
                    client: client?,
                }),
            })
        })
    }
}

/// The address to enrol, if one is named. It is of the kind that is enrolled.
fn address(
    fields: &mut Fields,
    kind: Option<&NewFactor>,
    message: Option<v1::Identifier>,
    region: Region,
) -> Option<Address> {
    let message = message?;
    let Some(NewFactor::Address(channel)) = kind else {
        let rule = "must be absent: it belongs to FACTOR_KIND_SMS and FACTOR_KIND_EMAIL";
        fields.refuse("address", rule);
        return None;
    };
    let address = convert::address(fields, "address", Some(message), region)?;
    let rule = match channel {
        Channel::Phone => "must have a phone: the kind is FACTOR_KIND_SMS",
        Channel::Email => "must have an email: the kind is FACTOR_KIND_EMAIL",
    };
    let is_of_kind = channel.leads_to(&address);
    fields.take("address", is_of_kind.then_some(address).ok_or(rule))
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
