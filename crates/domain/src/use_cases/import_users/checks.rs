//! What keeps a user of a batch from being imported: the rules of whoever proves an
//! address, for many at once.

use std::collections::{BTreeMap, HashSet};

use super::candidates::{Candidate, Candidates, field};
use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Address, GroupId, Identifier};
use crate::ports::UnitOfWork;

/// Who is refused, what for, and at which field.
pub(super) type Refused = BTreeMap<usize, (Error, String)>;

/// Identifiers, and in which groups.
type Held = HashSet<(GroupId, Identifier)>;

/// The identifiers of candidates that are somebody's.
pub(super) async fn held(app: &Application, candidates: &Candidates) -> Result<Held, Error> {
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
pub(super) async fn refused_before(
    app: &Application,
    uow: &mut dyn UnitOfWork,
    candidates: &Candidates,
    held: &Held,
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
pub(super) async fn refused_after(
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

/// What is said of an identifier that is somebody's.
fn taken(identifier: &Identifier) -> Refusal {
    match identifier.address() {
        Some(_) => Refusal::IdentifierTaken,
        None => Refusal::UsernameTaken,
    }
}
