//! Opening a session for a person who was authenticated, or asking for a second
//! factor first.

use std::time::Duration;

use crate::application::{Application, MfaPolicy, SignIn};
use crate::error::Error;
use crate::model::{
    AuthenticationMethod, ClientContext, MfaFactor, MfaSessionId, MfaSessionRecord, ProvenUser,
    Scope, Session, Timestamp, User, UserId,
};
use crate::ports::{Clock as _, UnitOfWork};

/// How long a person has to show the second factor.
const MFA_TTL: Duration = Duration::from_secs(10 * 60);

/// What a session is opened with, but for the user and how it was
/// authenticated.
pub(super) struct Opening {
    pub(super) audience: String,
    pub(super) scopes: Vec<Scope>,
    pub(super) client_id: String,
    pub(super) client: ClientContext,
}

/// What has to be shown for a session.
#[derive(Debug)]
pub struct MfaRequired {
    /// The MFA session that is to be answered.
    pub id: MfaSessionId,
    /// With what.
    pub factors: Vec<MfaFactor>,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
}

/// What becomes of a sign-in.
pub(super) enum Opened {
    /// A session.
    Session(Box<Session>),
    /// An MFA session, which has to be answered first.
    MfaSession(MfaRequired),
}

impl Opening {
    /// The second factors of the user, one of which the policy asks for; none if
    /// it asks for none. One that cannot be read is one that the user has.
    pub(super) async fn second_factors(
        &self,
        app: &Application,
        user: UserId,
    ) -> Result<Vec<MfaFactor>, Error> {
        if app.settings.mfa_policy == MfaPolicy::Off {
            return Ok(Vec::new());
        }
        let kinds = app.store.factor_kinds(user).await?;
        Ok(MfaFactor::of_kinds(&kinds, app.passkeys.are_taken()))
    }

    /// Opens a session of the user in a unit of work, or an MFA session if one of
    /// these second factors is to be shown.
    pub(super) async fn open(
        &self,
        app: &Application,
        uow: &mut dyn UnitOfWork,
        user: &User,
        shown: &[AuthenticationMethod],
        asked: &[MfaFactor],
    ) -> Result<Opened, Error> {
        if !asked.is_empty() {
            let required = self.mfa_session(app, user, shown, asked).await?;
            return Ok(Opened::MfaSession(required));
        }
        let session = app.tokens.open_session(SignIn {
            user_id: user.id,
            group: user.group.clone(),
            client_id: self.client_id.clone(),
            audience: self.audience.clone(),
            scopes: self.scopes.clone(),
            methods: shown.to_vec(),
            client: self.client.clone(),
        });
        uow.insert_session(&session).await?;
        Ok(Opened::Session(Box::new(session)))
    }

    async fn mfa_session(
        &self,
        app: &Application,
        user: &User,
        shown: &[AuthenticationMethod],
        asked: &[MfaFactor],
    ) -> Result<MfaRequired, Error> {
        let now = app.clock.now();
        let record = MfaSessionRecord {
            group: user.group.clone(),
            user: Some(ProvenUser::of(user)),
            stand_in: None,
            factors: asked.to_vec(),
            shown: shown.to_vec(),
            client_id: self.client_id.clone(),
            audience: self.audience.clone(),
            scopes: self.scopes.clone(),
            client: self.client.clone(),
            message: None,
            created_at: now,
            expires_at: now.plus(MFA_TTL),
        };
        Ok(MfaRequired {
            id: app.mfa_sessions.keep_for_factors(&record).await?,
            factors: record.factors,
            expires_at: record.expires_at,
        })
    }
}
