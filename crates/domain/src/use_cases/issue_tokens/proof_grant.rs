//! Signing in with the proof of a verified address.

use super::asked::First;
use super::facts::{Facts, known_device};
use super::opening::{Opened, Opening};
use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{AuthenticationMethod, GroupId, Identifier, Proof, Purpose};
use crate::ports::Clock as _;

/// Signs in whoever has proved an address in this group.
pub(super) async fn with_proof(
    app: &Application,
    group: &GroupId,
    proof: &Proof,
    opening: &Opening,
) -> Result<Opened, Error> {
    let proved = app.verifications.proof(proof, Purpose::SignIn).await?;
    if proved.group != *group {
        return Err(Refusal::Proof.into());
    }
    let user = app.adoption.proven(&proved, app.origin()).await?;
    let facts = match user {
        Some(user) => {
            let known = known_device(app, user, opening.device).await?;
            let first = First {
                group,
                user: user.id,
                method: AuthenticationMethod::OneTimeCode,
                proved: Some(&proved.address),
            };
            Some(Facts::read(app, first, opening.device, known).await?)
        }
        None => None,
    };
    let address: Identifier = proved.address.into();
    let (mut repeats, mut is_spent) = (Repeats::default(), false);
    loop {
        let opened = async {
            let mut uow = app.store.begin().await?;
            let user = user.zip(facts.as_ref());
            let (user, facts) = user.ok_or(Refusal::SignIn)?;
            let holder = uow.lock_user_by_identifier(group, &address).await?;
            let holder = holder
                .filter(|holder| user.is_current(holder))
                .ok_or(Refusal::Proof)?;
            if !holder.is_active(app.clock.now()) {
                return Ok((
                    uow,
                    Opened::Blocked(Refusal::of_state(&holder.state), holder.id),
                ));
            }
            let shown = [AuthenticationMethod::OneTimeCode];
            let opened = opening.open(app, &mut *uow, &holder, &shown, facts).await?;
            Ok((uow, opened))
        };
        let opened = opened.await;
        // An answer spends the proof, and before the commit, as what becomes of
        // that may stay unknown. That it could not be told does not.
        if opened.as_ref().err().is_none_or(Error::is_an_answer) {
            app.verifications.spend_once(proof, &mut is_spent).await?;
        }
        let committed = match opened {
            Ok((uow, opened)) => uow.commit().await.map(|()| opened).map_err(Error::from),
            Err(error) => Err(error),
        };
        match committed {
            Err(error) if repeats.allow(&error) => {}
            outcome => {
                if let (Ok(_), Some(facts)) = (&outcome, &facts) {
                    facts.committed(app);
                }
                return outcome;
            }
        }
    }
}
