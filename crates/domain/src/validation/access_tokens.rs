//! Verifying access tokens: those of the main form, and those of token profiles.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{AccessClaims, ProfileToken, Rejection, TokenClass, Validity, Verifier};

use crate::model::{
    ExternalId, GroupId, OldToken, ServiceAccountCredential, SessionId, Timestamp, TokenProfile,
    TokenProfiles,
};
use crate::validation::Keyring;

/// Verifies tokens, but for their audience and their revocation.
#[derive(Debug, Clone)]
pub struct AccessTokens {
    verifier: Verifier,
    leeway: Duration,
    keyring: Arc<Keyring>,
    profiles: TokenProfiles,
}

/// What a verified token says.
#[derive(Debug, Clone)]
pub struct VerifiedClaims {
    /// The claims. Of a token of an old server some may be empty; the audience is
    /// that of its profile.
    pub claims: AccessClaims,
    /// From when until when it is good.
    pub validity: Validity,
    /// The id of the user in the old server, if the token is one of a profile.
    pub external_id: Option<ExternalId>,
    /// What it belongs to.
    pub holder: TokenHolder,
}

/// What a token belongs to, and is revoked by.
#[derive(Debug, Clone)]
pub enum TokenHolder {
    /// A session.
    Session(SessionId),
    /// No session: an old server issued it.
    Old(Box<OldToken>),
    /// No session, and no person: a service account has got it.
    ServiceAccount(ServiceAccountHolding),
}

/// By what a token of a service account is revoked.
#[derive(Debug, Clone, Copy)]
pub struct ServiceAccountHolding {
    /// Its own id.
    pub token: SessionId,
    /// The `sid` of all tokens that were got with the same secret or key.
    pub credential: SessionId,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl AccessTokens {
    /// Trusts these keys, and forgives clocks that differ by up to `leeway`.
    #[must_use]
    pub fn new(
        issuer: &str,
        leeway: Duration,
        keyring: Arc<Keyring>,
        profiles: TokenProfiles,
    ) -> Self {
        Self {
            verifier: Verifier::new(issuer, leeway),
            leeway,
            keyring,
            profiles,
        }
    }

    /// The verifier of the main form, which judges times for all of them.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// How far clocks may differ.
    #[must_use]
    pub fn leeway(&self) -> Duration {
        self.leeway
    }

    /// Checks all of an access token but its audience and whether it is revoked.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedClaims, Rejection> {
        let keys = self.keyring.verifying();
        match self.verifier.verify(&keys, token, now.as_seconds()) {
            Ok(claims) => main(claims),
            Err(main @ (Rejection::WrongType | Rejection::UnknownKey)) => {
                let read = self.profiles.read(token, Some(now));
                let (profile, read) = read.map_err(|own| own.unwrap_or(main))?;
                self.of_profile(profile, read, TokenClass::Access, token, now)
            }
            Err(rejection) => Err(rejection),
        }
    }

    /// Checks all of a refresh token that an old server issued but whether it is
    /// revoked or used.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify_old_refresh_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(&TokenProfile, VerifiedClaims), Rejection> {
        let read = self.profiles.read(token, Some(now));
        let (profile, read) = read.map_err(|own| own.unwrap_or(Rejection::UnknownKey))?;
        let verified = self.of_profile(profile, read, TokenClass::Refresh, token, now)?;
        Ok((profile, verified))
    }

    /// What a genuine token belongs to, whatever its class, issuer, audience and times
    /// are. For revoking alone.
    #[must_use]
    pub fn holder(&self, token: &str) -> Option<TokenHolder> {
        if let Ok(claims) = Verifier::genuine(&self.keyring.verifying(), token) {
            return main(claims).ok().map(|verified| verified.holder);
        }
        let (profile, read) = self.profiles.read(token, None).ok()?;
        let verified = verified(profile, read, token).ok()?;
        Some(verified.holder)
    }

    fn of_profile(
        &self,
        profile: &TokenProfile,
        read: ProfileToken,
        class: TokenClass,
        token: &str,
        now: Timestamp,
    ) -> Result<VerifiedClaims, Rejection> {
        if read.class != class {
            return Err(Rejection::WrongType);
        }
        let verified = verified(profile, read, token)?;
        self.verifier
            .check_times(verified.validity, now.as_seconds())?;
        let last = now.plus(profile.longest_ttl).plus(self.leeway);
        let is_old = matches!(verified.holder, TokenHolder::Old(_));
        // Its revocation would be forgotten before it expires.
        if is_old && verified.claims.exp > last.as_seconds() {
            return Err(Rejection::InvalidClaims);
        }
        Ok(verified)
    }
}

/// What a token of the main form says.
fn main(claims: AccessClaims) -> Result<VerifiedClaims, Rejection> {
    Ok(VerifiedClaims {
        validity: claims.validity(),
        holder: holder_of(&claims)?,
        claims,
        external_id: None,
    })
}

/// What a token that we have issued belongs to, by its `sid`.
fn holder_of(claims: &AccessClaims) -> Result<TokenHolder, Rejection> {
    let id = |text: &str| text.parse().map_err(|_| Rejection::InvalidClaims);
    let sid = id(&claims.sid)?;
    if !ServiceAccountCredential::is_sid(sid) {
        return Ok(TokenHolder::Session(sid));
    }
    Ok(TokenHolder::ServiceAccount(ServiceAccountHolding {
        token: id(&claims.jti)?,
        credential: sid,
        expires_at: Timestamp::from_seconds(claims.exp),
    }))
}

/// What a token of a profile says, which is good no longer than its profile.
fn verified(
    profile: &TokenProfile,
    read: ProfileToken,
    token: &str,
) -> Result<VerifiedClaims, Rejection> {
    let mut claims = read.claims;
    if claims.grp.is_empty() {
        claims.grp = profile.group.as_str().to_owned();
    }
    if !profile.is_of_group(&claims.grp) {
        return Err(Rejection::InvalidClaims);
    }
    claims.aud.clone_from(&profile.audiences);
    let external_id = read.external_id.as_deref().map(ExternalId::parse);
    let external_id = external_id
        .transpose()
        .map_err(|_| Rejection::InvalidClaims)?;
    let holder = match (&external_id, read.is_ours) {
        (_, true) => holder_of(&claims)?,
        (Some(external_id), false) => TokenHolder::Old(Box::new(OldToken::new(
            token,
            GroupId::parse(&claims.grp).map_err(|_| Rejection::InvalidClaims)?,
            external_id.clone(),
            (claims.iat > 0).then_some(Timestamp::from_seconds(claims.iat)),
            Timestamp::from_seconds(claims.exp),
        ))),
        (None, false) => return Err(Rejection::InvalidClaims),
    };
    let validity = claims.validity();
    let until = profile.accept_until.map(Timestamp::as_seconds);
    Ok(VerifiedClaims {
        validity: until.map_or(validity, |until| validity.ending_by(until)),
        claims,
        external_id,
        holder,
    })
}
