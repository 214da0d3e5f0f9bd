//! AuthService's messages with several fields, and the commands that they ask for.

use countersign_domain::model::{
    Address, Code, KeyState, Locale, NewPassword, Password, Proof, Purpose, Scope, Username,
};
use countersign_domain::use_cases::{
    ChangePassword, Grant, IssueTokens, ResetPassword, SendCode, SignUp, SignUpBy,
};
use countersign_domain::validation::ListedKey;
use countersign_domain::{Application, Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;

/// The most scopes that a request may name.
const MAX_SCOPES: usize = 64;

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
    app: &Application,
) -> Result<SignUp, Error> {
    let mut fields = Fields::new();
    let region = app.settings.region;
    let group = convert::group(&mut fields, &message.group_id);
    let address = convert::address(&mut fields, "identifier", message.identifier, region);
    let username = optional(&mut fields, "username", message.username, |text| {
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
        text => new_password(&mut fields, "password", text, &known, app),
    };
    let by = match message.proof {
        proof if !proof.is_empty() => fields
            .take("proof", Proof::parse(proof))
            .map(|proof| SignUpBy::Proof { proof, password }),
        _ => {
            convert::reachable(&mut fields, "identifier", address.as_ref());
            if password.is_none() && !fields.refuses("password") {
                fields.refuse("password", "must be given, since no proof is");
            }
            password.map(|password| SignUpBy::Code { password })
        }
    };
    let client = convert::client(&mut fields, message.client_context);
    let command = group
        .zip(address)
        .zip(by)
        .zip(client)
        .map(|(((group, address), by), client)| SignUp {
            group,
            address,
            username,
            by,
            locale,
            client,
        });
    fields.finish(command)
}

/// A password to be set, which is hard enough to guess.
fn new_password(
    fields: &mut Fields,
    field: &str,
    text: String,
    known: &[&str],
    app: &Application,
) -> Option<NewPassword> {
    let password = fields.take(field, Password::to_set(text))?;
    fields.take(field, NewPassword::assess(password, known, &*app.hasher))
}

pub(super) fn issue_tokens(
    message: v1::IssueTokensRequest,
    caller: &str,
    app: &Application,
) -> Result<IssueTokens, Error> {
    use v1::issue_tokens_request::Grant as Message;
    let mut fields = Fields::new();
    let offered = &app.settings.tokens;
    let region = app.settings.region;
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
    let audience = fields.take("audience", offered.offered_audience(&message.audience));
    let mut scopes = Vec::new();
    if message.scopes.len() > MAX_SCOPES {
        fields.refuse("scopes", "must have at most 64 items");
    }
    for (index, scope) in message.scopes.iter().take(MAX_SCOPES).enumerate() {
        let scope = Scope::parse(scope).and_then(|scope| offered.offered_scope(scope));
        scopes.extend(fields.take(&format!("scopes[{index}]"), scope));
    }
    scopes.sort();
    scopes.dedup();
    let client = convert::client(&mut fields, message.client_context);
    let command =
        group
            .zip(grant)
            .zip(audience)
            .zip(client)
            .map(|(((group, grant), audience), client)| IssueTokens {
                group,
                grant,
                audience,
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
    app: &Application,
) -> Result<SendCode, Error> {
    let mut fields = Fields::new();
    let region = app.settings.region;
    let group = convert::group(&mut fields, &message.group_id);
    let address = convert::address(&mut fields, "identifier", message.identifier, region);
    let code = optional(&mut fields, "code", message.code, Code::parse);
    if code.is_none() {
        convert::reachable(&mut fields, "identifier", address.as_ref());
    }
    let ttl = convert::code_ttl(&mut fields, message.ttl);
    let client = convert::client(&mut fields, message.client_context);
    let command = group
        .zip(address)
        .zip(client)
        .map(|((group, address), client)| SendCode {
            group,
            address,
            purpose: Purpose::PasswordReset,
            code,
            ttl,
            locale,
            client,
        });
    fields.finish(command)
}

pub(super) fn change_password(
    message: v1::ChangePasswordRequest,
    locale: Locale,
    app: &Application,
) -> Result<ChangePassword, Error> {
    let mut fields = Fields::new();
    let access_token = convert::required(&mut fields, "access_token", message.access_token);
    let current = fields.take(
        "current_password",
        Password::to_compare(message.current_password),
    );
    let new = new_password(&mut fields, "new_password", message.new_password, &[], app);
    let client = convert::client(&mut fields, message.client_context);
    let all = access_token.zip(current).zip(new).zip(client);
    let command = all.map(|(((access_token, current), new), _)| ChangePassword {
        access_token,
        current,
        new: new.into_password(),
        locale,
    });
    fields.finish(command)
}

pub(super) fn reset_password(
    message: v1::ResetPasswordRequest,
    locale: Locale,
    app: &Application,
) -> Result<ResetPassword, Error> {
    let mut fields = Fields::new();
    let proof = fields.take("proof", Proof::parse(message.proof));
    let new = new_password(&mut fields, "new_password", message.new_password, &[], app);
    let command = proof.zip(new).map(|(proof, new)| ResetPassword {
        proof,
        new: new.into_password(),
        locale,
    });
    fields.finish(command)
}
