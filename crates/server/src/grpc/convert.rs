//! What messages have in common: their fields into domain types that cannot be
//! wrong, every violation gathered, and outcomes into fields.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use countersign_domain::application::{GroupRules, KnownDevice, Tokens, VerificationSettings};
use countersign_domain::model::{
    Address, ClientContext, DeviceClaim, DeviceToken, Email, ExternalId, GroupId, Identifier,
    LinkPrefix, NewPassword, OneTimeSecret, Password, Phone, Purpose, Region, Scope,
    ServiceAccountCredential, Timestamp, Username,
};
use countersign_domain::use_cases::SendCode;
use countersign_domain::validation::{NotAccepted, RequiredAuthentication};
use countersign_domain::{Application, Error, Fields};
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_proto::v1::{self, RejectionReason};
use countersign_token::{AccessClaims, Rejection};

/// The most scopes that a request may name.
const MAX_SCOPES: usize = 64;
/// The most bytes that they have together: with all roles that a user may have, a token
/// stays within what verifiers read.
const MAX_SCOPE_BYTES: usize = 2048;

pub(crate) fn group(fields: &mut Fields, field: &str, text: &str) -> Option<GroupId> {
    fields.take(field, GroupId::parse(text))
}

/// What is allowed in a group that a request names. For an id that is none the rest
/// of the request is checked by the rules of `default`.
///
/// # Errors
/// There is no such group; unavailable, if that cannot be told.
pub(crate) fn group_rules(
    fields: &mut Fields,
    field: &str,
    text: &str,
    app: &Application,
) -> Result<GroupRules, Error> {
    let group = group(fields, field, text).unwrap_or_else(GroupId::fallback);
    app.groups.named(&group)
}

/// An identifier of any kind.
pub(crate) fn identifier(
    fields: &mut Fields,
    field: &str,
    message: Option<v1::Identifier>,
    region: Region,
) -> Option<Identifier> {
    let rule = "must have an email, a phone or a username";
    read_identifier(fields, field, message, region, rule)
}

/// `rule` says which kinds there may be.
fn read_identifier(
    fields: &mut Fields,
    field: &str,
    message: Option<v1::Identifier>,
    region: Region,
    rule: &str,
) -> Option<Identifier> {
    use v1::identifier::Value;
    match message.and_then(|message| message.value) {
        Some(Value::Email(text)) => fields
            .take(&format!("{field}.email"), Email::parse(&text))
            .map(Identifier::Email),
        Some(Value::Phone(text)) => fields
            .take(&format!("{field}.phone"), Phone::parse(&text, region))
            .map(Identifier::Phone),
        Some(Value::Username(text)) => fields
            .take(&format!("{field}.username"), Username::parse(&text))
            .map(Identifier::Username),
        None => {
            fields.refuse(field, rule);
            None
        }
    }
}

/// An identifier that can receive a code.
pub(crate) fn address(
    fields: &mut Fields,
    field: &str,
    message: Option<v1::Identifier>,
    region: Region,
) -> Option<Address> {
    let rule = "must have an email or a phone";
    match read_identifier(fields, field, message, region, rule)? {
        Identifier::Email(email) => Some(Address::Email(email)),
        Identifier::Phone(phone) => Some(Address::Phone(phone)),
        Identifier::Username(_) => {
            fields.refuse(
                field,
                "must have an email or a phone: a username receives no message",
            );
            None
        }
    }
}

/// Refuses an address to which a message is to go that cannot receive any.
pub(crate) fn reachable(
    fields: &mut Fields,
    field: &str,
    address: Option<&Address>,
    settings: &VerificationSettings,
) {
    let Some(address) = address else {
        return;
    };
    if !settings.sends_to(address) {
        fields.refuse(
            &format!("{field}.phone"),
            "must be a number of a country in the server's verification.countries",
        );
    } else if let Address::Phone(phone) = address
        && !phone.can_receive_messages()
    {
        fields.refuse(
            &format!("{field}.phone"),
            "must be a number that can receive text messages",
        );
    }
}

pub(crate) fn client(
    fields: &mut Fields,
    message: Option<v1::ClientContext>,
) -> Option<ClientContext> {
    let Some(message) = message else {
        return Some(ClientContext::default());
    };
    let ip_address = match message.ip_address.as_str() {
        "" => Ok(None),
        text => text
            .parse::<IpAddr>()
            .map(Some)
            .map_err(|_| "must be an IPv4 or IPv6 address"),
    };
    let user_agent = match message.user_agent {
        text if text.len() > ClientContext::MAX_USER_AGENT_BYTES => {
            Err("must be at most 512 bytes long")
        }
        text if text.chars().any(char::is_control) => Err("must not contain control characters"),
        text => Ok(text),
    };
    let ip_address = fields.take("client_context.ip_address", ip_address);
    let user_agent = fields.take("client_context.user_agent", user_agent);
    Some(ClientContext {
        ip_address: ip_address?,
        user_agent: user_agent?,
    })
}

