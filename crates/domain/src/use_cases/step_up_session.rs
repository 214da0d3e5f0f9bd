//! Authenticating a person again in a session that goes on (RFC 9470): the session
//! is told of it, its refresh tokens are not.

mod answer;

use countersign_token::Rejection;

use self::answer::Checked;
pub use self::answer::StepUpAnswer;
use crate::application::{AccessToken, Application, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{AuditAction, AuthenticationMethod, DeviceClaim, ProvenUser, Session, User};
use crate::ports::Clock as _;

/// Somebody shows the password or a factor again.
#[derive(Debug)]
pub struct StepUpSession {
    /// The person's access token.
    pub access_token: String,
    /// What is shown.
    pub answer: StepUpAnswer,
    /// The caller, which must be the session's.
    pub client_id: String,
    /// What the gateway tells of the device's token.
    pub device: DeviceClaim,
}

/// A session whose person was authenticated again.
#[derive(Debug)]
pub struct SteppedUp {
    /// The session.
    pub session: Session,
    /// A new access token, which tells of it.
    pub access: AccessToken,
}

impl StepUpSession {
    /// Checks what is shown, and writes it into the session.
    ///
    /// # Errors
    /// An access token that is not good, of a session of another caller, or for an
    /// audience that is no longer offered; a wrong answer; too many tries or hashes;
    /// a password where a second factor was shown before; passkeys are not taken.
    pub async fn execute(self, app: &Application) -> Result<SteppedUp, Error> {
        let person = app.people.of_caller(&self.access_token, &self.client_id);
        let person = person.await?;
        let rules = app.groups.of(&person.session.group)?;
        if !rules.offers_audience(&person.session.audience) {
            return Err(Refusal::AccessToken(Some(Rejection::WrongAudience)).into());
        }
        app.tokens.check(&person.session, &person.user)?;
        let user = ProvenUser::of(&person.user);
        let known = app.devices.find(self.device).await?;
        let is_known = known.is_some_and(|device| device.is_of(user));
        let note = |error: &Error| {
            let attempt = app.event_of(AuditAction::SessionSteppedUp, &person);
            app.refused.note(attempt, error);
        };
        let checked = self.answer.check(app, &person, is_known).await;
        let mut checked = checked.inspect_err(note)?;
        let mut repeats = Repeats::default();
        let stepped_up = loop {
            match commit(app, &person, &mut checked).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome,
            }
        };
        checked.settle(app).await;
        let (session, user) = stepped_up.inspect_err(note)?;
        let access = app.tokens.mint_access_token(&session, &user)?;
        Ok(SteppedUp { session, access })
    }
}

/// Writes it, if the user still has the password of the beginning and the session
/// has not ended. The session is locked: nothing that is shown in it at the same
/// time is lost.
async fn commit(
    app: &Application,
    person: &Person,
    checked: &mut Checked<'_>,
) -> Result<(Session, User), Error> {
    let mut uow = app.store.begin().await?;
    let user = uow.lock_user(person.user.id).await?;
    let now = app.clock.now();
    let user = user
        .filter(|user| user.is_active(now) && ProvenUser::of(&person.user).is_current(user))
        .ok_or(Refusal::AccessToken(None))?;
    let session = uow.lock_session(person.session.id).await?;
    let session = session.ok_or(Refusal::AccessToken(None))?;
    if !session.is_live(now) {
        return Err(Refusal::AccessToken(None).into());
    }
    let shown = checked.take(app, &mut *uow, &session).await?;
    let lifetimes = app.groups.of(&session.group)?.lifetimes();
    let change = session.reauthenticate(shown, now, lifetimes);
    let changed = uow.reauthenticate_session(session.id, &change, now);
    if !changed.await? {
        return Err(Refusal::AccessToken(None).into());
    }
    let event = app.event_of(AuditAction::SessionSteppedUp, person);
    let event = event.with_detail(AuthenticationMethod::words(&change.methods));
    uow.insert_audit_event(&event).await?;
    uow.commit().await?;
    Ok((session.reauthenticated(&change), user))
}
