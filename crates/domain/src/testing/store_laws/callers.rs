//! Callers and their keys.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::subject::{StoreSubject, is_taken};
use crate::model::{Caller, CallerKey, CallerName, KeyUse, Role, SubjectAltName};
use crate::ports::StoreError;

fn new_caller(law: &StoreSubject, roles: &[Role]) -> Caller {
    let random = u64::from_be_bytes(law.bytes());
    Caller {
        name: CallerName::parse(&format!("caller-{random:016x}")).expect("a name"),
        roles: roles.to_vec(),
        keys: vec![law.new_caller_key()],
        sans: vec![],
        created_at: law.now,
    }
}

/// A key that was made later, and expires.
fn expiring_key(law: &StoreSubject) -> CallerKey {
    CallerKey {
        created_at: law.later(60),
        expires_at: Some(law.later(86_400)),
        ..law.new_caller_key()
    }
}

fn new_san(law: &StoreSubject) -> SubjectAltName {
    let random = u64::from_be_bytes(law.bytes());
    SubjectAltName::parse(&format!("spiffe://example.com/{random:016x}")).expect("a URI")
}

/// It comes before [`new_san`] in the alphabet.
fn longest_san(law: &StoreSubject) -> SubjectAltName {
    let random = u64::from_be_bytes(law.bytes());
    let path = "p".repeat(SubjectAltName::MAX_BYTES - "a:".len() - 16);
    SubjectAltName::parse(&format!("a:{path}{random:016x}")).expect("a URI")
}

async fn insert(law: &StoreSubject, caller: &Caller) {
    let mut uow = law.begin().await;
    uow.insert_caller(caller).await.expect("a new caller");
    uow.commit().await.expect("committed");
}

async fn find(law: &StoreSubject, name: &CallerName) -> Option<Caller> {
    let callers = law.store.callers().await.expect("readable");
    callers
        .readable
        .into_iter()
        .find(|caller| caller.name == *name)
}

/// Every field survives, until it is deleted.
pub async fn a_caller_is_read_as_written(law: &StoreSubject) {
    let all = [Role::Service, Role::Gateway, Role::Operator];
    let both = vec![law.new_caller_key(), expiring_key(law)];
    for (roles, keys, sans) in [
        (&all[..], vec![law.new_caller_key()], vec![]),
        (&all[1..2], vec![expiring_key(law)], vec![new_san(law)]),
        (&all[..1], both, vec![longest_san(law)]),
        (&[], vec![], vec![longest_san(law), new_san(law)]),
        (&[], vec![], vec![]),
    ] {
        let caller = Caller {
            keys,
            sans,
            ..new_caller(law, roles)
        };
        insert(law, &caller).await;
        assert_eq!(find(law, &caller.name).await, Some(caller.clone()));

        for was_there in [true, false] {
            let mut uow = law.begin().await;
            let deleted = uow.delete_caller(&caller.name).await;
            assert_eq!(deleted.expect("an answer"), was_there);
            uow.commit().await.expect("committed");
            assert_eq!(find(law, &caller.name).await, None);
        }
    }
}

/// Nobody takes over another's name.
pub async fn a_callers_name_is_taken_once(law: &StoreSubject) {
    let caller = new_caller(law, &[Role::Service]);
    insert(law, &caller).await;
    let usurper = Caller {
        name: caller.name.clone(),
        ..new_caller(law, &[Role::Operator])
    };
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_caller(&usurper).await));
    drop(uow);
    assert_eq!(find(law, &caller.name).await, Some(caller));
}

