//! The users of a batch that may be imported: each once, in one order for all who
//! import, so that two who import the same do not wait for each other in a circle.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::error::Refusal;
use crate::model::{
    Address, ExternalId, GroupId, Identifier, ImportedIdentifier, ImportedUser, PasswordCredential,
    PasswordHash, Timestamp, User, UserId, UserState,
};
use crate::ports::NewAccount;

/// The version of the credentials of somebody who was adopted or imported, and has
/// changed nothing since.
const UNCHANGED: i64 = 1;

/// A user that may be imported.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Its place in the batch.
    pub(super) index: usize,
    pub(super) user: ImportedUser,
    pub(super) state: UserState,
    /// What is stored of its password.
    pub(super) hash: Option<PasswordHash>,
}

/// Users that may be imported.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    all: Vec<Candidate>,
    ids: HashSet<(GroupId, ExternalId)>,
    identifiers: HashSet<(GroupId, Identifier)>,
}

impl Candidate {
    /// Of somebody who has left, and may join again, the identifiers are nobody's any
    /// more: another row of the same system may have them.
    pub(super) fn new(
        index: usize,
        mut user: ImportedUser,
        now: Timestamp,
        rejoin_wait: Duration,
    ) -> Self {
        let state = user.state.clone().at(now, rejoin_wait);
        if state.may_rejoin(now) {
            user.identifiers.clear();
        }
        Self {
            index,
            user,
            state,
            hash: None,
        }
    }

    pub(super) fn external_id(&self) -> &ExternalId {
        &self.user.external_id
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = (usize, Address)> + '_ {
        let identifiers = self.user.identifiers.iter();
        identifiers.filter_map(|one| Some((one.place, one.identifier.address()?)))
    }

    /// The account that is made of it.
    pub(super) fn account(&self, id: UserId, now: Timestamp) -> NewAccount {
        let imported = &self.user;
        let user = User {
            state: self.state.clone(),
            credential_version: UNCHANGED,
            external_id: Some(imported.external_id.clone()),
            profile: imported.profile.clone(),
            roles: imported.roles.clone(),
            scopes: imported.scopes.clone(),
            created_at: imported.created_at.unwrap_or(now),
            ..User::active(id, imported.group.clone(), now)
        };
        let hash = self.hash.clone();
        let identifiers = imported.identifiers.iter();
        NewAccount {
            user,
            identifiers: identifiers.map(|one| one.identifier.clone()).collect(),
            credential: hash.map(|hash| PasswordCredential::new(id, hash, now)),
        }
    }
}

impl Candidates {
    /// Adds one, unless an earlier one is the same or has one of its identifiers: then
    /// the field is told that both have.
    pub(super) fn add(&mut self, candidate: Candidate) -> Result<(), (String, Refusal)> {
        let group = &candidate.user.group;
        let id = (group.clone(), candidate.user.external_id.clone());
        if self.ids.contains(&id) {
            return Err(("external_id".into(), Refusal::DoubleInBatch));
        }
        let identifiers = candidate.user.identifiers.iter();
        let key = |one: &ImportedIdentifier| (group.clone(), one.identifier.clone());
        let double = identifiers
            .clone()
            .find(|one| self.identifiers.contains(&key(one)));
        if let Some(double) = double {
            return Err((field(double.place), Refusal::DoubleInBatch));
        }
        self.identifiers.extend(identifiers.map(key));
        self.ids.insert(id);
        self.all.push(candidate);
        Ok(())
    }

    /// The same, in the order in which they are written.
    pub(super) fn in_order(mut self) -> Self {
        let key = |one: &Candidate| (one.user.group.clone(), one.user.external_id.clone());
        self.all.sort_by_cached_key(key);
        self
    }

    pub(super) fn all(&self) -> &[Candidate] {
        &self.all
    }

    pub(super) fn all_mut(&mut self) -> &mut [Candidate] {
        &mut self.all
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Candidate) -> bool) {
        self.all.retain(keep);
    }

    pub(super) fn groups(&self) -> BTreeSet<GroupId> {
        let groups = self.all.iter().map(|one| one.user.group.clone());
        groups.collect()
    }

    pub(super) fn of<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a Candidate> {
        self.all.iter().filter(move |one| one.user.group == *group)
    }

    /// Two halves, if there are two.
    pub(super) fn halves(mut self) -> Option<[Self; 2]> {
        if self.all.len() < 2 {
            return None;
        }
        let rest = Self {
            all: self.all.split_off(self.all.len() / 2),
            ..Self::default()
        };
        Some([self, rest])
    }
}

/// The field of an identifier of a record.
pub(super) fn field(place: usize) -> String {
    format!("identifiers[{place}]")
}
