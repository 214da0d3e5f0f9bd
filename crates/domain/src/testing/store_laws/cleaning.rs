//! Deleting what has outlived its use.

use std::time::Duration;

use countersign_token::Algorithm;

use super::subject::StoreSubject;
use super::{audit_log, devices, identifier_undos, tombstones};
use crate::model::{
    AuditFilter, KeyState, MessageId, MessageKind, QueuedMessage, Rotation, SealedSigningKey,
    Session, Timestamp, User,
};
use crate::ports::{Retention, StoreError};
use crate::testing;

const DAY: i64 = 86_400;

/// A time around a day of the year 1970.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(DAY * 100 + seconds)
}

/// Exactly that, in batches. A store may keep an ended session for up to a day
/// longer.
pub async fn what_has_outlived_its_use_is_deleted(law: &StoreSubject) {
    let now = law.store_now().await;
    let retention = Retention {
        now: now.plus(Duration::from_secs(25 * 3600)),
        sessions_before: at(2000),
        audit_before: at(0),
    };
    let (gone_sessions, kept_sessions) = sessions(law).await;
    let (gone_keys, kept_keys) = keys(law, retention.now).await;
    let (gone_messages, kept_messages) = messages(law, retention.now).await;
    let (gone_devices, kept_devices) = devices::expiring(law, retention.now).await;
    let (gone_undos, kept_undos) = identifier_undos::expiring(law, retention.now).await;
    let (gone_tombstones, kept_tombstones) = tombstones::expiring(law, retention.now).await;
    let (gone_events, kept_events) = audit_log::old_and_young(law, at(0)).await;
    let (gone_revocations, kept_revocations) = revocations(law, now).await;

    // Two at a time of each kind; there are at most 6 of one kind.
    let mut deleted = 0;
    for round in 0..3 {
        let rows = law.store.delete_expired(retention, 2).await;
        let rows = rows.expect("deleted");
        assert!(rows <= 16, "{rows} in round {round}");
        deleted += rows;
    }
    let expected = gone_sessions.len() + gone_keys.len() + gone_messages.len() + gone_devices.len();
    let expected = expected + gone_revocations.len() + gone_undos.len() + gone_tombstones.len();
    let expected = expected + gone_events.len();
    assert_eq!(deleted, expected as u64);
    let more = law.store.delete_expired(retention, 1000).await;
    assert_eq!(more.expect("deleted"), 0);

    for (session, is_there) in with_fate(&gone_sessions, &kept_sessions) {
        let stored = law.store.session(session.id).await.expect("readable");
        assert_eq!(stored.is_some(), is_there, "{session:?}");
    }
    for (tombstone, is_there) in with_fate(&gone_tombstones, &kept_tombstones) {
        let stored = tombstones::stored(law, &tombstone.digest, law.now).await;
        assert_eq!(stored.is_some(), is_there, "{tombstone:?}");
    }
    let stored = law.store.signing_keys().await.expect("readable");
    for (key, is_there) in with_fate(&gone_keys, &kept_keys) {
        let found = stored.iter().any(|stored| stored.kid == key.kid);
        assert_eq!(found, is_there, "{key:?}");
    }
    for (message, is_there) in with_fate(&gone_messages, &kept_messages) {
        assert_eq!(is_queued(law, message).await, is_there, "{message:?}");
    }
    for (device, is_there) in with_fate(&gone_devices, &kept_devices) {
        let found = devices::stored(law, device).await.is_some();
        assert_eq!(found, is_there, "{device:?}");
    }
    for (undo, is_there) in with_fate(&gone_undos, &kept_undos) {
        let found = identifier_undos::stored(law, undo).await.is_some();
        assert_eq!(found, is_there, "{undo:?}");
    }
    assert_eq!(
        audit_log::listed(law, &AuditFilter::default()).await,
        kept_events
    );
    let beginning = Timestamp::from_millis(0);
    let feed = testing::whole_feed(&*law.store, beginning, beginning).await;
    let feed = feed.expect("readable");
    for (session, is_there) in with_fate(&gone_revocations, &kept_revocations) {
        let found = feed.iter().any(|entry| entry.session_id == session.id);
        assert_eq!(found, is_there, "{session:?}");
    }
}

fn with_fate<'a, T>(gone: &'a [T], kept: &'a [T]) -> impl Iterator<Item = (&'a T, bool)> {
    let gone = gone.iter().map(|item| (item, false));
    gone.chain(kept.iter().map(|item| (item, true)))
}

