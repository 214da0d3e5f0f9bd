//! AuthService's messages, each made the command that it asks for.

use countersign_domain::application::GroupRules;
use countersign_domain::model::{
    Address, Assertion, Code, DeviceClaim, NewPassword, Password, Proof, Purpose, Username,
};
use countersign_domain::use_cases::{
    BeginPasskeySignIn, ChangePassword, ConfirmSignUp, Grant, IssueTokens, RefreshTokens,
    ResetPassword, RevokeToken, SendCode, SignUp, SignUpBy,
};
use countersign_domain::{Application, Error, Fields};
use countersign_proto::v1;

use super::federated_requests;
use crate::grpc::convert;
use crate::grpc::federation::sealed;
use crate::grpc::rpc_runner::Asked;

/// A request to send the code that starts a reset: it is like any other.
pub(super) struct StartReset(pub(super) SendCode);

impl TryFrom<Asked<'_, v1::SignUpRequest>> for SignUp {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::SignUpRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let region = app.settings.region;
        let rules = convert::group_rules(&mut fields, "group_id", &message.group_id, app)?;
        let address = convert::address(&mut fields, "identifier", message.identifier, region);
        let username = convert::optional(&mut fields, "username", message.username, |text| {
            Username::parse(&text)
        });
        let known: Vec<&str> = address
            .as_ref()
            .map(Address::as_str)
            .into_iter()
            .chain(username.as_ref().map(Username::as_str))
            .collect();
        let password = match message.password {
            text if text.is_empty() => None,
            text => convert::new_password(&mut fields, "password", text, &known, app)
                .filter(|password| is_long_enough(&mut fields, password, &rules)),
        };
        let by = match message.proof {
            proof if !message.federation_token.is_empty() => {
                let proof = convert::optional(&mut fields, "proof", proof, Proof::parse);
                let token = sealed(&mut fields, "federation_token", message.federation_token);
                token.map(|token| SignUpBy::Federated {
                    token,
                    proof,
                    password,
                    client_id: call.caller.name.clone(),
                })
            }
            proof if !proof.is_empty() => fields
                .take("proof", Proof::parse(proof))
                .map(|proof| SignUpBy::Proof { proof, password }),
            _ => {
                convert::reachable(
                    &mut fields,
                    "identifier",
                    address.as_ref(),
                    &app.settings.verification,
                );
                if password.is_none() && !fields.refuses("password") {
                    fields.refuse("password", "must be given, since no proof is");
                }
                password.map(|password| SignUpBy::Code { password })
            }
        };
        let client = convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                group: rules.id().clone(),
                address: address?,
                username,
                by: by?,
                locale: call.locale,
                client: client?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::ConfirmSignUpRequest>> for ConfirmSignUp {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ConfirmSignUpRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let verification_id = fields.take("verification_id", message.verification_id.parse());
        let code = fields.take("code", Code::typed(&message.code));
        fields.finish(|| {
            Some(Self {
                verification_id: verification_id?,
                code: code?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::BeginPasskeySignInRequest>> for BeginPasskeySignIn {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::BeginPasskeySignInRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        // Nothing is charged to it; what is wrong with it is told all the same.
        convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                group: group?,
                client_id: call.caller.name.clone(),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::IssueTokensRequest>> for IssueTokens {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::IssueTokensRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let rules = convert::group_rules(&mut fields, "group_id", &message.group_id, app)?;
        let grant = grant(&mut fields, message.grant, app);
        let audience = fields.take("audience", rules.offered_audience(&message.audience));
        let scopes = convert::scopes(&mut fields, &message.scopes, &rules);
        let client = convert::client(&mut fields, message.client_context);
        let device = message.device_token.map(convert::device_token);
        fields.finish(|| {
            Some(Self {
                group: rules.id().clone(),
                grant: grant?,
                audience: audience?,
                scopes,
                client_id: call.caller.name.clone(),
                client: client?,
                device: device.unwrap_or(DeviceClaim::Untold),
                locale: call.locale,
            })
        })
    }
}

fn grant(
    fields: &mut Fields,
    message: Option<v1::issue_tokens_request::Grant>,
    app: &Application,
) -> Option<Grant> {
    use v1::issue_tokens_request::Grant as Message;
    match message {
        Some(Message::Password(grant)) => {
            let region = app.settings.region;
            let identifier =
                convert::identifier(fields, "password.identifier", grant.identifier, region);
            let password = fields.take("password.password", Password::to_compare(grant.password));
            Some(Grant::Password {
                identifier: identifier?,
                password: password?,
            })
        }
        Some(Message::VerifiedCode(grant)) => fields
            .take("verified_code.proof", Proof::parse(grant.proof))
            .map(Grant::VerifiedCode),
        Some(Message::Passkey(grant)) => fields
            .take("passkey.credential", Assertion::parse(&grant.credential))
            .map(|assertion| Grant::Passkey(Box::new(assertion))),
        Some(
            grant @ (Message::Federated(_) | Message::IdToken(_) | Message::FederationToken(_)),
        ) => federated_requests::proof(fields, grant).map(Grant::Federated),
        // A service account's has been taken out.
        Some(Message::ServiceAccount(_)) | None => {
            let rule = "must be given: password, verified_code, passkey, federated, id_token, \
                        federation_token or service_account";
            fields.refuse("grant", rule);
            None
        }
    }
}

impl TryFrom<Asked<'_, v1::RefreshTokensRequest>> for RefreshTokens {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RefreshTokensRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let refresh_token = convert::required(&mut fields, "refresh_token", message.refresh_token);
        convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                refresh_token: refresh_token?,
                client_id: call.caller.name.clone(),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::RevokeTokenRequest>> for RevokeToken {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RevokeTokenRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let token = convert::required(&mut fields, "token", asked.message.token);
        fields.finish(|| Some(Self { token: token? }))
    }
}

impl TryFrom<Asked<'_, v1::ChangePasswordRequest>> for ChangePassword {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ChangePasswordRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, "access_token", message.access_token);
        let current = Password::to_compare(message.current_password);
        let current = fields.take("current_password", current);
        let new =
            convert::new_password(&mut fields, "new_password", message.new_password, &[], app);
        convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                current: current?,
                new: new?.into_password(),
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::StartPasswordResetRequest>> for StartReset {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::StartPasswordResetRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let region = app.settings.region;
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let address = convert::address(&mut fields, "identifier", message.identifier, region);
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
            Some(Self(SendCode {
                group: group?,
                address: address?,
                purpose: Purpose::PasswordReset,
                access_token: None,
                code,
                link_prefix,
                ttl,
                locale: call.locale,
                client: client?,
                device,
            }))
        })
    }
}

impl TryFrom<Asked<'_, v1::ResetPasswordRequest>> for ResetPassword {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ResetPasswordRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let proof = fields.take("proof", Proof::parse(message.proof));
        let new =
            convert::new_password(&mut fields, "new_password", message.new_password, &[], app);
        fields.finish(|| {
            Some(Self {
                proof: proof?,
                new: new?.into_password(),
                locale: call.locale,
            })
        })
    }
}

/// Refuses a password that is too short for the group.
fn is_long_enough(fields: &mut Fields, password: &NewPassword, rules: &GroupRules) -> bool {
    let checked = rules.check_password(password.password());
    fields.take("password", checked).is_some()
}
