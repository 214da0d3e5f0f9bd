//! Deleting what has outlived its use.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Algorithm;

use super::{StoreSubject, credential, username};
use crate::model::{KeyState, Rotation, SealedSigningKey, Session, Timestamp, User, UserId};
use crate::ports::Horizon;

/// A day of the year 1970, in which no other law writes.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(86_400 * 100 + seconds)
}

/// Exactly that, in batches; and what belongs to it.
pub async fn what_has_outlived_its_use_is_deleted(law: &StoreSubject) {
    let horizon = Horizon {
        now: at(3000),
        sessions_before: at(2000),
        pending_before: at(1000),
    };
    a_user_who_is_just_activated_stays(law, horizon).await;
    let (gone_users, kept_users) = users(law).await;
    let (gone_sessions, kept_sessions) = sessions(law).await;
    let (gone_keys, kept_keys) = keys(law).await;
    revocations(law).await;

    // Two at a time of each kind; there are at most 7 of one kind.
    let mut deleted = 0;
    for round in 0..4 {
        let rows = law.store.delete_expired(horizon, 2).await.expect("deleted");
        assert!(rows <= 8, "{rows} in round {round}");
        deleted += rows;
    }
    let expected = gone_users.len() + gone_sessions.len() + gone_keys.len() + 1;
    assert_eq!(deleted, expected as u64);
    let more = law.store.delete_expired(horizon, 1000).await;
    assert_eq!(more.expect("deleted"), 0);

    for (user, is_there) in with_fate(&gone_users, &kept_users) {
        let stored = law.store.user(user.id).await.expect("readable");
        assert_eq!(stored.is_some(), is_there, "{user:?}");
    }
    for (session, is_there) in with_fate(&gone_sessions, &kept_sessions) {
        let stored = law.store.session(session.id).await.expect("readable");
        assert_eq!(stored.is_some(), is_there, "{session:?}");
    }
    let stored = law.store.signing_keys().await.expect("readable");
    for (key, is_there) in with_fate(&gone_keys, &kept_keys) {
        let found = stored.iter().any(|stored| stored.kid == key.kid);
        assert_eq!(found, is_there, "{key:?}");
    }
    let feed = law.store.revocations(at(0), at(0)).await.expect("readable");
    let in_1970 = feed.iter().filter(|entry| entry.revoked_at < at(9000));
    assert_eq!(in_1970.count(), 1, "one of two revocations is needed");

    // What was theirs is free again.
    let heir = law.new_user();
    law.insert(&heir, &[(&username("name-0"), None)]).await;
}

