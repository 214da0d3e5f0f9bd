//! What a valid token says about the person who sent it, and guarding an
//! action with a scope, or with how the person was authenticated.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use countersign_proto::v1;

use crate::acr::{Acr, InsufficientAuthentication};
use crate::clock::{Clock as _, SystemClock};
use crate::error::CouldNotTell;

/// What a valid access token says (RFC 9068, with the session and the group).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: the service that issued the token.
    pub issuer: String,
    /// `sub`: the id of the user, or of the service account.
    pub user_id: String,
    /// `aud`: for whom the token is meant.
    pub audience: Vec<String>,
    /// `exp`: from this instant on the token is not valid.
    pub expire_time: SystemTime,
    /// `iat`: when the token was made.
    pub issue_time: SystemTime,
    /// `jti`: the id of the token.
    pub token_id: String,
    /// `client_id`: the caller to which the token was issued.
    pub client_id: String,
    /// `sid`: the session that the token belongs to.
    pub session_id: String,
    /// `grp`: the group that the user belongs to.
    pub group_id: String,
    /// `scope`: what the token may be used for.
    pub scopes: Vec<String>,
    /// `roles`: the roles of the user in its group.
    pub roles: Vec<String>,
    /// `amr`: how the person was authenticated (RFC 8176).
    pub authentication_methods: Vec<String>,
    /// `auth_time`: when the person was last authenticated in this session. A
    /// refresh keeps it.
    pub authentication_time: SystemTime,
    /// `acr`: how well the person was authenticated, `aal1` or `aal2`. See
    /// [`has_acr`](Self::has_acr).
    pub acr: String,
    /// The id of the user in another system, if the token is one of a token profile;
    /// empty otherwise. Where such a token was issued by that system itself, it
    /// belongs to no session: `user_id`, `session_id` and `client_id` are empty.
    pub external_id: String,
    /// Whether it is no person's token but a service account's, whose id `user_id` is
    /// then. Nobody was authenticated.
    pub is_service_account: bool,
}

/// The person for whom a request is served: the claims of the token that it
/// carries. Cheap to clone; [`ProtectLayer`](crate::ProtectLayer) puts it into
/// the extensions of the request. It does not hold the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    claims: Arc<Claims>,
}

/// The token is good, but has not the scope that the action needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scope {scope:?} is required")]
pub struct InsufficientScope {
    /// The scope that is missing.
    pub scope: String,
}

impl Claims {
    /// Whether the token has the scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Whether the user has the role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    /// Guards an action: `identity.require_scope("orders.write")?`.
    ///
    /// # Errors
    /// [`InsufficientScope`], which turns into PERMISSION_DENIED or HTTP 403.
    pub fn require_scope(&self, scope: &str) -> Result<(), InsufficientScope> {
        if self.has_scope(scope) {
            return Ok(());
        }
        Err(InsufficientScope {
            scope: scope.to_owned(),
        })
    }

    /// Whether the person was authenticated at least so well. A value that this
    /// client does not know vouches for one factor. A service account is no person.
    #[must_use]
    pub fn has_acr(&self, acr: Acr) -> bool {
        !self.is_service_account && Acr::parse(&self.acr).unwrap_or(Acr::Aal1) >= acr
    }

    /// Guards an action: `identity.require_acr(Acr::Aal2)?`.
    ///
    /// # Errors
    /// [`InsufficientAuthentication`], which turns into the challenge of RFC 9470.
    pub fn require_acr(&self, acr: Acr) -> Result<(), InsufficientAuthentication> {
        if self.has_acr(acr) {
            return Ok(());
        }
        Err(InsufficientAuthentication::new(None, Some(acr)))
    }

    /// Guards an action: the person must have been authenticated at most so long
    /// ago, by this machine's clock. A requirement of
    /// [`ProtectLayer`](crate::ProtectLayer) is judged by the service's.
    ///
    /// # Errors
    /// [`InsufficientAuthentication`], which turns into the challenge of RFC 9470.
    pub fn require_authentication_within(
        &self,
        max_age: Duration,
    ) -> Result<(), InsufficientAuthentication> {
        // A time ahead is one of a clock that goes before this one.
        let age = SystemClock.now().duration_since(self.authentication_time);
        if !self.is_service_account && age.unwrap_or_default() <= max_age {
            return Ok(());
        }
        Err(InsufficientAuthentication::new(Some(max_age), None))
    }
}

impl From<Claims> for Identity {
    fn from(claims: Claims) -> Self {
        Self {
            claims: Arc::new(claims),
        }
    }
}

impl Deref for Identity {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.claims
    }
}

impl TryFrom<v1::Claims> for Claims {
    type Error = CouldNotTell;

    /// Takes the claims of an answer. Without its times an answer is no
    /// answer.
    fn try_from(claims: v1::Claims) -> Result<Self, CouldNotTell> {
        fn time<T: TryInto<SystemTime>>(
            field: &str,
            value: Option<T>,
        ) -> Result<SystemTime, CouldNotTell> {
            value
                .and_then(|value| value.try_into().ok())
                .ok_or_else(|| CouldNotTell::new(format!("the answer has no usable `{field}`")))
        }
        Ok(Self {
            issuer: claims.issuer,
            user_id: claims.subject,
            audience: claims.audience,
            expire_time: time("expire_time", claims.expire_time)?,
            issue_time: time("issue_time", claims.issue_time)?,
            token_id: claims.token_id,
            client_id: claims.client_id,
            session_id: claims.session_id,
            group_id: claims.group_id,
            scopes: claims.scopes,
            roles: claims.roles,
            authentication_methods: claims.authentication_methods,
            authentication_time: time("authentication_time", claims.authentication_time)?,
            acr: claims.acr,
            external_id: claims.external_id,
            is_service_account: claims.is_service_account,
        })
    }
}
