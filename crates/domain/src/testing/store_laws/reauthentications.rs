//! New authentications in sessions that go on, beside refreshes and revocations.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, yes_of};
use crate::model::{AuthenticationMethod, Reauthentication, Rotation, Session, SessionId};
use crate::ports::StoreError;

/// By a second factor, three seconds later.
fn change(law: &StoreSubject, session: &Session) -> Reauthentication {
    Reauthentication {
        at: law.later(3),
        methods: vec![
            AuthenticationMethod::Password,
            AuthenticationMethod::OneTimeCode,
            AuthenticationMethod::MultiFactor,
        ],
        access_expires_at: session.access_expires_at.plus(Duration::from_secs(3)),
    }
}

fn rotation_of(session: &Session) -> Rotation {
    Rotation {
        from: session.generation,
        authenticated_at: session.authenticated_at,
        to: session.generation + 1,
        parent: session.generation,
        minted_at: session.minted_at,
        access_expires_at: session.access_expires_at,
        expires_at: session.expires_at,
    }
}

async fn write(
    law: &StoreSubject,
    id: SessionId,
    change: &Reauthentication,
) -> Result<bool, StoreError> {
    let mut uow = law.begin().await;
    let written = uow.reauthenticate_session(id, change, law.now).await?;
    uow.commit().await?;
    Ok(written)
}

/// Its generations are as they were, and so are other sessions.
pub async fn a_reauthentication_changes_what_it_says(law: &StoreSubject) {
    let session = law.session().await;
    let bystander = law.session().await;
    let change = change(law, &session);
    assert!(write(law, session.id, &change).await.expect("an answer"));
    let expected = session.reauthenticated(&change);
    assert_eq!(expected.access_expires_at, change.access_expires_at);
    assert_eq!(law.stored_session(expected.id).await, expected);
    assert_eq!(law.stored_session(bystander.id).await, bystander);
}

/// A revocation must be kept for the token that lives longest.
pub async fn a_reauthentication_lets_no_access_token_expire_earlier(law: &StoreSubject) {
    let session = law.session().await;
    let sooner = Reauthentication {
        access_expires_at: law.now,
        ..change(law, &session)
    };
    assert!(write(law, session.id, &sooner).await.expect("an answer"));
    let stored = law.stored_session(session.id).await;
    assert_eq!(stored.access_expires_at, session.access_expires_at);
    assert_eq!(stored, session.reauthenticated(&sooner));
}

/// Not the ended, not the expired, not the unknown.
pub async fn what_is_not_alive_is_not_reauthenticated(law: &StoreSubject) {
    let user = law.user().await;
    let ended = Session {
        revoked_at: Some(law.now),
        ..law.new_session(&user)
    };
    let expired = Session {
        expires_at: law.now,
        ..law.new_session(&user)
    };
    law.insert_sessions(&[ended.clone(), expired.clone()]).await;
    for session in [ended, expired] {
        let change = change(law, &session);
        let written = write(law, session.id, &change).await;
        assert!(!written.expect("an answer"));
        assert_eq!(law.stored_session(session.id).await, session);
    }
    let unknown = law.new_session(&user);
    let written = write(law, unknown.id, &change(law, &unknown)).await;
    assert!(!written.expect("an answer"));
    let mut uow = law.begin().await;
    let locked = uow.lock_session(unknown.id).await.expect("readable");
    assert_eq!(locked, None);
}

/// A refresh that was begun before tells of the authentication before.
pub async fn a_rotation_starts_from_its_authentication(law: &StoreSubject) {
    let session = law.session().await;
    let stale = rotation_of(&session);
    let change = change(law, &session);
    assert!(write(law, session.id, &change).await.expect("an answer"));
    let rotated = law.store.rotate(session.id, stale).await;
    assert!(!rotated.expect("an answer"));

    let session = law.stored_session(session.id).await;
    let rotation = rotation_of(&session);
    let rotated = law.store.rotate(session.id, rotation).await;
    assert!(rotated.expect("an answer"));
    let stored = law.stored_session(session.id).await;
    assert_eq!(stored.methods, change.methods);
    assert_eq!(stored.authenticated_at, change.at);
    assert_eq!(stored, session.rotated(rotation));
}

/// Each that has locked the session sees what those before have written.
pub async fn of_16_reauthentications_at_once_none_is_lost(law: &StoreSubject) {
    let session = law.session().await;
    let (id, now) = (session.id, law.now);
    let written = yes_of(16, || {
        let store = Arc::clone(&law.store);
        async move {
            let mut uow = store.begin().await?;
            let locked = uow.lock_session(id).await?.expect("the session is there");
            let change = Reauthentication {
                at: locked.authenticated_at.plus(Duration::from_secs(1)),
                methods: locked.methods,
                access_expires_at: locked.access_expires_at.plus(Duration::from_secs(1)),
            };
            let written = uow.reauthenticate_session(id, &change, now).await?;
            uow.commit().await?;
            Ok(written)
        }
    })
    .await;
    assert_eq!(written, 16);
    let stored = law.stored_session(id).await;
    let later = |seconds| Duration::from_secs(seconds);
    let authenticated_at = session.authenticated_at.plus(later(16));
    assert_eq!(stored.authenticated_at, authenticated_at);
    let expected = session.access_expires_at.plus(later(16));
    assert_eq!(stored.access_expires_at, expected);
}

/// Whichever comes first: a chain forks neither way, and what was shown stays.
pub async fn rotations_and_reauthentications_at_once_keep_each_other(law: &StoreSubject) {
    for _ in 0..8 {
        let session = law.session().await;
        let (rotation, change) = (rotation_of(&session), change(law, &session));
        let rotate = law.store.rotate(session.id, rotation);
        let (rotated, written) = tokio::join!(rotate, write(law, session.id, &change));
        assert!(written.expect("an answer"), "the session is alive");
        let rotated = rotated.expect("an answer");
        let stored = law.stored_session(session.id).await;
        assert_eq!(stored.authenticated_at, change.at);
        assert_eq!(stored.methods, change.methods);
        assert_eq!(stored.generation, session.generation + i64::from(rotated));
        assert_eq!(stored.access_expires_at, change.access_expires_at);
    }
}
