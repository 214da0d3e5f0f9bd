//! The groups as they are looked up at each sign-in and refresh: read from the
//! database again and again, never by the call that asks.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::error::{Error, Refusal};
use crate::model::{Group, GroupId};
use crate::ports::AllGroups;

/// The groups, as far as this replica knows them.
#[derive(Debug, Default)]
pub struct KnownGroups {
    state: ArcSwapOption<State>,
    /// How often a change was made on this replica. A reading that began before one
    /// may not know it.
    changes: AtomicU64,
    /// Held by whoever replaces the state.
    writer: Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    groups: HashMap<GroupId, Arc<Group>>,
    /// Those that are there and cannot be read.
    unreadable: HashSet<String>,
}

/// The changes that a reading knows for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupReading(u64);

impl KnownGroups {
    /// Nothing was read yet: no group can be told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// To be called before all groups are read.
    #[must_use]
    pub fn begin_reading(&self) -> GroupReading {
        GroupReading(self.changes.load(Ordering::SeqCst))
    }

    /// Takes over what was read. Tells whether it did: a change that was made here
    /// meanwhile may be missing in it.
    pub fn replace(&self, read: AllGroups, begun: GroupReading) -> bool {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::SeqCst) != begun.0 {
            return false;
        }
        let groups = read.readable.into_iter();
        self.state.store(Some(Arc::new(State {
            groups: groups
                .map(|group| (group.id.clone(), Arc::new(group)))
                .collect(),
            unreadable: read.unreadable.into_iter().collect(),
        })));
        true
    }

    /// A group was made or changed here. To be called after the commit and before
    /// the answer. Of two changes at once, the later revision stays.
    pub(crate) fn enter(&self, group: &Group) {
        self.change(|state| {
            let known = state.groups.get(&group.id);
            if known.is_none_or(|known| {
                known.revision < group.revision || known.created_at != group.created_at
            }) {
                state.unreadable.remove(group.id.as_str());
                let id = group.id.clone();
                state.groups.insert(id, Arc::new(group.clone()));
            }
        });
    }

    /// A group was deleted here.
    pub(crate) fn forget(&self, id: &GroupId) {
        self.change(|state| {
            state.groups.remove(id);
            state.unreadable.remove(id.as_str());
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        // What was never read is read as a whole first.
        if let Some(state) = self.state.load_full() {
            let mut state = (*state).clone();
            change(&mut state);
            self.state.store(Some(Arc::new(state)));
        }
    }

    /// A group.
    ///
    /// # Errors
    /// There is none of this id; unavailable, if none was read yet, or this one
    /// cannot be.
    pub(crate) fn find(&self, id: &GroupId) -> Result<Arc<Group>, Error> {
        let state = self.state.load();
        let state = state
            .as_ref()
            .ok_or_else(|| Error::Unavailable("the groups were not read yet".into()))?;
        if let Some(group) = state.groups.get(id) {
            return Ok(Arc::clone(group));
        }
        if state.unreadable.contains(id.as_str()) {
            return Err(Error::Unavailable(format!("the group {id} cannot be read")));
        }
        Err(Refusal::Group.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn group(id: &str, revision: i64) -> Group {
        let id = GroupId::parse(id).expect("a group");
        Group {
            revision,
            ..Group::new(id, Timestamp::from_seconds(1_790_000_000))
        }
    }

    fn read(groups: &[Group]) -> AllGroups {
        AllGroups {
            readable: groups.to_vec(),
            unreadable: vec!["damaged".into()],
        }
    }

    fn answer(known: &KnownGroups, id: &str) -> Result<i64, Error> {
        let found = known.find(&GroupId::parse(id).expect("a group"));
        found.map(|group| group.revision)
    }

    #[test]
    fn before_the_first_reading_no_group_can_be_told() {
        let known = KnownGroups::new();
        known.enter(&group("staff", 1));
        for id in ["default", "staff"] {
            let told = answer(&known, id);
            assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
        }
    }

    #[test]
    fn a_group_that_cannot_be_read_is_none_that_is_not_there() {
        let known = KnownGroups::new();
        assert!(known.replace(read(&[group("staff", 1)]), known.begin_reading()));
        assert!(matches!(answer(&known, "staff"), Ok(1)));
        let damaged = answer(&known, "damaged");
        assert!(matches!(damaged, Err(Error::Unavailable(_))), "{damaged:?}");
        let nobodys = answer(&known, "nobodys");
        assert!(matches!(nobodys, Err(Error::Refused(Refusal::Group))));
    }

    #[test]
    fn a_reading_that_began_before_a_change_does_not_undo_it() {
        let known = KnownGroups::new();
        let staff = [group("staff", 1)];
        assert!(known.replace(read(&staff), known.begin_reading()));
        let begun = known.begin_reading();
        known.enter(&group("staff", 2));
        assert!(!known.replace(read(&staff), begun));
        assert!(matches!(answer(&known, "staff"), Ok(2)));
        let begun = known.begin_reading();
        known.forget(&staff[0].id);
        assert!(!known.replace(read(&staff), begun));
        assert!(answer(&known, "staff").is_err());
        assert!(known.replace(read(&staff), known.begin_reading()));
        assert!(matches!(answer(&known, "staff"), Ok(1)));
    }

    #[test]
    fn of_two_changes_at_once_the_later_one_stays() {
        let known = KnownGroups::new();
        assert!(known.replace(read(&[group("staff", 1)]), known.begin_reading()));
        known.enter(&group("staff", 3));
        known.enter(&group("staff", 2));
        assert!(matches!(answer(&known, "staff"), Ok(3)));
    }
}
