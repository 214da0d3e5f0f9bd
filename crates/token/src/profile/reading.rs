//! Verifying tokens of a profile: ours, and those of the old server.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Profile;
use super::shape::{ClaimSource, Constant, OURS, TokenClass, whole_number};
use crate::claims::{MAX_TIME, is_scope_token};
use crate::json::Object;
use crate::jws::{Compact, Header};
use crate::{AccessClaims, MAX_TOKEN_BYTES, Rejection};

/// A token that the key of a profile signed. Its times are not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileToken {
    /// What it is good for.
    pub class: TokenClass,
    /// What it says. Of a token of the old server `sub`, `sid`, `client_id` and `jti`
    /// may be empty, and `iat` and `auth_time` 0: unknown. `aud` is empty: for whom it
    /// is meant says the configuration.
    pub claims: AccessClaims,
    /// The id of the user in the old server.
    pub external_id: Option<String>,
    /// Whether it belongs to a session of ours.
    pub is_ours: bool,
}

/// Why a token is none of a profile's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileRejection {
    /// The key of the profile did not sign it.
    #[error("{0}")]
    Foreign(Rejection),
    /// The key of the profile signed it, but it is not what the profile describes.
    #[error("{0}")]
    Genuine(Rejection),
}

/// What our own tokens say beside the claims of the profile.
#[derive(Deserialize)]
struct Ours {
    sub: String,
    grp: String,
    client_id: String,
    amr: Vec<String>,
    acr: Option<String>,
    auth_time: i64,
}

type Members = Map<String, Value>;

impl Profile {
    /// Checks everything about a token but its times and its audience: size and form,
    /// header, algorithm, signature, class, issuer and claims.
    ///
    /// # Errors
    ///
    /// The first check that fails, and whether the signature is good.
    pub fn read(&self, token: &str) -> Result<ProfileToken, ProfileRejection> {
        let payload = self
            .signed_payload(token)
            .map_err(ProfileRejection::Foreign)?;
        self.read_claims(&payload)
            .map_err(ProfileRejection::Genuine)
    }

    fn signed_payload(&self, token: &str) -> Result<Vec<u8>, Rejection> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLarge);
        }
        let compact = Compact::split(token)?;
        let header = Header::read(&compact.header)?;
        let key = self.key.verifying_key();
        if !header.has_type(self.shape.typ.as_deref()) {
            return Err(Rejection::WrongType);
        }
        if header.kid() != self.shape.kid.as_deref() {
            return Err(Rejection::UnknownKey);
        }
        if !header.has_algorithm(key.algorithm()) {
            return Err(Rejection::WrongAlgorithm);
        }
        if !key.verifies(compact.signing_input, &compact.signature) {
            return Err(Rejection::BadSignature);
        }
        Ok(compact.payload)
    }

    fn read_claims(&self, payload: &[u8]) -> Result<ProfileToken, Rejection> {
        let text = std::str::from_utf8(payload).map_err(|_| Rejection::InvalidClaims)?;
        let Object(members) =
            serde_json::from_str::<Object<Members>>(text).map_err(|_| Rejection::InvalidClaims)?;
        let class = self.class(&members)?;
        self.check_issuer_and_audience(&members)?;
        let mut token = self.told(&members, class).ok_or(Rejection::InvalidClaims)?;
        if let Some(ours) = members.get(OURS) {
            let ours = Ours::deserialize(ours).map_err(|_| Rejection::InvalidClaims)?;
            token.take_ours(ours).ok_or(Rejection::InvalidClaims)?;
        } else if token.external_id.is_none() {
            return Err(Rejection::InvalidClaims);
        }
        Ok(token)
    }

    /// A token that says it is a refresh token is never anything else.
    fn class(&self, members: &Members) -> Result<TokenClass, Rejection> {
        let has = |constants: &[(String, Constant)]| {
            let is_so =
                |(name, constant): &(String, Constant)| members.get(name) == Some(constant.value());
            constants.iter().all(is_so)
        };
        let refresh = &self.shape.refresh_constants;
        if !refresh.is_empty() && has(refresh) {
            Ok(TokenClass::Refresh)
        } else if has(&self.shape.constants) {
            Ok(TokenClass::Access)
        } else {
            Err(Rejection::WrongType)
        }
    }

    fn check_issuer_and_audience(&self, members: &Members) -> Result<(), Rejection> {
        let is = |value: &Value, text: &String| value.as_str() == Some(text);
        let issuer = members.get("iss");
        if let Some(own) = &self.shape.issuer
            && !issuer.is_some_and(|issuer| is(issuer, own))
        {
            return Err(Rejection::WrongIssuer);
        }
        let is_good = match (members.get("aud"), &self.shape.audience) {
            (None, None) => true,
            (Some(Value::Array(many)), Some(own)) => many.iter().any(|one| is(one, own)),
            (Some(one), Some(own)) => is(one, own),
            (Some(_), None) | (None, Some(_)) => false,
        };
        is_good.then_some(()).ok_or(Rejection::WrongAudience)
    }

    /// What the claims say; `None` if one is missing, or is not what it should be.
    fn told(&self, members: &Members, class: TokenClass) -> Option<ProfileToken> {
        let mut claims = AccessClaims {
            iss: text_or_empty(members.get("iss"))?,
            sub: String::new(),
            aud: Vec::new(),
            exp: time(members.get("exp")?)?,
            iat: optional_time(members.get("iat"))?.unwrap_or(0),
            nbf: optional_time(members.get("nbf"))?,
            jti: text_or_empty(members.get("jti"))?,
            client_id: String::new(),
            sid: String::new(),
            grp: String::new(),
            scope: Vec::new(),
            roles: Vec::new(),
            amr: Vec::new(),
            acr: None,
            auth_time: 0,
        };
        let mut external_id = None;
        for (name, source) in &self.shape.claims {
            let value = members.get(name);
            match source {
                ClaimSource::UserId => claims.sub = text_or_empty(value)?,
                ClaimSource::ExternalId => external_id = Some(external_id_text(value?)?),
                ClaimSource::ExternalIdNumber => {
                    let id = external_id_text(value?)?;
                    whole_number(&id)?;
                    external_id = Some(id);
                }
                ClaimSource::Scope | ClaimSource::Scopes => claims.scope = scopes(value)?,
                ClaimSource::Roles => claims.roles = texts(value)?,
                ClaimSource::Group => claims.grp = text_or_empty(value)?,
                ClaimSource::ClientId => claims.client_id = text_or_empty(value)?,
            }
        }
        (claims.exp > claims.iat).then_some(ProfileToken {
            class,
            claims: AccessClaims {
                sid: text_or_empty(members.get("sid").filter(|_| members.contains_key(OURS)))?,
                ..claims
            },
            external_id,
            is_ours: false,
        })
    }
}

