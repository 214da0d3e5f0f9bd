//! What is left of the addresses of people who have left, and users whose time has come.

use super::subject::StoreSubject;
use crate::model::{
    Suspension, SuspensionReason, Timestamp, Tombstone, TombstoneDigest, User, UserId, UserState,
    Withdrawal,
};
use crate::ports::DueUsers;

fn tombstone(law: &StoreSubject, expires_at: Timestamp) -> Tombstone {
    Tombstone {
        digest: TombstoneDigest::from_bytes(law.bytes()),
        withdrawn_at: law.now,
        expires_at,
    }
}

async fn put(law: &StoreSubject, tombstones: &[Tombstone]) {
    let mut uow = law.begin().await;
    for tombstone in tombstones {
        uow.put_tombstone(tombstone).await.expect("written");
    }
    uow.commit().await.expect("committed");
}

pub(super) async fn stored(
    law: &StoreSubject,
    digest: &TombstoneDigest,
    now: Timestamp,
) -> Option<Tombstone> {
    let mut uow = law.begin().await;
    uow.tombstone(digest, now).await.expect("readable")
}

/// Tombstones that expire before a time, and such that do not.
pub(super) async fn expiring(
    law: &StoreSubject,
    now: Timestamp,
) -> (Vec<Tombstone>, Vec<Tombstone>) {
    let second = std::time::Duration::from_secs(1);
    let gone: Vec<_> = (0..5).map(|_| tombstone(law, now.minus(second))).collect();
    let kept: Vec<_> = [now, now.plus(second)]
        .into_iter()
        .map(|at| tombstone(law, at))
        .collect();
    put(law, &[&gone[..], &kept].concat()).await;
    (gone, kept)
}

/// A tombstone is there until its time, and the later times of two count.
pub async fn a_tombstone_is_there_until_its_time(law: &StoreSubject) {
    let first = tombstone(law, law.later(10));
    let other = tombstone(law, law.later(10));
    assert_eq!(stored(law, &first.digest, law.now).await, None);
    put(law, &[first, other]).await;
    assert_eq!(stored(law, &first.digest, law.later(9)).await, Some(first));
    assert_eq!(stored(law, &first.digest, law.later(10)).await, None);

    let later = Tombstone {
        withdrawn_at: law.later(1),
        expires_at: law.later(20),
        ..first
    };
    put(law, &[later]).await;
    assert_eq!(stored(law, &first.digest, law.later(15)).await, Some(later));
    put(law, &[first]).await;
    assert_eq!(stored(law, &first.digest, law.later(15)).await, Some(later));
    assert_eq!(stored(law, &other.digest, law.later(9)).await, Some(other));
}

/// Those whose time has come are told, in batches, and nobody else.
pub async fn users_whose_time_has_come_are_told(law: &StoreSubject) {
    let suspended = |until: Option<u64>| {
        UserState::Suspended(Suspension {
            reason: SuspensionReason::default(),
            since: law.now,
            until: until.map(|seconds| law.later(seconds)),
        })
    };
    let withdrawn = |at: u64, erased| {
        UserState::Withdrawn(Withdrawal {
            at: law.later(at),
            rejoin_at: law.later(1_000),
            erased,
        })
    };
    let mut ids = Vec::new();
    for state in [
        UserState::Pending,
        UserState::Active,
        suspended(None),
        suspended(Some(5)),
        suspended(Some(10)),
        suspended(Some(11)),
        withdrawn(5, false),
        withdrawn(10, false),
        withdrawn(11, false),
        withdrawn(5, true),
    ] {
        let user = User {
            state,
            ..law.new_user()
        };
        law.insert(&user, &[]).await;
        ids.push(user.id);
    }
    for (due, mut expected) in [
        (DueUsers::SuspendedUntil(law.later(10)), ids[3..5].to_vec()),
        (DueUsers::WithdrawnAt(law.later(10)), ids[6..8].to_vec()),
    ] {
        expected.sort();
        for limit in [1, 100] {
            let (mut found, mut after): (Vec<UserId>, _) = (Vec::new(), None);
            loop {
                let batch = law.store.due_users(due, after, limit).await;
                let batch = batch.expect("readable");
                let Some(last) = batch.last() else { break };
                after = Some(*last);
                found.extend(batch);
            }
            found.retain(|id| ids.contains(id));
            assert_eq!(found, expected, "{due:?}");
        }
    }
}
