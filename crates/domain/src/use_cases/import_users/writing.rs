//! Writing candidates, or looking whether they could be: the rules are those of
//! whoever proves an address, for many at once.

use std::collections::{BTreeMap, HashSet};

use super::batch::{Batch, ImportOutcome};
use super::candidates::{Candidate, Candidates, field};
use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{Address, AuditAction, GroupId, Identifier, UserId};
use crate::ports::{Clock as _, NewAccount, StoreError, UnitOfWork};

/// Who is refused, what for, and at which field.
type Refused = BTreeMap<usize, (Error, String)>;

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

/// The identifiers of candidates that are somebody's.
async fn held(
    app: &Application,
    candidates: &Candidates,
) -> Result<HashSet<(GroupId, Identifier)>, Error> {
    let mut all = HashSet::new();
    for group in candidates.groups() {
        let identifiers = candidates.of(&group).flat_map(|one| &one.user.identifiers);
        let identifiers: Vec<_> = identifiers.map(|one| &one.identifier).collect();
        let held = app.store.held_identifiers(&group, &identifiers).await?;
        all.extend(held.into_iter().map(|one| (group.clone(), one)));
    }
    Ok(all)
}

/// Who is refused before anything is written: the group is gone, or an identifier is
/// somebody's who has not left, or may not join again yet.
async fn refused_before(
    app: &Application,
    uow: &mut dyn UnitOfWork,
    candidates: &Candidates,
    held: &HashSet<(GroupId, Identifier)>,
) -> Result<Refused, Error> {
    let mut refused = Refused::new();
    for group in candidates.groups() {
        if !uow.hold_group(&group).await? {
            for candidate in candidates.of(&group) {
                let gone = (Refusal::Group.into(), "group_id".into());
                refused.insert(candidate.index, gone);
            }
        }
    }
    for candidate in candidates.all() {
        let group = &candidate.user.group;
        for one in &candidate.user.identifiers {
            if !held.contains(&(group.clone(), one.identifier.clone())) {
                continue;
            }
            let error = match app.rejoining.holder(uow, group, &one.identifier).await {
                Ok(None) => continue,
                Ok(Some(_)) => taken(&one.identifier).into(),
                Err(Error::Refused(_)) if one.identifier.address().is_none() => {
                    Refusal::UsernameTaken.into()
                }
                Err(error @ Error::Refused(_)) => error,
                Err(error) => return Err(error),
            };
            refused.insert(candidate.index, (error, field(one.place)));
            break;
        }
    }
    Ok(refused)
}

/// Who is refused for what is kept of addresses: that they can be taken back by whoever
/// gave them up, or that whoever had them may not join again yet.
async fn refused_after(
    app: &Application,
    uow: &mut dyn UnitOfWork,
    candidates: &Candidates,
) -> Result<Refused, Error> {
    let mut refused = Refused::new();
    for group in candidates.groups() {
        let of_group = || candidates.of(&group);
        let addresses = of_group().flat_map(Candidate::addresses);
        let addresses: Vec<Address> = addresses.map(|(_, address)| address).collect();
        let held = app.identifier_undos.held(uow, &group, &addresses).await?;
        let waiting = app.rejoining.waiting(uow, &group, &addresses).await?;
        if held.is_empty() && waiting.is_empty() {
            continue;
        }
        for candidate in of_group() {
            for (place, address) in candidate.addresses() {
                let refusal = match waiting.get(&address) {
                    Some(refusal) => *refusal,
                    None if held.contains(&address) => Refusal::IdentifierTaken,
                    None => continue,
                };
                refused.insert(candidate.index, (refusal.into(), field(place)));
            }
        }
    }
    Ok(refused)
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

/// What is said of an identifier that is somebody's.
fn taken(identifier: &Identifier) -> Refusal {
    match identifier.address() {
        Some(_) => Refusal::IdentifierTaken,
        None => Refusal::UsernameTaken,
    }
}

/// That a row is there already means that somebody was faster.
fn faster(error: StoreError) -> Error {
    match error {
        StoreError::Taken => StoreError::Conflict.into(),
        other => other.into(),
    }
}
