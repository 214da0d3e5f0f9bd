//! Accounts at providers that are linked to users.

use std::sync::Arc;

use super::subject::{StoreSubject, is_conflict, yes_of};
use crate::model::{
    FederatedIdentity, FederatedIdentityId, GroupId, ProviderId, SubjectDigest, User,
};
use crate::ports::StoreError;

fn identity(law: &StoreSubject, user: &User) -> FederatedIdentity {
    FederatedIdentity {
        id: FederatedIdentityId::from_bytes(law.bytes()),
        user_id: user.id,
        group: user.group.clone(),
        subject: SubjectDigest::from_bytes(law.bytes()),
        provider: ProviderId::parse("google").expect("a name"),
        sealed: law.bytes::<100>().to_vec(),
        linked_at: law.now,
        last_used_at: None,
    }
}

async fn link(law: &StoreSubject, identity: &FederatedIdentity) -> Result<(), StoreError> {
    let mut uow = law.begin().await;
    uow.insert_federated_identity(identity).await?;
    uow.commit().await
}

async fn found(
    law: &StoreSubject,
    group: &GroupId,
    identity: &FederatedIdentity,
) -> Option<FederatedIdentity> {
    let found = law.store.federated_identity(group, &identity.subject).await;
    found.expect("readable")
}

async fn all(law: &StoreSubject, user: &User) -> Vec<FederatedIdentity> {
    let all = law.store.federated_identities(user.id).await;
    let all = all
        .expect("an answer")
        .into_iter()
        .collect::<Result<_, _>>();
    all.expect("readable")
}

/// Every field survives, also the longest text.
pub async fn a_linked_account_is_read_as_written(law: &StoreSubject) {
    let user = law.user().await;
    let long = FederatedIdentity {
        provider: ProviderId::parse(&"p".repeat(32)).expect("a name"),
        sealed: vec![7; 8_000],
        linked_at: law.later(1),
        last_used_at: Some(law.later(60)),
        ..identity(law, &user)
    };
    let first = identity(law, &user);
    for identity in [&first, &long] {
        assert_eq!(found(law, &user.group, identity).await, None);
        link(law, identity).await.expect("linked");
        assert_eq!(
            found(law, &user.group, identity).await.as_ref(),
            Some(identity)
        );
    }
    assert_eq!(all(law, &user).await, [first, long]);
}

/// One of nobody cannot be made: its user may just have been deleted.
pub async fn a_linked_account_needs_its_user(law: &StoreSubject) {
    let orphan = identity(law, &law.new_user());
    let linked = link(law, &orphan).await;
    assert!(is_conflict(&linked), "{linked:?}");
}

/// Another group has users of its own.
pub async fn an_account_is_linked_once_in_a_group(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let first = identity(law, &user);
    link(law, &first).await.expect("linked");
    for user in [&user, &other] {
        let again = FederatedIdentity {
            subject: first.subject,
            ..identity(law, user)
        };
        let again = link(law, &again).await;
        assert!(matches!(again, Err(StoreError::Taken)), "{again:?}");
    }
    let abroad = User {
        group: law.other_group(),
        ..law.new_user()
    };
    let mut uow = law.begin().await;
    uow.insert_user(&abroad).await.expect("a user");
    uow.commit().await.expect("committed");
    let there = FederatedIdentity {
        subject: first.subject,
        ..identity(law, &abroad)
    };
    assert_eq!(found(law, &abroad.group, &there).await, None);
    link(law, &there).await.expect("linked");
    assert_eq!(found(law, &user.group, &first).await, Some(first.clone()));
    assert_eq!(found(law, &abroad.group, &there).await, Some(there.clone()));
    let of_all = law.store.federated_identities_of(&first.subject).await;
    let of_all = of_all.expect("an answer").into_iter();
    let mut of_all: Vec<_> = of_all.map(|of| of.expect("readable").id).collect();
    of_all.sort();
    let mut both = vec![first.id, there.id];
    both.sort();
    assert_eq!(of_all, both);
}

