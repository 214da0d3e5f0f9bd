//! The passkey grant: the passkey tells whose it is, and has verified the person.
//! Whatever is wrong, the answer is the same.

use super::facts::Facts;
use super::opening::{Opened, Opening};
use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{Assertion, Challenge, GroupId, MfaFactor, ProvenUser};
use crate::ports::Clock as _;

/// Signs a person in with a passkey, which is two factors by itself. What is wrong
/// is charged to the source alone; its challenge stays good for the right answer.
pub(super) async fn with_passkey(
    app: &Application,
    group: &GroupId,
    assertion: &Assertion,
    opening: &Opening,
) -> Result<Opened, Error> {
    app.passkeys.relying_party()?;
    let challenges = &app.passkey_challenges;
    let challenge = challenges.answered(assertion, group, &opening.client_id)?;
    let charge = app.limits.charge_passkey_answer(&opening.client).await?;
    let opened = answer(app, group, assertion, &challenge, opening).await;
    app.limits.refund_unless_refused(charge, opened).await
}

async fn answer(
    app: &Application,
    group: &GroupId,
    assertion: &Assertion,
    challenge: &Challenge,
    opening: &Opening,
) -> Result<Opened, Error> {
    let factor = app.passkeys.factor_of(assertion).await?;
    let factor = factor.ok_or(Refusal::SignIn)?;
    if !assertion.is_of(factor.user_id, true) {
        return Err(Refusal::SignIn.into());
    }
    let user = app.store.user(factor.user_id).await?;
    let user = user
        .filter(|user| user.group == *group)
        .ok_or(Refusal::SignIn)?;
    let checked = app.passkeys.check(&factor, assertion, challenge, true);
    let asserted = checked.await?.ok_or(Refusal::SignIn);
    let asserted = asserted
        .map_err(Error::from)
        .inspect_err(|error| opening.note_refused(app, group, user.id, error))?;
    app.passkey_challenges.take_answered(challenge).await?;
    let methods = MfaFactor::Passkey.methods_after(&[], asserted.is_user_verified);
    let proven = ProvenUser::of(&user);
    let facts = Facts::after_two_factors(app, proven, opening.device).await?;
    let mut repeats = Repeats::default();
    let opened = loop {
        let opened = async {
            let mut uow = app.store.begin().await?;
            let user = uow.lock_user(user.id).await?;
            let user = user
                .filter(|user| proven.is_current(user))
                .ok_or(Refusal::SignIn)?;
            if !user.is_active(app.clock.now()) {
                return Ok(Opened::Blocked(Refusal::of_state(&user.state), user.id));
            }
            let opened = opening.open(app, &mut *uow, &user, &methods, &facts);
            let opened = opened.await?;
            uow.commit().await?;
            Ok(opened)
        };
        match opened.await {
            Err(error) if repeats.allow(&error) => {}
            outcome => break outcome?,
        }
    };
    facts.committed(app);
    Ok(opened)
}
