//! Ending sessions, and the feed that tells of it.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, yes_of};
use crate::model::{Revocation, Session, SessionId, Timestamp};
use crate::ports::FeedPosition;
use crate::testing;

/// What the feed tells of these sessions; other laws' entries are left out.
async fn feed(
    law: &StoreSubject,
    sessions: &[SessionId],
    since: Timestamp,
    now: Timestamp,
) -> Vec<Revocation> {
    let all = testing::whole_feed(&*law.store, since, now).await;
    let all = all.expect("readable");
    let mut entries: Vec<_> = all
        .into_iter()
        .filter(|entry| sessions.contains(&entry.session_id))
        .collect();
    entries.sort_by_key(|entry| entry.session_id);
    entries
}

/// What the feed tells of these sessions from the beginning on.
async fn whole_feed(law: &StoreSubject, sessions: &[SessionId]) -> Vec<Revocation> {
    let beginning = Timestamp::from_millis(0);
    feed(law, sessions, beginning, law.now).await
}

async fn revoke(law: &StoreSubject, id: SessionId, now: Timestamp) -> Option<Revocation> {
    let mut uow = law.begin().await;
    let revoked = uow.revoke_session(id, now).await;
    uow.commit().await.expect("committed");
    revoked.expect("an answer")
}

/// The first time counts; the feed and the session keep it.
pub async fn revoking_ends_a_session_once(law: &StoreSubject) {
    let session = law.session().await;
    let revocation = revoke(law, session.id, law.later(1)).await;
    let revocation = revocation.expect("the session was live");
    assert_eq!(revoke(law, session.id, law.later(2)).await, None);
    assert_eq!(revocation.session_id, session.id);
    let ended = Session {
        revoked_at: Some(revocation.revoked_at),
        ..session
    };
    assert_eq!(law.stored_session(ended.id).await, ended);
    assert_eq!(whole_feed(law, &[ended.id]).await, [revocation]);
}

/// Not by whoever asks, whose clock may be wrong.
pub async fn a_revocation_is_stamped_by_the_store(law: &StoreSubject) {
    for asked_at in [law.now, law.later(3600)] {
        let session = law.session().await;
        let before = law.store_now().await;
        let revocation = revoke(law, session.id, asked_at).await;
        let after = law.store_now().await;
        let revoked_at = revocation.expect("the session was live").revoked_at;
        assert!((before..=after).contains(&revoked_at));

        let user = law.user().await;
        let sessions = [law.new_session(&user), law.new_session(&user)];
        law.insert_sessions(&sessions).await;
        let before = law.store_now().await;
        let mut uow = law.begin().await;
        let revoked = uow.revoke_user_sessions(user.id, None, asked_at).await;
        uow.commit().await.expect("committed");
        let after = law.store_now().await;
        for revocation in revoked.expect("an answer") {
            assert!((before..=after).contains(&revocation.revoked_at));
        }
    }
}

/// That depends on the session alone, not on anybody's setting of today.
pub async fn a_revocation_is_kept_until_the_last_access_token_is_long_gone(law: &StoreSubject) {
    let user = law.user().await;
    let ends = |days: u64| law.later(days * 86_400);
    let now = law.store_now().await;
    for access_expires_at in [now.minus(Duration::from_secs(3600)), ends(400), ends(900)] {
        let session = Session {
            access_expires_at,
            ..law.new_session(&user)
        };
        law.insert_sessions(std::slice::from_ref(&session)).await;
        let mut uow = law.begin().await;
        let revoked = if access_expires_at == ends(900) {
            let revoked = uow.revoke_user_sessions(user.id, None, law.now).await;
            revoked.expect("an answer").pop()
        } else {
            let revoked = uow.revoke_session(session.id, law.now).await;
            revoked.expect("an answer")
        };
        uow.commit().await.expect("committed");
        let revocation = revoked.expect("the session was live");
        let kept_until = Revocation::kept_until(access_expires_at, revocation.revoked_at);
        assert_eq!(revocation.expires_at, kept_until);
        assert_eq!(whole_feed(law, &[session.id]).await, [revocation]);
    }
}

/// Not before: the reader of a feed that was rolled back would be wrong.
pub async fn a_revocation_is_in_the_feed_from_the_commit_on(law: &StoreSubject) {
    let session = law.session().await;
    let mut uow = law.begin().await;
    let revoked = uow.revoke_session(session.id, law.now).await;
    assert!(revoked.expect("an answer").is_some());
    drop(uow);
    assert_eq!(whole_feed(law, &[session.id]).await, []);
    assert_eq!(law.stored_session(session.id).await.revoked_at, None);

    assert!(revoke(law, session.id, law.now).await.is_some());
    assert_eq!(whole_feed(law, &[session.id]).await.len(), 1);
}