/// A race of sign-ups makes one of them the owner.
pub async fn of_16_who_link_an_account_at_once_one_does(law: &StoreSubject) {
    let user = law.user().await;
    let first = identity(law, &user);
    let linked = yes_of(16, || {
        let (store, identity) = (
            Arc::clone(&law.store),
            FederatedIdentity {
                subject: first.subject,
                ..identity(law, &user)
            },
        );
        async move {
            let mut uow = store.begin().await?;
            match uow.insert_federated_identity(&identity).await {
                Ok(()) => uow.commit().await.map(|()| true),
                Err(StoreError::Taken | StoreError::Conflict) => Ok(false),
                Err(error) => Err(error),
            }
        }
    });
    assert_eq!(linked.await, 1);
    assert_eq!(all(law, &user).await.len(), 1);
}

/// Of its user alone, and it says until the end when it was used last.
pub async fn a_linked_account_is_used_and_deleted_by_its_user(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let first = identity(law, &user);
    let second = FederatedIdentity {
        linked_at: law.later(1),
        ..identity(law, &user)
    };
    for identity in [&first, &second] {
        link(law, identity).await.expect("linked");
    }
    let mut uow = law.begin().await;
    assert_eq!(
        uow.count_federated_identities(user.id)
            .await
            .expect("an answer"),
        2
    );
    assert_eq!(
        uow.count_federated_identities(other.id)
            .await
            .expect("an answer"),
        0
    );
    let used = uow.use_federated_identity(other.id, first.id, law.later(9), b"theirs");
    assert!(!used.await.expect("an answer"));
    let used = uow.use_federated_identity(user.id, first.id, law.later(9), b"sealed anew");
    assert!(used.await.expect("an answer"));
    let deleted = uow.delete_federated_identity(other.id, second.id);
    assert!(!deleted.await.expect("an answer"));
    let deleted = uow.delete_federated_identity(user.id, second.id);
    assert!(deleted.await.expect("an answer"));
    let deleted = uow.delete_federated_identity(user.id, second.id);
    assert!(!deleted.await.expect("an answer"));
    uow.commit().await.expect("committed");
    let used = FederatedIdentity {
        last_used_at: Some(law.later(9)),
        sealed: b"sealed anew".to_vec(),
        ..first
    };
    assert_eq!(all(law, &user).await, [used]);
    assert_eq!(found(law, &user.group, &second).await, None);
    // What was unlinked may be somebody else's.
    let theirs = FederatedIdentity {
        user_id: other.id,
        ..second
    };
    link(law, &theirs).await.expect("linked");
}

/// Those from then on, and nobody else's.
pub async fn linked_accounts_are_deleted_from_a_time_on(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let linked = |user: &User, seconds: u64| FederatedIdentity {
        linked_at: law.later(seconds),
        ..identity(law, user)
    };
    let (old, same, new) = (linked(&user, 0), linked(&user, 5), linked(&user, 6));
    let theirs = linked(&other, 9);
    for identity in [&old, &same, &new, &theirs] {
        link(law, identity).await.expect("linked");
    }
    let mut uow = law.begin().await;
    let deleted = uow.delete_federated_identities_since(user.id, law.later(5));
    deleted.await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(all(law, &user).await, [old]);
    assert_eq!(all(law, &other).await, [theirs]);
}

/// With a user, and all at once.
pub async fn linked_accounts_go_with_their_user(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let (one, two) = (identity(law, &user), identity(law, &user));
    let theirs = identity(law, &other);
    for identity in [&one, &two, &theirs] {
        link(law, identity).await.expect("linked");
    }
    let mut uow = law.begin().await;
    uow.delete_federated_identities(user.id)
        .await
        .expect("deleted");
    uow.commit().await.expect("committed");
    assert!(all(law, &user).await.is_empty());
    link(law, &one).await.expect("linked");
    let mut uow = law.begin().await;
    uow.delete_user(user.id).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(found(law, &user.group, &one).await, None);
    assert_eq!(all(law, &other).await, [theirs]);
}
