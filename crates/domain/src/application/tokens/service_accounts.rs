//! Minting the access tokens of service accounts, which belong to no session and are
//! not renewed.

use countersign_token::AccessClaims;

use super::{AccessToken, TokenMinter, refused};
use crate::application::GroupRules;
use crate::error::Error;
use crate::model::{Scope, ServiceAccount, SessionId, Timestamp};

/// What a token of a service account is minted for.
#[derive(Debug)]
pub(crate) struct ServiceAccountSignIn<'a> {
    /// The account.
    pub(crate) account: &'a ServiceAccount,
    /// The `sid` of what it has proved itself with.
    pub(crate) sid: SessionId,
    /// What is allowed in its group.
    pub(crate) rules: &'a GroupRules,
    /// For which audience.
    pub(crate) audience: String,
    /// With which of its scopes.
    pub(crate) scopes: Vec<Scope>,
}

impl TokenMinter {
    /// An access token of a service account. There is no user: its `sub` is its
    /// `client_id` (RFC 9068, section 2.2), and nothing in it tells of a person.
    ///
    /// # Errors
    /// The form that is chosen for its tokens names the external id of a user.
    pub(crate) fn mint_for_service_account(
        &self,
        sign_in: ServiceAccountSignIn<'_>,
        now: Timestamp,
    ) -> Result<AccessToken, Error> {
        let account = sign_in.account;
        let id = account.id.to_string();
        let mut profiles = self.settings.tokens.profiles.iter();
        let profile =
            profiles.find(|form| form.is_chosen(&account.group, &id, &sign_in.audience, now));
        let ttl = profile.map_or(sign_in.rules.access_ttl(), |profile| profile.access_ttl);
        let until = profile.and_then(|profile| profile.accept_until);
        let expires_at = now
            .plus(ttl)
            .min(until.unwrap_or(Timestamp::from_millis(i64::MAX)))
            .as_seconds()
            .max(now.as_seconds() + 1);
        let roles = account.grants.roles.iter();
        let claims = AccessClaims {
            iss: self.settings.tokens.issuer.clone(),
            sub: id.clone(),
            aud: vec![sign_in.audience],
            exp: expires_at,
            iat: now.as_seconds(),
            nbf: None,
            jti: SessionId::generate(now, &*self.random).to_string(),
            client_id: id,
            sid: sign_in.sid.to_string(),
            grp: account.group.as_str().into(),
            scope: sign_in.scopes.iter().map(ToString::to_string).collect(),
            roles: roles.map(ToString::to_string).collect(),
            amr: Vec::new(),
            acr: None,
            auth_time: now.as_seconds(),
        };
        let token = match profile {
            Some(profile) => profile.form.sign(&claims, None).map_err(refused)?,
            None => self.keyring.sign(&claims)?,
        };
        Ok(AccessToken {
            token,
            expires_at: Timestamp::from_seconds(expires_at),
        })
    }
}
