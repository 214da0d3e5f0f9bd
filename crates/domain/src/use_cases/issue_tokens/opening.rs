//! Opening a session for a person who was authenticated, or asking for a second
//! factor first.

use std::time::Duration;

use super::asked::{Asked, Offer};
use super::facts::Facts;
use crate::application::{Application, DeviceSignIn, KnownDevice, SignIn};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, AuthenticationMethod, ClientContext, CodeFactor, Device, DeviceClaim,
    FederatedAccount, GroupId, Locale, MfaFactor, MfaSessionId, MfaSessionRecord, ProvenUser,
    Scope, SealedText, Session, Timestamp, User, UserId,
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
    pub(super) device: DeviceClaim,
    pub(super) locale: Locale,
}

/// What has to be shown for a session.
#[derive(Debug)]
pub struct MfaRequired {
    /// The MFA session that is to be answered.
    pub id: MfaSessionId,
    /// With what.
    pub factors: Vec<MfaFactor>,
    /// The addresses to which a code can be sent.
    pub codes: Vec<CodeFactor>,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
    /// How long none is asked for on this device, if the person wants that; none if it is
    /// not offered.
    pub remembered: Option<Duration>,
}

/// An account that is linked to no user of the group.
#[derive(Debug)]
pub struct UnlinkedAccount {
    /// The account.
    pub account: FederatedAccount,
    /// What stands for it.
    pub token: SealedText,
    /// From when on that is not accepted.
    pub expires_at: Timestamp,
}

/// What becomes of a sign-in.
pub(super) enum Opened {
    /// A session with its user, and how the device is known from now on.
    Session(Box<(Session, User)>, Option<KnownDevice>),
    /// An MFA session, which has to be answered first.
    MfaSession(MfaRequired),
    /// Nothing: the person has proved itself, and is not let in.
    Blocked(Refusal, UserId),
    /// The account that was shown is linked to nobody.
    Unlinked(Box<UnlinkedAccount>),
}

impl Opening {
    /// Opens a session of the user in a unit of work, or an MFA session if a second
    /// factor is to be shown.
    pub(super) async fn open(
        &self,
        app: &Application,
        uow: &mut dyn UnitOfWork,
        user: &User,
        shown: &[AuthenticationMethod],
        facts: &Facts,
    ) -> Result<Opened, Error> {
        let known = facts.known.as_ref();
        let has_two = shown.contains(&AuthenticationMethod::MultiFactor);
        let remember = has_two && app.devices.remembers(false, &user.group)?;
        let is_known = app.devices.touch(uow, user, known, remember).await?;
        let lets_in = |device: &Device| is_known && facts.asked.lets_in(app, device);
        if !known.is_some_and(lets_in) {
            match &facts.asked {
                Asked::Nothing => {}
                Asked::Second(offer) => {
                    let event = app.event(AuditAction::SecondFactorRequested).on(user);
                    let event = event.by_itself().from_device(&self.client);
                    let event = event.with_detail(AuthenticationMethod::words(shown));
                    uow.insert_audit_event(&event).await?;
                    let required = self.mfa_session(app, user, shown, offer).await?;
                    return Ok(Opened::MfaSession(required));
                }
                Asked::Unavailable => {
                    return Ok(Opened::Blocked(Refusal::SecondFactorMissing, user.id));
                }
            }
        }
        let session = app.tokens.open_session(SignIn {
            user,
            client_id: self.client_id.clone(),
            audience: self.audience.clone(),
            scopes: self.scopes.clone(),
            methods: shown.to_vec(),
            client: self.client.clone(),
        })?;
        uow.insert_session(&session).await?;
        let event = app.event(AuditAction::SessionOpened).on(user).by_itself();
        let event = event.with_session(session.id).from_device(&self.client);
        let event = event.with_detail(AuthenticationMethod::words(&session.methods));
        uow.insert_audit_event(&event).await?;
        let sign_in = DeviceSignIn {
            claim: self.device,
            told: &facts.told,
            locale: self.locale,
            remember,
        };
        let device = app
            .devices
            .admit(uow, user, is_known, &sign_in, &app.messages)
            .await?;
        Ok(Opened::Session(Box::new((session, user.clone())), device))
    }

    /// Notes that a user was refused.
    pub(super) fn note_refused(
        &self,
        app: &Application,
        group: &GroupId,
        user: UserId,
        error: &Error,
    ) {
        let attempt = app.event(AuditAction::SessionOpened).on_user(user, group);
        app.refused.note(attempt.from_device(&self.client), error);
    }

    async fn mfa_session(
        &self,
        app: &Application,
        user: &User,
        shown: &[AuthenticationMethod],
        offer: &Offer,
    ) -> Result<MfaRequired, Error> {
        let now = app.clock.now();
        let record = MfaSessionRecord {
            group: user.group.clone(),
            user: Some(ProvenUser::of(user)),
            stand_in: None,
            factors: offer.factors.clone(),
            shown: shown.to_vec(),
            proved: offer.proved.clone(),
            addresses_stand_in: offer.addresses_stand_in,
            client_id: self.client_id.clone(),
            audience: self.audience.clone(),
            scopes: self.scopes.clone(),
            client: self.client.clone(),
            known_as: self.device,
            message: None,
            created_at: now,
            expires_at: now.plus(MFA_TTL),
        };
        Ok(MfaRequired {
            id: app.mfa_sessions.keep_for_factors(&record).await?,
            factors: record.factors,
            codes: offer.codes.clone(),
            expires_at: record.expires_at,
            remembered: app.devices.remembered(self.device),
        })
    }
}