/// A purpose that a caller may name.
pub(crate) fn purpose(fields: &mut Fields, field: &str, value: i32) -> Option<Purpose> {
    match v1::Purpose::try_from(value) {
        Ok(v1::Purpose::SignUp) => Some(Purpose::SignUp),
        Ok(v1::Purpose::SignIn) => Some(Purpose::SignIn),
        Ok(v1::Purpose::PasswordReset) => Some(Purpose::PasswordReset),
        Ok(v1::Purpose::ChangeIdentifier) => Some(Purpose::ChangeIdentifier),
        Ok(v1::Purpose::Unspecified) | Err(_) => {
            fields.refuse(field, "must be a known purpose");
            None
        }
    }
}

/// Scopes that are offered, each once.
pub(crate) fn scopes(fields: &mut Fields, wanted: &[String], offered: &GroupRules) -> Vec<Scope> {
    let mut scopes = Vec::new();
    if wanted.len() > MAX_SCOPES {
        fields.refuse("scopes", "must have at most 64 items");
    }
    for (index, scope) in wanted.iter().take(MAX_SCOPES).enumerate() {
        let scope = Scope::parse(scope).and_then(|scope| offered.offered_scope(scope));
        scopes.extend(fields.take(&format!("scopes[{index}]"), scope));
    }
    scopes.sort();
    scopes.dedup();
    if scopes
        .iter()
        .map(|scope| scope.as_str().len())
        .sum::<usize>()
        > MAX_SCOPE_BYTES
    {
        fields.refuse("scopes", "must have at most 2048 bytes together");
    }
    scopes
}

/// How long a code is good: 30 seconds to 1 hour, or the configured time.
pub(crate) fn code_ttl(
    fields: &mut Fields,
    message: Option<prost_types::Duration>,
) -> Option<Duration> {
    const BOUNDS: RangeInclusive<Duration> = Duration::from_secs(30)..=OneTimeSecret::LONGEST_TTL;
    let ttl = read_duration(message?).filter(|ttl| BOUNDS.contains(ttl));
    if ttl.is_none() {
        fields.refuse(
            "ttl",
            "must be 30 seconds to 1 hour, nanos 0 to 999,999,999",
        );
    }
    ttl
}

/// A duration that is not negative, as the contract of its type has it: what is
/// outside is not folded into seconds.
pub(crate) fn read_duration(message: prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(message.seconds).ok()?;
    let nanos = u32::try_from(message.nanos).ok()?;
    (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))
}

/// Where a link shall lead, if one is asked for.
pub(crate) fn link_prefix(
    fields: &mut Fields,
    text: &str,
    has_code: bool,
    offered: &VerificationSettings,
) -> Option<LinkPrefix> {
    if text.is_empty() {
        return None;
    }
    let prefix = match has_code {
        true => Err(SendCode::CODE_OR_LINK),
        false => offered.offered_link_prefix(text),
    };
    fields.take("link_prefix", prefix)
}

/// A password to be set, which is hard enough to guess.
pub(crate) fn new_password(
    fields: &mut Fields,
    field: &str,
    text: String,
    known: &[&str],
    app: &Application,
) -> Option<NewPassword> {
    let password = fields.take(field, Password::to_set(text))?;
    fields.take(field, NewPassword::assess(password, known, &*app.hasher))
}

/// A field that may be empty.
pub(crate) fn optional<T>(
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

/// A field that must not be empty.
pub(crate) fn required(fields: &mut Fields, field: &str, text: String) -> Option<String> {
    if text.is_empty() {
        fields.refuse(field, "must not be empty");
        return None;
    }
    Some(text)
}

/// The answer of a person: the code that was typed, or the credential that the
/// browser has answered, exactly one of which must be given.
pub(crate) fn one_of<T>(
    fields: &mut Fields,
    code: String,
    credential: String,
    read_code: impl FnOnce(String) -> Result<T, &'static str>,
    read_credential: impl FnOnce(String) -> Result<T, &'static str>,
) -> Option<T> {
    if credential.is_empty() {
        return fields.take("code", read_code(code));
    }
    if !code.is_empty() {
        fields.refuse("credential", "must not be given with a code");
    }
    fields.take("credential", read_credential(credential))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every field that takes it is optional in protobuf"
)]
pub(crate) fn timestamp(at: Timestamp) -> Option<prost_types::Timestamp> {
    let millis = at.as_millis().rem_euclid(1000);
    Some(prost_types::Timestamp {
        seconds: at.as_seconds(),
        nanos: i32::try_from(millis * 1_000_000).unwrap_or(0),
    })
}