/// A code may come back at the very moment in which its user is about to be
/// deleted.
async fn a_user_who_is_just_activated_stays(law: &StoreSubject, horizon: Horizon) {
    let id = UserId::generate(law.now, &law.random);
    let user = User::pending(id, law.group.clone(), at(0));
    law.insert(&user, &[]).await;
    let mut uow = law.begin().await;
    uow.activate_user(id, law.now).await.expect("activated");
    let store = Arc::clone(&law.store);
    let cleaning = tokio::spawn(async move { store.delete_expired(horizon, 10).await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    uow.commit().await.expect("committed");
    let deleted = cleaning.await.expect("no panic");
    assert_eq!(deleted.expect("deleted"), 0);
    let stored = law.store.user(id).await.expect("readable");
    assert!(stored.is_some_and(|user| user.is_active()));
}

fn with_fate<'a, T>(gone: &'a [T], kept: &'a [T]) -> impl Iterator<Item = (&'a T, bool)> {
    let gone = gone.iter().map(|item| (item, false));
    gone.chain(kept.iter().map(|item| (item, true)))
}

async fn users(law: &StoreSubject) -> (Vec<User>, Vec<User>) {
    let user = |created_at: Timestamp, pending: bool| {
        let id = UserId::generate(law.now, &law.random);
        let group = law.group.clone();
        if pending {
            User::pending(id, group, created_at)
        } else {
            User::active(id, group, created_at)
        }
    };
    let gone = vec![user(at(0), true), user(at(500), true), user(at(999), true)];
    let kept = vec![user(at(0), false), user(at(1000), true)];
    for (number, user) in gone.iter().chain(&kept).enumerate() {
        let name = username(&format!("name-{number}"));
        law.insert(user, &[(&name, None)]).await;
        let mut uow = law.begin().await;
        let password = credential(user, "hash", law.now);
        uow.put_credential(&password).await.expect("a password");
        uow.commit().await.expect("committed");
    }
    (gone, kept)
}

async fn sessions(law: &StoreSubject) -> (Vec<Session>, Vec<Session>) {
    let user = law.user().await;
    let session = |expires_at: Timestamp, revoked_at: Option<Timestamp>| Session {
        expires_at,
        revoked_at,
        ..law.new_session(&user)
    };
    let day = 86_400;
    let gone = vec![
        session(at(1999), None),
        session(at(-3 * day), None),
        session(at(9000), Some(at(1999))),
        session(at(400 * day), Some(at(-day))),
        session(at(1000), Some(at(500))),
    ];
    let rotated_long_ago = session(at(4 * day), None);
    let mut kept = vec![
        session(at(2000), None),
        session(at(day), None),
        session(at(9000), Some(at(2000))),
    ];
    law.insert_sessions(&gone).await;
    law.insert_sessions(&kept).await;
    law.insert_sessions(std::slice::from_ref(&rotated_long_ago))
        .await;
    let gone = [gone, vec![revoked(law, &user).await]].concat();

    // A session that was about to expire and was refreshed stays; one that was
    // refreshed to an earlier end than it had goes.
    let mut refreshed = Vec::new();
    for (before, after) in [(at(100), at(5 * day)), (at(5 * day), at(100))] {
        let session = session(before, None);
        law.insert_sessions(std::slice::from_ref(&session)).await;
        let rotation = Rotation {
            from: 1,
            to: 2,
            parent: 1,
            minted_at: at(50),
            expires_at: after,
        };
        let rotated = law.store.rotate(session.id, rotation).await;
        assert!(rotated.expect("an answer"));
        refreshed.push(session);
    }
    let dead = refreshed.pop().expect("two sessions");
    kept.extend(refreshed);
    kept.push(rotated_long_ago);
    ([gone, vec![dead]].concat(), kept)
}

/// A session that would live for long and was revoked long ago.
async fn revoked(law: &StoreSubject, user: &User) -> Session {
    let session = law.new_session(user);
    law.insert_sessions(std::slice::from_ref(&session)).await;
    let mut uow = law.begin().await;
    // Its entry in the feed is needed until after the horizon.
    uow.revoke_session(session.id, at(1500), Duration::from_secs(3000))
        .await
        .expect("revoked");
    uow.commit().await.expect("committed");
    session
}

async fn keys(law: &StoreSubject) -> (Vec<SealedSigningKey>, Vec<SealedSigningKey>) {
    let key = |expires_at: Timestamp| SealedSigningKey {
        kid: format!("old-{:016x}", u64::from_be_bytes(law.bytes())),
        algorithm: Algorithm::Es256,
        state: KeyState::Retired,
        sealed: vec![1, 2, 3],
        created_at: at(0),
        expires_at: Some(expires_at),
    };
    let gone = vec![key(at(0)), key(at(2999))];
    let kept = vec![key(at(3000)), key(law.later(60))];
    let mut uow = law.begin().await;
    for key in gone.iter().chain(&kept) {
        uow.insert_signing_key(key).await.expect("a new key");
    }
    uow.commit().await.expect("committed");
    (gone, kept)
}

/// One revocation that is not needed any more, of a session that stays.
async fn revocations(law: &StoreSubject) {
    let session = law.session().await;
    let mut uow = law.begin().await;
    uow.revoke_session(session.id, at(2500), Duration::from_secs(499))
        .await
        .expect("revoked");
    uow.commit().await.expect("committed");
}