/// A name in a certificate is one caller's, until that is deleted.
pub async fn a_name_in_a_certificate_is_taken_once(law: &StoreSubject) {
    let caller = Caller {
        sans: vec![new_san(law)],
        ..new_caller(law, &[Role::Service])
    };
    insert(law, &caller).await;
    let usurper = Caller {
        sans: vec![caller.sans[0].clone()],
        ..new_caller(law, &[Role::Operator])
    };
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_caller(&usurper).await));
    drop(uow);
    assert_eq!(find(law, &usurper.name).await, None);
    let mut uow = law.begin().await;
    let locked = uow.lock_caller(&caller.name).await.expect("readable");
    assert_eq!(locked, Some(caller.clone()));
    assert!(uow.delete_caller(&caller.name).await.expect("an answer"));
    uow.insert_caller(&usurper).await.expect("it is free");
    uow.commit().await.expect("committed");
    assert_eq!(find(law, &usurper.name).await, Some(usurper));
}

/// A key comes and goes by itself, whichever of the two it is; the others stay.
pub async fn the_keys_of_a_caller_come_and_go_one_by_one(law: &StoreSubject) {
    let other = new_caller(law, &[Role::Gateway]);
    insert(law, &other).await;
    for (first, second) in [
        (law.new_caller_key(), expiring_key(law)),
        (expiring_key(law), law.new_caller_key()),
    ] {
        for gone in [&first, &second] {
            let caller = Caller {
                keys: vec![first.clone()],
                ..new_caller(law, &[Role::Service])
            };
            insert(law, &caller).await;
            let mut uow = law.begin().await;
            let locked = uow.lock_caller(&caller.name).await.expect("readable");
            assert_eq!(locked.as_ref(), Some(&caller));
            let added = uow.insert_caller_key(&caller.name, &second).await;
            added.expect("a second key");
            let keys = uow.lock_caller(&caller.name).await.expect("readable");
            assert_eq!(keys.map_or(0, |caller| caller.keys.len()), 2);
            uow.commit().await.expect("committed");

            for was_there in [true, false] {
                let mut uow = law.begin().await;
                let of_another = uow.delete_caller_key(&other.name, &gone.hash).await;
                assert!(!of_another.expect("an answer"), "it is not theirs");
                let deleted = uow.delete_caller_key(&caller.name, &gone.hash).await;
                assert_eq!(deleted.expect("an answer"), was_there);
                uow.commit().await.expect("committed");
            }
            let left = find(law, &caller.name).await.expect("it is there");
            let kept = if gone == &first { &second } else { &first };
            assert_eq!(left.keys, std::slice::from_ref(kept));
            let mut uow = law.begin().await;
            assert!(uow.delete_caller(&caller.name).await.expect("an answer"));
            uow.commit().await.expect("committed");
        }
    }
    assert_eq!(find(law, &other.name).await, Some(other));
}

/// Keys need their caller, and nobody who is not there is locked.
pub async fn a_key_needs_its_caller(law: &StoreSubject) {
    let nobody = new_caller(law, &[]).name;
    let mut uow = law.begin().await;
    assert_eq!(uow.lock_caller(&nobody).await.expect("readable"), None);
    let added = uow.insert_caller_key(&nobody, &expiring_key(law)).await;
    assert!(matches!(added, Err(StoreError::Conflict)), "{added:?}");
}

