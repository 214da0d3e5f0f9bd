//! How the tokens of a profile look: header, claims, and what tells an access token
//! from a refresh token.

use serde_json::Value;

/// The claim in which our own tokens of a profile say what the profile has no claim
/// for. A token without it was issued by the old server.
pub(super) const OURS: &str = "countersign";

/// The form of the tokens of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileShape {
    /// `typ` in the header; without one there must be none.
    pub typ: Option<String>,
    /// `kid` in the header; without one there must be none.
    pub kid: Option<String>,
    /// `iss`; without one none is written, and any is passed over.
    pub issuer: Option<String>,
    /// `aud`; without one there must be none.
    pub audience: Option<String>,
    /// The names of claims, and what they say.
    pub claims: Vec<(String, ClaimSource)>,
    /// The claims that every access token has with these values.
    pub constants: Vec<(String, Constant)>,
    /// The claims that refresh tokens of the old server have with these values. If
    /// there are none, no token is a refresh token.
    pub refresh_constants: Vec<(String, Constant)>,
}

/// What a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The id of the user, a text.
    UserId,
    /// The id that the user had in the old server, as a text.
    ExternalId,
    /// That id as a whole number.
    ExternalIdNumber,
    /// The scopes, as one text with a space between two.
    Scope,
    /// The scopes, as a list of texts.
    Scopes,
    /// The roles, as a list of texts.
    Roles,
    /// The group of the user.
    Group,
    /// The client that asked for the token.
    ClientId,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClass {
    /// To be let in.
    Access,
    /// To get new tokens: the old server's alone, ours are opaque.
    Refresh,
}

/// A value that a claim always has: a text, a whole number, true or false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant(Value);

/// Why no token can have such a shape, or why it would not be told from another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A claim whose name is empty, too long, or not of printable ASCII.
    #[error("a claim's name must be 1 to 64 printable ASCII characters")]
    Name,
    /// A claim that is written anyway, or has a setting of its own.
    #[error("the claim {0} must not be named: it is written by itself or has its own setting")]
    Reserved(String),
    /// One name for two things.
    #[error("the claim {0} must be named once")]
    Repeated(String),
    /// No claim names the user.
    #[error("a claim must be external_id, external_id_number or user_id")]
    NoUser,
    /// Two claims name the external id.
    #[error("one claim only must be external_id or external_id_number")]
    TwoExternalIds,
    /// Refresh tokens that nothing tells from access tokens.
    #[error(
        "a claim of refresh tokens must have another value in access tokens, or be absent there"
    )]
    SameClasses,
    /// Refresh tokens without an external id: nobody could tell whose they are.
    #[error("refresh tokens need a claim that is external_id or external_id_number")]
    RefreshWithoutExternalId,
}

/// The claims that are written by themselves, or have a setting.
const RESERVED: [&str; 8] = ["aud", "exp", "iat", "iss", "jti", "nbf", "sid", OURS];

impl ProfileShape {
    /// The claim of the external id, and how it is written.
    #[must_use]
    pub fn external_id(&self) -> Option<(&str, ClaimSource)> {
        let mut claims = self.claims.iter();
        let found = claims.find(|(_, source)| source.is_external_id());
        found.map(|(name, source)| (name.as_str(), *source))
    }

    pub(super) fn check(&self) -> Result<(), ShapeError> {
        let claims = self.claims.iter().map(|(name, _)| name);
        let constants = self.constants.iter().map(|(name, _)| name);
        let refresh = self.refresh_constants.iter().map(|(name, _)| name);
        let written: Vec<&String> = claims.clone().chain(constants).collect();
        let of_refresh: Vec<&String> = claims.chain(refresh).collect();
        for names in [&written, &of_refresh] {
            for (index, name) in names.iter().enumerate() {
                check_name(name)?;
                if names[..index].contains(name) {
                    return Err(ShapeError::Repeated((*name).clone()));
                }
            }
        }
        let external = self.claims.iter().filter(|claim| claim.1.is_external_id());
        let names_user = |claim: &(String, ClaimSource)| claim.1 == ClaimSource::UserId;
        match external.count() {
            0 if !self.claims.iter().any(names_user) => return Err(ShapeError::NoUser),
            0 if !self.refresh_constants.is_empty() => {
                return Err(ShapeError::RefreshWithoutExternalId);
            }
            0 | 1 => {}
            _ => return Err(ShapeError::TwoExternalIds),
        }
        let is_in_access = |constant| self.constants.contains(constant);
        let are_all =
            !self.refresh_constants.is_empty() && self.refresh_constants.iter().all(is_in_access);
        if are_all {
            return Err(ShapeError::SameClasses);
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), ShapeError> {
    if !(1..=64).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ShapeError::Name);
    }
    if RESERVED.contains(&name) {
        return Err(ShapeError::Reserved(name.to_owned()));
    }
    Ok(())
}

impl ClaimSource {
    /// All of them, with the names under which they are configured.
    pub const NAMED: [(&str, Self); 8] = [
        ("user_id", Self::UserId),
        ("external_id", Self::ExternalId),
        ("external_id_number", Self::ExternalIdNumber),
        ("scope", Self::Scope),
        ("scopes", Self::Scopes),
        ("roles", Self::Roles),
        ("group", Self::Group),
        ("client_id", Self::ClientId),
    ];

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut named = Self::NAMED.into_iter();
        named
            .find(|(own, _)| *own == name)
            .map(|(_, source)| source)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let mut named = Self::NAMED.into_iter();
        named
            .find(|(_, source)| *source == self)
            .map_or("", |(name, _)| name)
    }

    fn is_external_id(self) -> bool {
        matches!(self, Self::ExternalId | Self::ExternalIdNumber)
    }
}

impl Constant {
    /// Reads a constant as it is configured: `true`, `false` and whole numbers are
    /// what they look like, what stands in double quotes is a text of JSON, and all
    /// else is a text as it is.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Bool(_) | Value::String(_))) => Self(value),
            Ok(value) if value.is_i64() || value.is_u64() => Self(value),
            _ => Self(Value::from(text)),
        }
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}

impl std::fmt::Display for Constant {
    /// As [`parse`](Self::parse) reads it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Value::String(text) if Self::parse(text) == *self => f.write_str(text),
            value => write!(f, "{value}"),
        }
    }
}

/// The number that is written so, in its one canonical spelling.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
