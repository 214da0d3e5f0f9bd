//! AuthService's messages with several fields, and the commands that they ask for.

use countersign_domain::model::{
    KeyState, Locale, Password, Proof, Purpose, Region, Scope, Username,
};
use countersign_domain::use_cases::{ChangePassword, Grant, IssueTokens, SendCode, SignUp};
use countersign_domain::validation::ListedKey;
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;

/// A key as it is shown.
pub(super) fn signing_key(key: ListedKey) -> v1::SigningKey {
    let state = match key.state {
        KeyState::Next => v1::SigningKeyState::Next,
        KeyState::Active => v1::SigningKeyState::Active,
        KeyState::Retired => v1::SigningKeyState::Retired,
    };
    v1::SigningKey {
        key_id: key.kid,
        algorithm: key.algorithm.as_str().to_owned(),
        state: state.into(),
        create_time: convert::timestamp(key.created_at),
    }
}

pub(super) fn sign_up(
    message: v1::SignUpRequest,
    locale: Locale,
    region: Region,
) -> Result<SignUp, Error> {
    let mut fields = Fields::new();
    let group = convert::group(&mut fields, &message.group_id);
    let address = convert::address(&mut fields, "identifier", message.identifier, region);
    let username = optional(&mut fields, "username", message.username, |text| {
        Username::parse(&text)
    });
    let password = optional(&mut fields, "password", message.password, Password::to_set);
    let proof = optional(&mut fields, "proof", message.proof, Proof::parse);
    let client = convert::client(&mut fields, message.client_context);
    let command = group
        .zip(address)
        .zip(client)
        .map(|((group, address), client)| SignUp {
            group,
            address,
            username,
            password,
            proof,
            locale,
            client,
        });
    fields.finish(command)
}

pub(super) fn issue_tokens(
    message: v1::IssueTokensRequest,
    caller: &str,
    region: Region,
) -> Result<IssueTokens, Error> {
    use v1::issue_tokens_request::Grant as Message;
    let mut fields = Fields::new();
    let group = convert::group(&mut fields, &message.group_id);
    let grant = match message.grant {
        Some(Message::Password(grant)) => {
            let identifier =
                convert::identifier(&mut fields, "password.identifier", grant.identifier, region);
            let password = fields.take("password.password", Password::to_compare(grant.password));
            identifier
                .zip(password)
                .map(|(identifier, password)| Grant::Password {
                    identifier,
                    password,
                })
        }
        Some(Message::VerifiedCode(grant)) => fields
            .take("verified_code.proof", Proof::parse(grant.proof))
            .map(Grant::VerifiedCode),
        None => {
            fields.refuse("grant", "must be given: password or verified_code");
            None
        }
    };
    let mut scopes = Vec::new();
    for (index, scope) in message.scopes.iter().enumerate() {
        scopes.extend(fields.take(&format!("scopes[{index}]"), Scope::parse(scope)));
    }
    if message.scopes.len() > 64 {
        fields.refuse("scopes", "must have at most 64 items");
    }
    scopes.sort();
    scopes.dedup();
    let client = convert::client(&mut fields, message.client_context);
    let command = group
        .zip(grant)
        .zip(client)
        .map(|((group, grant), client)| IssueTokens {
            group,
            grant,
            audience: Some(message.audience).filter(|audience| !audience.is_empty()),
            scopes,
            client_id: caller.to_owned(),
            client,
        });
    fields.finish(command)
}

/// A field that may be empty.
fn optional<T>(
    fields: &mut Fields,
    field: &str,
    text: String,
    parse: impl FnOnce(String) -> Result<T, &'static str>,
) -> Option<T> {
    if text.is_empty() {
        None
    } else {
        fields.take(field, parse(text))
    }
}

/// The code that starts a reset is like any other.
pub(super) fn password_reset(
    message: v1::StartPasswordResetRequest,
    locale: Locale,
    region: Region,
) -> Result<SendCode, Error> {
    let mut fields = Fields::new();
    let group = convert::group(&mut fields, &message.group_id);
    let address = convert::address(&mut fields, "identifier", message.identifier, region);
    let client = convert::client(&mut fields, message.client_context);
    let command = group
        .zip(address)
        .zip(client)
        .map(|((group, address), client)| SendCode {
            group,
            address,
            purpose: Purpose::PasswordReset,
            code: None,
            ttl: None,
            locale,
            client,
        });
    fields.finish(command)
}

pub(super) fn change_password(
    message: v1::ChangePasswordRequest,
    locale: Locale,
) -> Result<ChangePassword, Error> {
    let mut fields = Fields::new();
    let access_token = convert::required(&mut fields, "access_token", message.access_token);
    let current = fields.take(
        "current_password",
        Password::to_compare(message.current_password),
    );
    let new = fields.take("new_password", Password::to_set(message.new_password));
    let client = convert::client(&mut fields, message.client_context);
    let all = access_token.zip(current).zip(new).zip(client);
    let command = all.map(|(((access_token, current), new), _)| ChangePassword {
        access_token,
        current,
        new,
        locale,
    });
    fields.finish(command)
}
