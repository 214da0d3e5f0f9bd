//! Signing tokens of a profile.

use serde_json::{Map, Value, json};

use super::Profile;
use super::shape::{ClaimSource, OURS, TokenClass, whole_number};
use crate::{AccessClaims, KeyError};

/// Why no token of the profile can be signed for somebody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The profile writes the external id, and the user has none.
    #[error("the user has no external id")]
    NoExternalId,
    /// The profile writes the external id as a number, and the user's is none.
    #[error("the external id is no whole number")]
    NotANumber,
    /// The claims or the key are at fault.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Profile {
    /// Whether tokens can be signed for a user with this external id.
    ///
    /// # Errors
    ///
    /// [`ProfileError::NoExternalId`] and [`ProfileError::NotANumber`].
    pub fn check_external_id(&self, external_id: Option<&str>) -> Result<(), ProfileError> {
        match self.shape.external_id() {
            Some((_, source)) => external_id_value(source, external_id).map(drop),
            None => Ok(()),
        }
    }

    /// Signs an access token that says what `claims` say, as far as the profile has
    /// claims for it; the rest, by which we know the token again, stands in a claim of
    /// our own. The issuer and the audience are the profile's.
    ///
    /// # Errors
    ///
    /// [`ProfileError`].
    pub fn sign(
        &self,
        claims: &AccessClaims,
        external_id: Option<&str>,
    ) -> Result<String, ProfileError> {
        self.key.check_claims(claims)?;
        let mut members = self.members(claims, external_id, TokenClass::Access)?;
        members.insert("sid".into(), claims.sid.clone().into());
        let ours = json!({
            "sub": claims.sub,
            "grp": claims.grp,
            "client_id": claims.client_id,
            "amr": claims.amr,
            "acr": claims.acr,
            "auth_time": claims.auth_time,
        });
        members.insert(OURS.into(), ours);
        Ok(self.sign_members(members)?)
    }

    /// Signs a token as the old server did, which belongs to no session: to compare
    /// with that server's, and for tests.
    ///
    /// # Errors
    ///
    /// [`ProfileError`].
    pub fn sign_sample(
        &self,
        claims: &AccessClaims,
        external_id: Option<&str>,
        class: TokenClass,
    ) -> Result<String, ProfileError> {
        Ok(self.sign_members(self.members(claims, external_id, class)?)?)
    }

    fn sign_members(&self, members: Map<String, Value>) -> Result<String, KeyError> {
        let payload = Value::Object(members).to_string();
        self.key
            .sign_payload(&self.header_segment, payload.as_bytes())
    }

    fn members(
        &self,
        claims: &AccessClaims,
        external_id: Option<&str>,
        class: TokenClass,
    ) -> Result<Map<String, Value>, ProfileError> {
        let mut members = Map::new();
        for (name, source) in &self.shape.claims {
            let value = match source {
                ClaimSource::UserId => claims.sub.clone().into(),
                ClaimSource::ExternalId | ClaimSource::ExternalIdNumber => {
                    external_id_value(*source, external_id)?
                }
                ClaimSource::Scope => claims.scope.join(" ").into(),
                ClaimSource::Scopes => claims.scope.clone().into(),
                ClaimSource::Roles => claims.roles.clone().into(),
                ClaimSource::Group => claims.grp.clone().into(),
                ClaimSource::ClientId => claims.client_id.clone().into(),
            };
            members.insert(name.clone(), value);
        }
        let constants = match class {
            TokenClass::Access => &self.shape.constants,
            TokenClass::Refresh => &self.shape.refresh_constants,
        };
        for (name, constant) in constants {
            members.insert(name.clone(), constant.value().clone());
        }
        if let Some(issuer) = &self.shape.issuer {
            members.insert("iss".into(), issuer.clone().into());
        }
        if let Some(audience) = &self.shape.audience {
            members.insert("aud".into(), audience.clone().into());
        }
        members.insert("exp".into(), claims.exp.into());
        members.insert("iat".into(), claims.iat.into());
        members.insert("jti".into(), claims.jti.clone().into());
        Ok(members)
    }
}

/// The claim of the external id.
fn external_id_value(
    source: ClaimSource,
    external_id: Option<&str>,
) -> Result<Value, ProfileError> {
    let id = external_id.ok_or(ProfileError::NoExternalId)?;
    if source != ClaimSource::ExternalIdNumber {
        return Ok(id.into());
    }
    whole_number(id)
        .map(Value::from)
        .ok_or(ProfileError::NotANumber)
}
