//! An issuer for the tests of services that are protected by this crate: real
//! signed tokens and real checks, without a server.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign_proto::v1::RejectionReason;
use countersign_token::{AccessClaims, Algorithm, KeySet, Rejection, SigningKey};
use tonic::async_trait;

use crate::acr::{Acr, InsufficientAuthentication};
use crate::claims::{Claims, Identity};
use crate::clock::{Clock as _, SystemClock};
use crate::error::{CouldNotTell, ValidateError};
use crate::verify::{Requirement, VerifyToken};

const ISSUER: &str = "https://countersign.test";
const LIFETIME: i64 = 300;

/// Issues tokens that the verifiers it hands out accept, and those only.
///
/// ```
/// # use countersign_client::{ProtectLayer, TestIssuer};
/// let issuer = TestIssuer::for_audience("orders");
/// let layer = ProtectLayer::new(issuer.verifier()).audience("orders");
/// let token = issuer.token("user-1").scope("orders.read").sign();
/// let header = format!("Bearer {token}");
/// # let _ = (layer, header);
/// ```
#[derive(Clone)]
pub struct TestIssuer {
    shared: Arc<Shared>,
}

/// Verifies the tokens of one [`TestIssuer`] as the service would.
#[derive(Clone)]
pub struct TestVerifier {
    shared: Arc<Shared>,
}

/// A token that is being made; [`sign`](TestToken::sign) makes it.
#[derive(Debug)]
#[must_use = "call `sign`"]
pub struct TestToken<'a> {
    issuer: &'a TestIssuer,
    claims: AccessClaims,
}

struct Shared {
    audience: String,
    key: SigningKey,
    keys: KeySet,
    verifier: countersign_token::Verifier,
    serial: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ended_sessions: HashSet<String>,
    is_unavailable: bool,
}

impl TestIssuer {
    /// An issuer with a new key, whose tokens are meant for the audience
    /// `test`.
    #[must_use]
    pub fn new() -> Self {
        Self::for_audience("test")
    }

    /// An issuer with a new key, whose tokens are meant for this audience
    /// unless they say otherwise. It is also the one that counts where none is
    /// required.
    #[must_use]
    pub fn for_audience(audience: impl Into<String>) -> Self {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("an Ed25519 key can be generated");
        let keys = KeySet::new(vec![key.verifying_key().clone()]).expect("one key is a key set");
        Self {
            shared: Arc::new(Shared {
                audience: audience.into(),
                key,
                keys,
                verifier: countersign_token::Verifier::new(ISSUER, Duration::ZERO),
                serial: AtomicU64::new(1),
                state: Mutex::default(),
            }),
        }
    }

    /// A token of a new session of this user, good for five minutes.
    pub fn token(&self, user_id: impl Into<String>) -> TestToken<'_> {
        let serial = self.shared.serial.fetch_add(1, Ordering::Relaxed);
        let now = now();
        TestToken {
            issuer: self,
            claims: AccessClaims {
                iss: ISSUER.to_owned(),
                sub: user_id.into(),
                aud: vec![self.shared.audience.clone()],
                exp: now + LIFETIME,
                iat: now,
                nbf: None,
                jti: format!("token-{serial}"),
                client_id: "test".to_owned(),
                sid: format!("session-{serial}"),
                grp: "default".to_owned(),
                scope: Vec::new(),
                roles: Vec::new(),
                amr: vec!["pwd".to_owned()],
                acr: Some(Acr::Aal1.to_string()),
                auth_time: now,
            },
        }
    }

    /// A verifier to give to [`ProtectLayer`](crate::ProtectLayer).
    #[must_use]
    pub fn verifier(&self) -> TestVerifier {
        TestVerifier {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Ends a session: its tokens are rejected as revoked.
    pub fn end_session(&self, session_id: impl Into<String>) {
        self.shared.state().ended_sessions.insert(session_id.into());
    }

    /// Lets every verifier of this issuer say that it could not tell, as when
    /// the service cannot be reached.
    pub fn set_unavailable(&self, is_unavailable: bool) {
        self.shared.state().is_unavailable = is_unavailable;
    }
}

impl Default for TestIssuer {
    fn default() -> Self {
        Self::new()
    }
}

impl TestToken<'_> {
    /// Adds a scope.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.claims.scope.push(scope.into());
        self
    }

    /// Gives the user a role.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.claims.roles.push(role.into());
        self
    }

    /// Means the token for another audience.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.claims.aud = vec![audience.into()];
        self
    }

    /// Puts the user into a group.
    pub fn group(mut self, group_id: impl Into<String>) -> Self {
        self.claims.grp = group_id.into();
        self
    }

    /// Names the session that the token belongs to.
    pub fn session(mut self, session_id: impl Into<String>) -> Self {
        self.claims.sid = session_id.into();
        self
    }

    /// Lets the person have been authenticated so well.
    pub fn acr(mut self, acr: Acr) -> Self {
        self.claims.acr = Some(acr.to_string());
        self
    }

    /// Lets the person have been authenticated so long ago, in a session that was
    /// refreshed since.
    pub fn authenticated_ago(mut self, age: Duration) -> Self {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.claims.auth_time = self.claims.iat.saturating_sub(seconds).max(0);
        self
    }

    /// Lets the token have expired a minute ago.
    pub fn expired(mut self) -> Self {
        let past = LIFETIME + 60;
        self.claims.iat -= past;
        self.claims.auth_time -= past;
        self.claims.exp -= past;
        self
    }

    /// Makes the token.
    ///
    /// # Panics
    /// If something given to it cannot stand in a token, such as an empty user
    /// id or a scope with a space.
    #[must_use]
    pub fn sign(self) -> String {
        let signed = self.issuer.shared.key.sign(&self.claims);
        signed.unwrap_or_else(|error| panic!("the claims of a test token are not usable: {error}"))
    }
}

