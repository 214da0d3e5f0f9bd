//! Ending sessions, and the feed that tells of it.

use std::sync::Arc;
use std::time::Duration;

use super::{StoreSubject, yes_of};
use crate::model::{Revocation, Session, SessionId, Timestamp};

const NEEDED_FOR: Duration = Duration::from_secs(900);

/// What the feed tells of these sessions; other laws' entries are left out.
async fn feed(
    law: &StoreSubject,
    sessions: &[SessionId],
    since: Timestamp,
    now: Timestamp,
) -> Vec<Revocation> {
    let all = law.store.revocations(since, now).await.expect("readable");
    let mut entries: Vec<_> = all
        .into_iter()
        .filter(|entry| sessions.contains(&entry.session_id))
        .collect();
    entries.sort_by_key(|entry| entry.session_id);
    entries
}

async fn revoke(law: &StoreSubject, id: SessionId, now: Timestamp) -> bool {
    let mut uow = law.begin().await;
    let was_alive = uow.revoke_session(id, now, NEEDED_FOR).await;
    uow.commit().await.expect("committed");
    was_alive.expect("an answer")
}

/// The first time counts; the feed and the session keep it.
pub async fn revoking_ends_a_session_once(law: &StoreSubject) {
    let session = law.session().await;
    assert!(revoke(law, session.id, law.later(1)).await);
    assert!(!revoke(law, session.id, law.later(2)).await);
    let ended = Session {
        revoked_at: Some(law.later(1)),
        ..session
    };
    assert_eq!(law.stored_session(ended.id).await, ended);
    let entry = Revocation {
        session_id: ended.id,
        revoked_at: law.later(1),
        expires_at: law.later(1).plus(NEEDED_FOR),
    };
    let entries = feed(law, &[ended.id], law.now, law.later(1)).await;
    assert_eq!(entries, [entry]);
}

/// Not before: the reader of a feed that was rolled back would be wrong.
pub async fn a_revocation_is_in_the_feed_from_the_commit_on(law: &StoreSubject) {
    let session = law.session().await;
    let mut uow = law.begin().await;
    let was_alive = uow.revoke_session(session.id, law.now, NEEDED_FOR).await;
    assert!(was_alive.expect("an answer"));
    drop(uow);
    assert_eq!(feed(law, &[session.id], law.now, law.now).await, []);
    assert_eq!(law.stored_session(session.id).await.revoked_at, None);

    let mut uow = law.begin().await;
    let was_alive = uow.revoke_session(session.id, law.now, NEEDED_FOR).await;
    assert!(was_alive.expect("an answer"));
    uow.commit().await.expect("committed");
    assert_eq!(feed(law, &[session.id], law.now, law.now).await.len(), 1);
}

/// Unknown and expired sessions leave no entry behind.
pub async fn what_is_not_alive_is_not_revoked(law: &StoreSubject) {
    let session = law.session().await;
    let unknown = SessionId::generate(law.now, &law.random);
    assert!(!revoke(law, unknown, law.now).await);
    assert!(!revoke(law, session.id, session.expires_at).await);
    let entries = feed(law, &[unknown, session.id], law.now, law.now).await;
    assert_eq!(entries, []);
    assert_eq!(law.stored_session(session.id).await, session);
}

/// Whoever revokes at the same time finds it done.
pub async fn of_16_revocations_at_once_one_ends_the_session(law: &StoreSubject) {
    let session = law.session().await;
    let ended = yes_of(16, || {
        let store = Arc::clone(&law.store);
        let (id, now) = (session.id, law.now);
        async move {
            let mut uow = store.begin().await?;
            let was_alive = uow.revoke_session(id, now, NEEDED_FOR).await?;
            uow.commit().await?;
            Ok(was_alive)
        }
    })
    .await;
    assert_eq!(ended, 1);
    assert_eq!(feed(law, &[session.id], law.now, law.now).await.len(), 1);
}

/// The live sessions of the user, but for the one that is kept.
pub async fn all_sessions_but_one_are_revoked(law: &StoreSubject) {
    let other = law.session().await;
    let user = law.user().await;
    let sessions: Vec<_> = (0..4).map(|_| law.new_session(&user)).collect();
    let expired = Session {
        expires_at: law.now,
        ..law.new_session(&user)
    };
    let ended_before = Session {
        revoked_at: Some(law.now),
        ..law.new_session(&user)
    };
    law.insert_sessions(&sessions).await;
    law.insert_sessions(&[expired.clone(), ended_before.clone()])
        .await;
    let (kept, revoked) = sessions.split_first().expect("four sessions");
    let mut expected: Vec<_> = revoked.iter().map(|session| session.id).collect();
    expected.sort();

    let mut uow = law.begin().await;
    let now = law.later(1);
    let ids = uow
        .revoke_user_sessions(user.id, Some(kept.id), now, NEEDED_FOR)
        .await;
    uow.commit().await.expect("committed");
    let mut ids = ids.expect("an answer");
    ids.sort();
    assert_eq!(ids, expected);

    let mut all: Vec<_> = sessions.iter().map(|session| session.id).collect();
    all.extend([expired.id, ended_before.id, other.id]);
    let told = feed(law, &all, law.now, now).await;
    let told_ids: Vec<_> = told.iter().map(|entry| entry.session_id).collect();
    assert_eq!(told_ids, expected);
    assert!(told.iter().all(|entry| entry.revoked_at == now));
    for id in expected {
        assert_eq!(law.stored_session(id).await.revoked_at, Some(now));
    }
    for untouched in [kept, &expired, &ended_before, &other] {
        assert_eq!(law.stored_session(untouched.id).await, *untouched);
    }

    let mut uow = law.begin().await;
    let last = uow
        .revoke_user_sessions(user.id, None, now, NEEDED_FOR)
        .await;
    uow.commit().await.expect("committed");
    assert_eq!(last.expect("an answer"), [kept.id]);
}

/// However many there are.
pub async fn hundreds_of_sessions_are_revoked_at_once(law: &StoreSubject) {
    let user = law.user().await;
    let sessions: Vec<_> = (0..520).map(|_| law.new_session(&user)).collect();
    law.insert_sessions(&sessions).await;
    let mut uow = law.begin().await;
    let ended = uow
        .revoke_user_sessions(user.id, None, law.now, NEEDED_FOR)
        .await;
    uow.commit().await.expect("committed");
    assert_eq!(ended.expect("an answer").len(), sessions.len());
    let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
    assert_eq!(
        feed(law, &ids, law.now, law.now).await.len(),
        sessions.len()
    );
}

/// `since` is part of the span, the moment of expiry is not.
pub async fn the_feed_tells_what_is_recent_and_needed(law: &StoreSubject) {
    let session = law.session().await;
    let revoked_at = law.later(10);
    assert!(revoke(law, session.id, revoked_at).await);
    let expires_at = revoked_at.plus(NEEDED_FOR);
    let before = |instant: Timestamp| instant.minus(Duration::from_millis(1));
    let after = |instant: Timestamp| instant.plus(Duration::from_millis(1));
    for (since, now, told) in [
        (law.now, revoked_at, true),
        (revoked_at, revoked_at, true),
        (after(revoked_at), revoked_at, false),
        (law.now, before(expires_at), true),
        (law.now, expires_at, false),
        (law.now, law.now, true),
    ] {
        let entries = feed(law, &[session.id], since, now).await;
        assert_eq!(entries.len(), usize::from(told), "{since:?} {now:?}");
    }
}
