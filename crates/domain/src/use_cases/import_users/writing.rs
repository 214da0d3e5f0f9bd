//! Writing candidates, or looking whether they could be.

use super::batch::{Batch, ImportOutcome};
use super::candidates::Candidates;
use super::checks::{Refused, held, refused_after, refused_before};
use crate::application::{Application, Repeats};
use crate::error::Error;
use crate::model::{AuditAction, UserId};
use crate::ports::{Clock as _, NewAccount, StoreError};

/// Writes candidates in one unit of work, which is repeated if somebody was faster.
/// Gives those back in whose way somebody always was.
pub(super) async fn write(
    app: &Application,
    batch: &mut Batch,
    mut candidates: Candidates,
) -> Result<Option<Candidates>, Error> {
    let mut repeats = Repeats::default();
    loop {
        if candidates.all().is_empty() {
            return Ok(None);
        }
        match try_to_write(app, batch, &mut candidates).await {
            Ok(()) => return Ok(None),
            Err(error) if repeats.allow(&error) => {
                batch.settle_known(app, &mut candidates).await?;
            }
            Err(error) if error.is_conflict() => return Ok(Some(candidates)),
            Err(error) => return Err(error),
        }
    }
}

/// Refuses those who could not be written, and writes nothing.
pub(super) async fn check(
    app: &Application,
    batch: &mut Batch,
    candidates: &mut Candidates,
) -> Result<(), Error> {
    if candidates.all().is_empty() {
        return Ok(());
    }
    let held = held(app, candidates).await?;
    let mut uow = app.store.begin().await?;
    let before = refused_before(app, &mut *uow, candidates, &held).await?;
    let after = refused_after(app, &mut *uow, candidates).await?;
    drop(uow);
    batch.settle_known(app, candidates).await?;
    leave_out(batch, candidates, before);
    leave_out(batch, candidates, after);
    Ok(())
}

async fn try_to_write(
    app: &Application,
    batch: &mut Batch,
    candidates: &mut Candidates,
) -> Result<(), Error> {
    let held = held(app, candidates).await?;
    let mut uow = app.store.begin().await?;
    let refused = refused_before(app, &mut *uow, candidates, &held).await?;
    if !refused.is_empty() {
        drop(uow);
        // Whoever has the identifier may be the user itself, who came in meanwhile.
        batch.settle_known(app, candidates).await?;
        leave_out(batch, candidates, refused);
        return Err(StoreError::Conflict.into());
    }
    let now = app.clock.now();
    let accounts = candidates.all().iter().map(|candidate| {
        let id = UserId::generate(now, &*app.random);
        candidate.account(id, now)
    });
    let accounts: Vec<NewAccount> = accounts.collect();
    let inserted = uow.insert_accounts(&accounts).await;
    inserted.map_err(faster)?;
    // Afterwards: whoever gave an address up, or was erased, at the same time has made
    // us wait until it was held.
    let refused = refused_after(app, &mut *uow, candidates).await?;
    if !refused.is_empty() {
        leave_out(batch, candidates, refused);
        return Err(StoreError::Conflict.into());
    }
    for group in candidates.groups() {
        let event = app.event(AuditAction::UsersImported).on_group(&group);
        let event = event.with_detail(format!("{} users", candidates.of(&group).count()));
        uow.insert_audit_event(&event).await?;
    }
    uow.commit().await?;
    for (candidate, account) in candidates.all().iter().zip(&accounts) {
        batch.settle(
            candidate.index,
            ImportOutcome::Imported(Some(account.user.id)),
        );
    }
    Ok(())
}

fn leave_out(batch: &mut Batch, candidates: &mut Candidates, mut guilty: Refused) {
    candidates.retain(|candidate| match guilty.remove(&candidate.index) {
        Some((error, field)) => {
            batch.refuse(candidate.index, error, field);
            false
        }
        None => true,
    });
}

/// That a row is there already means that somebody was faster.
fn faster(error: StoreError) -> Error {
    match error {
        StoreError::Taken => StoreError::Conflict.into(),
        other => other.into(),
    }
}