/// A name in certificates comes and goes by itself; it is nobody else's until
/// then, and needs its caller.
pub async fn the_names_of_a_caller_come_and_go_one_by_one(law: &StoreSubject) {
    let other = new_caller(law, &[Role::Gateway]);
    let caller = Caller {
        sans: vec![new_san(law)],
        ..new_caller(law, &[Role::Service])
    };
    insert(law, &other).await;
    insert(law, &caller).await;
    let (first, second) = (&caller.sans[0], longest_san(law));
    let mut uow = law.begin().await;
    let added = uow.insert_caller_san(&caller.name, &second).await;
    added.expect("a second name");
    uow.commit().await.expect("committed");
    let both = vec![second.clone(), first.clone()];
    let found = find(law, &caller.name).await.expect("it is there");
    assert_eq!(found.sans, both);

    for taken in &both {
        for of in [&caller.name, &other.name] {
            let mut uow = law.begin().await;
            assert!(is_taken(&uow.insert_caller_san(of, taken).await));
        }
        let mut uow = law.begin().await;
        let of_another = uow.delete_caller_san(&other.name, taken).await;
        assert!(!of_another.expect("an answer"), "it is not theirs");
        drop(uow);
    }
    for was_there in [true, false] {
        let mut uow = law.begin().await;
        let deleted = uow.delete_caller_san(&caller.name, first).await;
        assert_eq!(deleted.expect("an answer"), was_there);
        uow.commit().await.expect("committed");
    }
    let mut uow = law.begin().await;
    let added = uow.insert_caller_san(&other.name, first).await;
    added.expect("it is free");
    uow.commit().await.expect("committed");
    for (caller, sans) in [(&caller, vec![second]), (&other, vec![first.clone()])] {
        let found = find(law, &caller.name).await.expect("it is there");
        let expected = Caller {
            sans,
            ..caller.clone()
        };
        assert_eq!(found, expected);
    }
    let nobody = new_caller(law, &[]).name;
    let mut uow = law.begin().await;
    let added = uow.insert_caller_san(&nobody, &new_san(law)).await;
    assert!(matches!(added, Err(StoreError::Conflict)), "{added:?}");
}

/// Whoever reads a caller to change it is alone with it.
pub async fn of_16_who_add_a_second_key_at_once_one_does(law: &StoreSubject) {
    let caller = new_caller(law, &[Role::Service]);
    insert(law, &caller).await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, key) = (Arc::clone(&law.store), expiring_key(law));
        let name = caller.name.clone();
        tasks.spawn(async move {
            let mut uow = store.begin().await?;
            let found = uow.lock_caller(&name).await?;
            if found.is_some_and(|caller| caller.keys.len() < Caller::MAX_KEYS) {
                uow.insert_caller_key(&name, &key).await?;
                uow.commit().await?;
                return Ok(true);
            }
            Ok::<_, StoreError>(false)
        });
    }
    let outcomes = tasks.join_all().await;
    let added = outcomes.iter().filter(|added| matches!(added, Ok(true)));
    assert_eq!(added.count(), 1, "{outcomes:?}");
    let found = find(law, &caller.name).await.expect("it is there");
    assert_eq!(found.keys.len(), Caller::MAX_KEYS);
}

/// The last use of a key is kept, and goes with it.
pub async fn the_last_use_of_a_key_does_not_go_back(law: &StoreSubject) {
    let caller = Caller {
        keys: vec![law.new_caller_key(), expiring_key(law)],
        ..new_caller(law, &[Role::Service])
    };
    insert(law, &caller).await;
    let gone = new_caller(law, &[]);
    let used = |caller: &Caller, key: usize, seconds| KeyUse {
        caller: caller.name.clone(),
        hash: caller.keys[key].hash,
        at: law.later(seconds),
    };
    for (uses, expected) in [
        (vec![], [None, None]),
        (vec![used(&caller, 1, 60)], [None, Some(60)]),
        (
            vec![
                used(&gone, 0, 60),
                used(&caller, 0, 120),
                used(&caller, 1, 120),
            ],
            [Some(120), Some(120)],
        ),
        (
            vec![used(&caller, 0, 60), used(&caller, 1, 180)],
            [Some(120), Some(180)],
        ),
    ] {
        law.store.note_key_uses(&uses).await.expect("noted");
        let found = find(law, &caller.name).await.expect("it is there");
        let last_used = found.keys.iter().map(|key| key.last_used_at);
        let expected = expected.map(|seconds| seconds.map(|seconds| law.later(seconds)));
        assert_eq!(last_used.collect::<Vec<_>>(), expected);
    }
    let mut uow = law.begin().await;
    uow.delete_caller(&caller.name).await.expect("an answer");
    uow.insert_caller(&caller).await.expect("it is free again");
    uow.commit().await.expect("committed");
    assert_eq!(find(law, &caller.name).await, Some(caller));
}
