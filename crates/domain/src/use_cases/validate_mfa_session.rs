//! Answering an MFA session: the right code, or a passkey, is exchanged for the
//! tokens of a new session.

mod answer;

use self::answer::Answered;
pub use self::answer::MfaAnswer;
use crate::application::{Application, DeviceSignIn, KnownDevice, Repeats, SignIn, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, AuthenticationMethod, Device, GroupId, Locale, MfaSessionId,
    MfaSessionRecord, ProvenUser, Session, User, UserId,
};
use crate::ports::Clock as _;

/// Somebody answers an MFA session.
#[derive(Debug)]
pub struct ValidateMfaSession {
    /// The group in which it was created.
    pub group: GroupId,
    /// Which.
    pub id: MfaSessionId,
    /// What was shown.
    pub answer: MfaAnswer,
    /// The caller, which must be the one that created it.
    pub client_id: String,
    /// Whether no second factor is to be asked for on the device for a time.
    pub remember_device: bool,
    /// The language of a notice.
    pub locale: Locale,
}

/// What the unit of work depends on.
struct Facts<'a> {
    record: &'a MfaSessionRecord,
    /// The device, if it is one of the user's.
    known: Option<Device>,
    /// Whom to tell of a device that is not known.
    told: Vec<Address>,
}

impl ValidateMfaSession {
    /// Checks the answer, and signs the person in if it is right.
    ///
    /// # Errors
    /// An MFA session that is gone, or whose user has set a new password since; a
    /// wrong answer; too many tries; a refused sign-in, if there is no active
    /// user; passkeys are not taken.
    pub async fn execute(self, app: &Application) -> Result<Tokens, Error> {
        let found = app
            .mfa_sessions
            .find(&self.id, &self.group, &self.client_id);
        let record = found.await?;
        let known = app.devices.find(record.known_as).await?;
        let known = known.filter(|device| record.user.is_some_and(|user| device.is_of(user)));
        let user = user_or_nobody(record.user);
        let told = app.devices.to_tell(user, record.known_as, known.as_ref());
        let facts = Facts {
            told: told.await?,
            record: &record,
            known,
        };
        let is_known = facts.known.is_some();
        let answered = self.answer.check(app, &self.id, &record, is_known);
        let note = |error: &Error| {
            if let Some(user) = record.user {
                let attempt = app.event(AuditAction::SessionOpened);
                let attempt = attempt.on_user(user.id, &record.group);
                app.refused.note(attempt.from_device(&record.client), error);
            }
        };
        let answered = answered.await.inspect_err(note)?;
        let (mut answered, mut is_taken) = (answered, false);
        let mut repeats = Repeats::default();
        let opened = loop {
            match self.open(app, &facts, &mut answered, &mut is_taken).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome,
            }
        };
        answered.settle(app).await;
        let (session, user, device) = opened.inspect_err(note)?;
        if !facts.told.is_empty() {
            app.messages.queued();
        }
        let tokens = app.tokens.mint(&session, &user)?;
        Ok(Tokens { device, ..tokens })
    }

    /// Opens the session, if the code is right and the user is still the one for
    /// whom it was made. The user is locked first, whether or not there is one: of two
    /// answers the second waits, a database that cannot be asked costs no code, and a
    /// wrong one takes as long for everybody.
    async fn open(
        &self,
        app: &Application,
        facts: &Facts<'_>,
        answered: &mut Answered<'_>,
        is_taken: &mut bool,
    ) -> Result<(Session, User, Option<KnownDevice>), Error> {
        let record = facts.record;
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(user_or_nobody(record.user)).await?;
        let shown = &record.shown;
        let taken = answered.take(app, &mut *uow, &self.id, shown, is_taken);
        let methods = taken.await?;
        let proven = record.user.ok_or(Refusal::SignIn)?;
        let user = user
            .filter(|user| proven.is_current(user))
            .ok_or(Refusal::MfaSession)?;
        if !user.is_active(app.clock.now()) {
            return Err(Refusal::SignIn.into());
        }
        let session = app.tokens.open_session(SignIn {
            user: &user,
            client_id: record.client_id.clone(),
            audience: record.audience.clone(),
            scopes: record.scopes.clone(),
            methods,
            client: record.client.clone(),
        })?;
        uow.insert_session(&session).await?;
        let event = app.event(AuditAction::SessionOpened).on(&user).by_itself();
        let event = event.with_session(session.id).from_device(&record.client);
        let event = event.with_detail(AuthenticationMethod::words(&session.methods));
        uow.insert_audit_event(&event).await?;
        let remember = app.devices.remembers(self.remember_device, &user.group)?;
        let sign_in = DeviceSignIn {
            claim: record.known_as,
            told: &facts.told,
            locale: self.locale,
            remember,
        };
        let known = facts.known.as_ref();
        let devices = &app.devices;
        let is_known = devices.touch(&mut *uow, &user, known, remember);
        let is_known = is_known.await?;
        let device = devices.admit(&mut *uow, &user, is_known, &sign_in, &app.messages);
        let device = device.await?;
        uow.commit().await?;
        Ok((session, user, device))
    }
}

fn user_or_nobody(user: Option<ProvenUser>) -> UserId {
    user.map_or(UserId::from_bytes([0; 16]), |user| user.id)
}
