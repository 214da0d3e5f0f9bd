//! Signing keys and their states.

use countersign_token::Algorithm;

use super::subject::{StoreSubject, is_taken};
use crate::model::{KeyState, SealedSigningKey};

fn new_key(law: &StoreSubject, state: KeyState) -> SealedSigningKey {
    let random: u64 = u64::from_be_bytes(law.bytes());
    SealedSigningKey {
        kid: format!("kid-{random:016x}"),
        algorithm: Algorithm::EdDsa,
        state,
        sealed: law.bytes::<80>().to_vec(),
        created_at: law.now,
        expires_at: None,
    }
}

async fn find(law: &StoreSubject, kid: &str) -> Option<SealedSigningKey> {
    let keys = law.store.signing_keys().await.expect("readable");
    let mut found = keys.into_iter().filter(|key| key.kid == kid);
    let key = found.next();
    assert_eq!(found.next(), None, "a key is listed twice");
    key
}

async fn insert(law: &StoreSubject, key: &SealedSigningKey) -> bool {
    let mut uow = law.begin().await;
    let inserted = uow.insert_signing_key(key).await;
    if is_taken(&inserted) {
        return false;
    }
    inserted.expect("an answer");
    uow.commit().await.expect("committed");
    true
}

/// Their whole life, since the two places are there once: next, active,
/// retired, gone.
pub async fn there_is_one_active_and_one_next_signing_key(law: &StoreSubject) {
    let first = new_key(law, KeyState::Active);
    let second = new_key(law, KeyState::Next);
    assert!(insert(law, &first).await);
    assert!(insert(law, &second).await);
    assert!(!insert(law, &new_key(law, KeyState::Active)).await);
    assert!(!insert(law, &new_key(law, KeyState::Next)).await);
    assert_eq!(find(law, &first.kid).await, Some(first.clone()));

    let mut uow = law.begin().await;
    let taken = uow.move_signing_key(&second.kid, KeyState::Next, KeyState::Active, None);
    assert!(is_taken(&taken.await), "there were two active keys");
    drop(uow);

    let mut uow = law.begin().await;
    let expires_at = Some(law.later(3600));
    let retired = uow
        .move_signing_key(&first.kid, KeyState::Active, KeyState::Retired, expires_at)
        .await;
    assert!(retired.expect("an answer"));
    let activated = uow
        .move_signing_key(&second.kid, KeyState::Next, KeyState::Active, None)
        .await;
    assert!(activated.expect("an answer"));
    let again = uow
        .move_signing_key(&first.kid, KeyState::Active, KeyState::Retired, expires_at)
        .await;
    assert!(!again.expect("an answer"), "it was not active any more");
    let third = new_key(law, KeyState::Next);
    uow.insert_signing_key(&third)
        .await
        .expect("the place is free");
    uow.commit().await.expect("committed");

    let first = SealedSigningKey {
        state: KeyState::Retired,
        expires_at,
        ..first
    };
    let second = SealedSigningKey {
        state: KeyState::Active,
        ..second
    };
    for key in [&first, &second, &third] {
        assert_eq!(find(law, &key.kid).await.as_ref(), Some(key));
    }

    for (key, was_there) in [
        (&first, true),
        (&second, true),
        (&third, true),
        (&first, false),
    ] {
        let mut uow = law.begin().await;
        let deleted = uow.delete_signing_key(&key.kid).await;
        assert_eq!(deleted.expect("an answer"), was_there);
        uow.commit().await.expect("committed");
        assert_eq!(find(law, &key.kid).await, None);
    }
}

/// Whoever holds it, and nobody else's; there is nothing to clear of the retired.
pub async fn the_place_of_a_signing_key_is_cleared(law: &StoreSubject) {
    let active = new_key(law, KeyState::Active);
    let next = new_key(law, KeyState::Next);
    let retired = new_key(law, KeyState::Retired);
    for key in [&active, &next, &retired] {
        assert!(insert(law, key).await);
    }
    for (state, was_there) in [
        (KeyState::Next, true),
        (KeyState::Next, false),
        (KeyState::Retired, false),
        (KeyState::Active, true),
    ] {
        let mut uow = law.begin().await;
        let cleared = uow.clear_signing_key_state(state).await;
        assert_eq!(cleared.expect("an answer"), was_there, "{state:?}");
        uow.commit().await.expect("committed");
        let is_there = find(law, &active.kid).await.is_some();
        assert_eq!(is_there, state != KeyState::Active);
        assert_eq!(find(law, &next.kid).await, None);
        assert_eq!(find(law, &retired.kid).await, Some(retired.clone()));
    }
    assert!(insert(law, &new_key(law, KeyState::Next)).await);
}

/// Every field survives; any number of keys can be retired.
pub async fn a_retired_signing_key_is_read_as_written(law: &StoreSubject) {
    for (algorithm, size) in Algorithm::ALL.into_iter().zip([0_u32, 1, 80, 4096]) {
        let key = SealedSigningKey {
            algorithm,
            sealed: (0..size).map(|n| n.to_le_bytes()[0]).collect(),
            created_at: law.later(1),
            expires_at: Some(law.later(2)),
            ..new_key(law, KeyState::Retired)
        };
        assert!(insert(law, &key).await);
        assert_eq!(find(law, &key.kid).await, Some(key.clone()));
        assert!(!insert(law, &key).await, "a kid is taken once");
    }
}