pub(crate) fn tokens(tokens: Tokens) -> v1::Tokens {
    v1::Tokens {
        access_token: tokens.access_token,
        access_token_expire_time: timestamp(tokens.access_expires_at),
        refresh_token: tokens.refresh_token,
        refresh_token_expire_time: timestamp(tokens.refresh_expires_at),
        session_id: tokens.session_id.to_string(),
        user_id: tokens.user_id.to_string(),
    }
}

/// What a gateway tells of the device token on a person's device; empty if it keeps
/// none there yet. What is no token, as of a cookie that was cut, is as good as none.
pub(crate) fn device_token(text: String) -> DeviceClaim {
    DeviceToken::parse(text).map_or(DeviceClaim::Unknown, |token| {
        DeviceClaim::Token(token.digest())
    })
}

/// The token of a device, empty if it stays as it is, and until when it is known.
pub(crate) fn device(known: Option<KnownDevice>) -> (String, Option<prost_types::Timestamp>) {
    let Some(KnownDevice { token, expires_at }) = known else {
        return (String::new(), None);
    };
    let token = token.map(|token| token.expose().to_owned());
    (token.unwrap_or_default(), timestamp(expires_at))
}

pub(crate) fn claims(claims: &AccessClaims, external_id: Option<&ExternalId>) -> v1::Claims {
    let sid = claims.sid.parse();
    let is_service_account = sid.is_ok_and(ServiceAccountCredential::is_sid);
    let acr = match is_service_account {
        true => "",
        false => claims.authentication().as_str(),
    };
    v1::Claims {
        issuer: claims.iss.clone(),
        subject: claims.sub.clone(),
        audience: claims.aud.clone(),
        expire_time: timestamp(Timestamp::from_seconds(claims.exp)),
        issue_time: timestamp(Timestamp::from_seconds(claims.iat)),
        token_id: claims.jti.clone(),
        client_id: claims.client_id.clone(),
        session_id: claims.sid.clone(),
        group_id: claims.grp.clone(),
        scopes: claims.scope.clone(),
        roles: claims.roles.clone(),
        authentication_methods: claims.amr.clone(),
        authentication_time: timestamp(Timestamp::from_seconds(claims.auth_time)),
        acr: acr.to_owned(),
        is_service_account,
        external_id: external_id.map_or_else(String::new, |id| id.as_str().to_owned()),
    }
}

pub(crate) fn rejection(not_accepted: NotAccepted) -> v1::ValidateTokenResponse {
    let verdict = Verdict::Rejected(rejected(not_accepted));
    v1::ValidateTokenResponse {
        verdict: Some(verdict),
    }
}

/// Why a token is not accepted.
pub(crate) fn rejected(not_accepted: NotAccepted) -> v1::Rejection {
    let for_reason = |reason: RejectionReason| v1::Rejection {
        reason: reason.into(),
        ..Default::default()
    };
    match not_accepted {
        NotAccepted::Token(rejection) => for_reason(rejection_reason(Some(rejection))),
        NotAccepted::Revoked => for_reason(RejectionReason::Revoked),
        NotAccepted::InsufficientScope => for_reason(RejectionReason::InsufficientScope),
        NotAccepted::InsufficientAuthentication(lacking) => insufficient(lacking),
    }
}

/// What a token lacks of the authentication that is asked for.
fn insufficient(lacking: RequiredAuthentication) -> v1::Rejection {
    let age = lacking.max_age.map(|age| prost_types::Duration {
        seconds: i64::try_from(age.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(age.subsec_nanos()).unwrap_or(0),
    });
    let acr = lacking.acr.map(|acr| acr.as_str().to_owned());
    v1::Rejection {
        reason: RejectionReason::InsufficientUserAuthentication.into(),
        max_authentication_age: age,
        acr_values: acr.into_iter().collect(),
    }
}

/// The reason in the contract; `None` means that the session has ended.
pub(crate) fn rejection_reason(rejection: Option<Rejection>) -> RejectionReason {
    match rejection {
        None => RejectionReason::Revoked,
        Some(Rejection::TooLarge | Rejection::Malformed | Rejection::UnsupportedHeader) => {
            RejectionReason::Malformed
        }
        Some(Rejection::WrongType) => RejectionReason::WrongType,
        Some(Rejection::UnknownKey) => RejectionReason::UnknownKey,
        Some(Rejection::WrongAlgorithm | Rejection::BadSignature) => RejectionReason::BadSignature,
        Some(Rejection::WrongIssuer) => RejectionReason::WrongIssuer,
        Some(Rejection::WrongAudience) => RejectionReason::WrongAudience,
        Some(Rejection::Expired) => RejectionReason::Expired,
        Some(Rejection::NotYetValid) => RejectionReason::NotYetValid,
        Some(Rejection::InvalidClaims) => RejectionReason::InvalidClaims,
    }
}