#[async_trait]
impl VerifyToken for TestVerifier {
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        self.shared.verify(access_token, requirement)
    }
}

impl Shared {
    fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        if self.state().is_unavailable {
            let could_not_tell = CouldNotTell::new("the test issuer was told to be unavailable");
            return Err(ValidateError::CouldNotTell(could_not_tell));
        }
        let audience = requirement.audience().unwrap_or(&self.audience);
        let claims = self
            .verifier
            .verify(&self.keys, access_token, now())
            .and_then(|claims| {
                countersign_token::Verifier::check_audience(&claims, audience).map(|()| claims)
            })
            .map_err(|rejection| ValidateError::Rejected(reason(rejection)))?;
        if !claims.has_scopes(requirement.scopes()) {
            return Err(ValidateError::Rejected(RejectionReason::InsufficientScope));
        }
        if self.state().ended_sessions.contains(&claims.sid) {
            return Err(ValidateError::Rejected(RejectionReason::Revoked));
        }
        match self.lacking(&claims, requirement) {
            Some(lacking) => Err(ValidateError::InsufficientAuthentication(lacking)),
            None => Ok(identity(claims)),
        }
    }

    fn lacking(
        &self,
        claims: &AccessClaims,
        requirement: &Requirement,
    ) -> Option<InsufficientAuthentication> {
        let age = requirement.max_authentication_age().filter(|age| {
            let now = now_millis();
            !self.verifier.is_authenticated_within(claims, *age, now)
        });
        let authenticated = Acr::parse(claims.authentication().as_str());
        let acr = requirement.acr().filter(|acr| authenticated < Some(*acr));
        let lacks = age.is_some() || acr.is_some();
        lacks.then(|| InsufficientAuthentication::new(age, acr))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer")
            .field("audience", &self.shared.audience)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TestVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestVerifier")
            .field("audience", &self.shared.audience)
            .finish_non_exhaustive()
    }
}

fn now() -> i64 {
    now_millis() / 1_000
}

fn now_millis() -> i64 {
    let since_epoch = SystemClock.now().duration_since(UNIX_EPOCH);
    let millis = since_epoch.unwrap_or_default().as_millis();
    i64::try_from(millis).unwrap_or(i64::MAX)
}

fn identity(claims: AccessClaims) -> Identity {
    let acr = claims.authentication().as_str().to_owned();
    Identity::from(Claims {
        issuer: claims.iss,
        user_id: claims.sub,
        audience: claims.aud,
        expire_time: time(claims.exp),
        issue_time: time(claims.iat),
        token_id: claims.jti,
        client_id: claims.client_id,
        session_id: claims.sid,
        group_id: claims.grp,
        scopes: claims.scope,
        roles: claims.roles,
        acr,
        authentication_methods: claims.amr,
        authentication_time: time(claims.auth_time),
        external_id: String::new(),
        is_service_account: false,
    })
}

/// The checks of a token admit no time before the epoch.
fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

/// The reason that the service gives for what its own checks find.
fn reason(rejection: Rejection) -> RejectionReason {
    match rejection {
        Rejection::TooLarge | Rejection::Malformed | Rejection::UnsupportedHeader => {
            RejectionReason::Malformed
        }
        Rejection::WrongType => RejectionReason::WrongType,
        Rejection::UnknownKey => RejectionReason::UnknownKey,
        Rejection::WrongAlgorithm | Rejection::BadSignature => RejectionReason::BadSignature,
        Rejection::WrongIssuer => RejectionReason::WrongIssuer,
        Rejection::WrongAudience => RejectionReason::WrongAudience,
        Rejection::Expired => RejectionReason::Expired,
        Rejection::NotYetValid => RejectionReason::NotYetValid,
        Rejection::InvalidClaims => RejectionReason::InvalidClaims,
    }
}