/// Unknown and expired sessions leave no entry behind.
pub async fn what_is_not_alive_is_not_revoked(law: &StoreSubject) {
    let session = law.session().await;
    let unknown = SessionId::generate(law.now, &law.random);
    assert_eq!(revoke(law, unknown, law.now).await, None);
    assert_eq!(revoke(law, session.id, session.expires_at).await, None);
    assert_eq!(whole_feed(law, &[unknown, session.id]).await, []);
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
            let revoked = uow.revoke_session(id, now).await?;
            uow.commit().await?;
            Ok(revoked.is_some())
        }
    })
    .await;
    assert_eq!(ended, 1);
    assert_eq!(whole_feed(law, &[session.id]).await.len(), 1);
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
    let revoked = uow.revoke_user_sessions(user.id, Some(kept.id), now).await;
    uow.commit().await.expect("committed");
    let mut revoked = revoked.expect("an answer");
    revoked.sort_by_key(|revocation| revocation.session_id);
    let ids: Vec<_> = revoked.iter().map(|entry| entry.session_id).collect();
    assert_eq!(ids, expected);

    let mut all: Vec<_> = sessions.iter().map(|session| session.id).collect();
    all.extend([expired.id, ended_before.id, other.id]);
    assert_eq!(whole_feed(law, &all).await, revoked);
    for revocation in revoked {
        let stored = law.stored_session(revocation.session_id).await;
        assert_eq!(stored.revoked_at, Some(revocation.revoked_at));
    }
    for untouched in [kept, &expired, &ended_before, &other] {
        assert_eq!(law.stored_session(untouched.id).await, *untouched);
    }

    let mut uow = law.begin().await;
    let last = uow.revoke_user_sessions(user.id, None, now).await;
    uow.commit().await.expect("committed");
    let last = last.expect("an answer");
    let ids: Vec<_> = last.iter().map(|entry| entry.session_id).collect();
    assert_eq!(ids, [kept.id]);
}

/// However many there are.
pub async fn hundreds_of_sessions_are_revoked_at_once(law: &StoreSubject) {
    let user = law.user().await;
    let sessions: Vec<_> = (0..520).map(|_| law.new_session(&user)).collect();
    law.insert_sessions(&sessions).await;
    let mut uow = law.begin().await;
    let ended = uow.revoke_user_sessions(user.id, None, law.now).await;
    uow.commit().await.expect("committed");
    assert_eq!(ended.expect("an answer").len(), sessions.len());
    let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
    assert_eq!(whole_feed(law, &ids).await.len(), sessions.len());
}

/// In the order of the stamps, also of those that are equal.
pub async fn pages_of_the_feed_tell_each_revocation_once(law: &StoreSubject) {
    let user = law.user().await;
    let sessions: Vec<_> = (0..10).map(|_| law.new_session(&user)).collect();
    law.insert_sessions(&sessions).await;
    let mut uow = law.begin().await;
    let revoked = uow.revoke_user_sessions(user.id, None, law.now).await;
    uow.commit().await.expect("committed");
    let revoked = revoked.expect("an answer");
    let stamp = revoked.first().expect("ten were live").revoked_at;
    for limit in [1, 3, 10] {
        let (mut told, mut stamps) = (Vec::new(), Vec::new());
        let mut position = Some(FeedPosition::since(stamp));
        while let Some(from) = position {
            let page = law.store.revocations(&from, law.now, limit).await;
            let page = page.expect("readable");
            assert!(page.revocations.len() <= limit as usize);
            stamps.extend(page.revocations.iter().map(|entry| entry.revoked_at));
            told.extend(
                page.revocations
                    .into_iter()
                    .filter(|entry| revoked.contains(entry)),
            );
            position = page.next;
        }
        assert!(stamps.is_sorted(), "{stamps:?}");
        let ids: std::collections::BTreeSet<_> =
            told.iter().map(|entry| entry.session_id).collect();
        assert_eq!((told.len(), ids.len()), (10, 10), "pages of {limit}");
    }
}

/// `since` is part of the span, the moment of expiry is not.
pub async fn the_feed_tells_what_is_recent_and_needed(law: &StoreSubject) {
    let session = law.session().await;
    let revocation = revoke(law, session.id, law.now).await;
    let Revocation {
        revoked_at,
        expires_at,
        ..
    } = revocation.expect("the session was live");
    let before = |instant: Timestamp| instant.minus(Duration::from_millis(1));
    let after = |instant: Timestamp| instant.plus(Duration::from_millis(1));
    for (since, now, told) in [
        (before(revoked_at), revoked_at, true),
        (revoked_at, revoked_at, true),
        (after(revoked_at), revoked_at, false),
        (revoked_at, before(expires_at), true),
        (revoked_at, expires_at, false),
        (revoked_at, before(revoked_at), true),
    ] {
        let entries = feed(law, &[session.id], since, now).await;
        assert_eq!(entries.len(), usize::from(told), "{since:?} {now:?}");
    }
}