impl ProfileToken {
    /// Takes over what our own tokens say. They belong to a session, and are access
    /// tokens.
    fn take_ours(&mut self, ours: Ours) -> Option<()> {
        let claims = &mut self.claims;
        claims.sub = ours.sub;
        claims.grp = ours.grp;
        claims.client_id = ours.client_id;
        claims.amr = ours.amr;
        claims.acr = ours.acr;
        claims.auth_time = ours.auth_time;
        self.is_ours = true;
        let texts = [
            &claims.sub,
            &claims.grp,
            &claims.client_id,
            &claims.sid,
            &claims.jti,
        ];
        let is_whole = self.class == TokenClass::Access
            && texts.into_iter().all(|text| !text.is_empty())
            && claims.iat > 0
            && (0..=MAX_TIME).contains(&claims.auth_time);
        is_whole.then_some(())
    }
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction: the second in
/// which it lies.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is within the range of times"
)]
fn time(value: &Value) -> Option<i64> {
    let seconds = match value.as_i64() {
        Some(seconds) => seconds,
        None => {
            let seconds = value.as_f64()?.floor();
            #[expect(clippy::cast_precision_loss, reason = "MAX_TIME is far below 2^53")]
            let is_time = (0.0..=MAX_TIME as f64).contains(&seconds);
            is_time.then_some(seconds as i64)?
        }
    };
    (0..=MAX_TIME).contains(&seconds).then_some(seconds)
}

fn optional_time(value: Option<&Value>) -> Option<Option<i64>> {
    match value {
        None => Some(None),
        Some(value) => time(value).map(Some),
    }
}

fn text_or_empty(value: Option<&Value>) -> Option<String> {
    match value {
        None => Some(String::new()),
        Some(value) => value.as_str().map(str::to_owned),
    }
}

/// An id as text: servers write the same id as a number or as a text.
fn external_id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => number.as_i64().map(|number| number.to_string()),
        _ => None,
    }
}

/// A list of texts, or one text alone.
fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(many)) => {
            let read = many.iter().map(|one| one.as_str().map(str::to_owned));
            read.collect()
        }
        Some(_) => None,
    }
    .filter(|texts: &Vec<String>| texts.iter().all(|text| !text.is_empty()))
}

/// Scopes in a list, or in one text with a space between two.
fn scopes(value: Option<&Value>) -> Option<Vec<String>> {
    let scopes = match value {
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(Value::String(text)) => text.split(' ').map(str::to_owned).collect(),
        other => texts(other)?,
    };
    scopes
        .iter()
        .all(|scope| is_scope_token(scope))
        .then_some(scopes)
}