async fn sessions(law: &StoreSubject) -> (Vec<Session>, Vec<Session>) {
    let user = law.user().await;
    let session = |expires_at: Timestamp, revoked_at: Option<Timestamp>| Session {
        expires_at,
        revoked_at,
        ..law.new_session(&user)
    };
    let mut gone = vec![
        session(at(-1), None),
        session(at(-3 * DAY), None),
        session(at(9000), Some(at(-1))),
        session(at(400 * DAY), Some(at(-DAY))),
        session(at(-1000), Some(at(-5000))),
    ];
    let mut kept = vec![
        session(at(2000), None),
        session(at(DAY), None),
        session(at(9000), Some(at(2000))),
        session(at(4 * DAY), None),
    ];
    law.insert_sessions(&gone).await;
    law.insert_sessions(&kept).await;

    // A session that was about to expire and was refreshed stays; one that was
    // refreshed to an earlier end than it had goes.
    let refreshed_to_live = refreshed(law, &user, at(-100), at(5 * DAY)).await;
    let refreshed_to_die = refreshed(law, &user, at(5 * DAY), at(-100)).await;
    kept.push(refreshed_to_live);
    gone.push(refreshed_to_die);
    (gone, kept)
}

/// A session that expired at `before` until it was refreshed.
async fn refreshed(
    law: &StoreSubject,
    user: &User,
    before: Timestamp,
    after: Timestamp,
) -> Session {
    let session = Session {
        expires_at: before,
        ..law.new_session(user)
    };
    law.insert_sessions(std::slice::from_ref(&session)).await;
    let rotation = Rotation {
        from: 1,
        authenticated_at: session.authenticated_at,
        to: 2,
        parent: 1,
        minted_at: at(-200),
        access_expires_at: after,
        expires_at: after,
    };
    let rotated = law.store.rotate(session.id, rotation).await;
    assert!(rotated.expect("an answer"));
    session.rotated(rotation)
}

async fn keys(
    law: &StoreSubject,
    now: Timestamp,
) -> (Vec<SealedSigningKey>, Vec<SealedSigningKey>) {
    let key = |state: KeyState, expires_at: Timestamp| SealedSigningKey {
        kid: format!("old-{:016x}", u64::from_be_bytes(law.bytes())),
        algorithm: Algorithm::Es256,
        state,
        sealed: vec![1, 2, 3],
        created_at: at(0),
        expires_at: Some(expires_at),
    };
    let before = now.minus(Duration::from_millis(1));
    let gone = vec![
        key(KeyState::Retired, at(0)),
        key(KeyState::Retired, before),
    ];
    let kept = vec![key(KeyState::Retired, now), key(KeyState::Active, at(0))];
    let mut uow = law.begin().await;
    for key in gone.iter().chain(&kept) {
        uow.insert_signing_key(key).await.expect("a new key");
    }
    uow.commit().await.expect("committed");
    (gone, kept)
}

async fn messages(law: &StoreSubject, now: Timestamp) -> (Vec<QueuedMessage>, Vec<QueuedMessage>) {
    let message = |expires_at: Timestamp| QueuedMessage {
        id: MessageId::generate(law.now, &law.random),
        kind: MessageKind::Notice,
        sealed: vec![1, 2, 3],
        created_at: at(0),
        expires_at,
    };
    let before = now.minus(Duration::from_millis(1));
    let gone = vec![message(at(0)), message(before), message(before)];
    let kept = vec![message(now), message(now.plus(Duration::from_secs(60)))];
    for message in gone.iter().chain(&kept) {
        law.store.enqueue(message).await.expect("queued");
    }
    (gone, kept)
}

/// Its id is taken as long as it is there.
async fn is_queued(law: &StoreSubject, message: &QueuedMessage) -> bool {
    match law.store.enqueue(message).await {
        Err(StoreError::Taken) => true,
        queued => {
            queued.expect("an answer");
            false
        }
    }
}

/// Revocations that were needed for a day after they were made, and ones that
/// are needed for longer because of their access tokens. All are of sessions
/// that stay.
async fn revocations(law: &StoreSubject, now: Timestamp) -> (Vec<Session>, Vec<Session>) {
    let user = law.user().await;
    let session = |access_expires_at: Timestamp| Session {
        access_expires_at,
        expires_at: now.plus(Duration::from_secs(86_400)),
        ..law.new_session(&user)
    };
    let hour = Duration::from_secs(3600);
    let gone = vec![session(at(0)), session(now), session(now.minus(hour))];
    let kept = vec![session(now.plus(2 * hour)), session(now.plus(30 * hour))];
    law.insert_sessions(&gone).await;
    law.insert_sessions(&kept).await;
    let mut uow = law.begin().await;
    for session in gone.iter().chain(&kept) {
        let revoked = uow.revoke_session(session.id, now).await;
        assert!(revoked.expect("an answer").is_some());
    }
    uow.commit().await.expect("committed");
    (gone, kept)
}
