//! Sessions, and the exchange of their refresh tokens.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, is_conflict, is_taken, scope, yes_of};
use crate::model::{
    AuthenticationMethod, ClientContext, PageSize, PageToken, Rotation, Session, SessionId,
};

/// A rotation of a session as it is.
fn rotation_of(session: &Session) -> Rotation {
    Rotation {
        from: session.generation,
        authenticated_at: session.authenticated_at,
        to: session.generation + 1,
        parent: session.generation,
        minted_at: session.minted_at.plus(Duration::from_secs(600)),
        access_expires_at: session.access_expires_at.plus(Duration::from_secs(601)),
        expires_at: session.expires_at.plus(Duration::from_secs(600)),
    }
}

/// Every field survives, at its smallest and at its largest.
pub async fn a_session_is_read_as_written(law: &StoreSubject) {
    let user = law.user().await;
    let plain = law.new_session(&user);
    let empty = Session {
        client_id: String::new(),
        audience: String::new(),
        scopes: Vec::new(),
        methods: Vec::new(),
        ..law.new_session(&user)
    };
    let full = Session {
        client_id: "c".repeat(64),
        audience: "https://api.example.com/é".into(),
        scopes: (0..50)
            .map(|n| scope(&format!("scope:{n}!#%'[]")))
            .collect(),
        methods: vec![
            AuthenticationMethod::OneTimeCode,
            AuthenticationMethod::Password,
        ],
        client: ClientContext {
            ip_address: "2001:db8:1111:2222:3333:4444:5555:6666".parse().ok(),
            user_agent: "é".repeat(ClientContext::MAX_USER_AGENT_BYTES / 2),
        },
        generation: i64::MAX,
        parent: i64::MAX - 1,
        minted_at: law.later(1),
        access_expires_at: law.later(6),
        created_at: law.later(2),
        authenticated_at: law.later(7),
        expires_at: law.later(3),
        ends_at: law.later(4),
        revoked_at: Some(law.later(5)),
        ..law.new_session(&user)
    };
    let mut old = law.new_session(&user);
    old.client.ip_address = "192.0.2.7".parse().ok();
    old.client.user_agent = " trailing and leading ".into();
    law.insert_sessions(&[plain.clone(), empty.clone(), full.clone(), old.clone()])
        .await;
    for session in [plain, empty, full, old] {
        assert_eq!(law.stored_session(session.id).await, session);
        let both = law.store.session_with_user(session.id).await;
        let (with_user, its_user) = both.expect("readable").expect("both are there");
        assert_eq!(with_user, session);
        assert_eq!(its_user, user);
    }
    let unknown = SessionId::generate(law.now, &law.random);
    assert_eq!(law.store.session(unknown).await.expect("readable"), None);
    let both = law.store.session_with_user(unknown).await;
    assert_eq!(both.expect("readable"), None);
}

/// A session of nobody cannot be made: its user may just have been deleted.
pub async fn a_session_needs_its_user(law: &StoreSubject) {
    let session = law.new_session(&law.new_user());
    let mut uow = law.begin().await;
    assert!(is_conflict(&uow.insert_session(&session).await));
}

/// No session is written over another.
pub async fn a_session_id_is_taken_once(law: &StoreSubject) {
    let session = law.session().await;
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_session(&session).await));
}

/// Of a session, a rotation changes what it names, of others nothing.
pub async fn a_rotation_changes_what_it_says(law: &StoreSubject) {
    let session = law.session().await;
    let bystander = law.session().await;
    let rotation = rotation_of(&session);
    let rotated = law.store.rotate(session.id, rotation).await;
    assert!(rotated.expect("an answer"));
    assert_eq!(
        law.stored_session(session.id).await,
        session.rotated(rotation)
    );
    assert_eq!(law.stored_session(bystander.id).await, bystander);
}

/// What is found counts, not what differs: databases disagree on that.
pub async fn a_rotation_to_what_is_there_already_succeeds(law: &StoreSubject) {
    let session = law.session().await;
    let rotation = Rotation {
        from: session.generation,
        authenticated_at: session.authenticated_at,
        to: session.generation,
        parent: session.parent,
        minted_at: session.minted_at,
        access_expires_at: session.access_expires_at,
        expires_at: session.expires_at,
    };
    let rotated = law.store.rotate(session.id, rotation).await;
    assert!(rotated.expect("an answer"));
    assert_eq!(law.stored_session(session.id).await, session);
}

/// A rotation from another generation than the session's does nothing.
pub async fn a_rotation_starts_from_its_generation(law: &StoreSubject) {
    let session = law.session().await;
    for from in [0, 2, -1] {
        let rotation = Rotation {
            from,
            ..rotation_of(&session)
        };
        let rotated = law.store.rotate(session.id, rotation).await;
        assert!(!rotated.expect("an answer"), "from {from}");
    }
    assert_eq!(law.stored_session(session.id).await, session);
    let unknown = SessionId::generate(law.now, &law.random);
    let rotated = law.store.rotate(unknown, rotation_of(&session)).await;
    assert!(!rotated.expect("an answer"));
}

/// Round after round, a refresh token is spent once.
pub async fn of_32_rotations_at_once_one_succeeds(law: &StoreSubject) {
    let mut session = law.session().await;
    for _ in 0..4 {
        let rotation = rotation_of(&session);
        let rotated = yes_of(32, || {
            let store = Arc::clone(&law.store);
            let id = session.id;
            async move { store.rotate(id, rotation).await }
        })
        .await;
        assert_eq!(rotated, 1);
        session = session.rotated(rotation);
        assert_eq!(law.stored_session(session.id).await, session);
    }
}

/// Whatever a store does to many at once, each gets its own answer.
pub async fn rotations_of_many_sessions_at_once_are_each_answered(law: &StoreSubject) {
    let user = law.user().await;
    let sessions: Vec<_> = (0..48).map(|_| law.new_session(&user)).collect();
    law.insert_sessions(&sessions).await;
    let stale = |number: usize| number.is_multiple_of(3);
    let mut tasks = tokio::task::JoinSet::new();
    for (number, session) in sessions.iter().cloned().enumerate() {
        let store = Arc::clone(&law.store);
        tasks.spawn(async move {
            let rotation = Rotation {
                from: if stale(number) { 7 } else { 1 },
                ..rotation_of(&session)
            };
            let read = store.session_with_user(session.id).await;
            let (read, user) = read.expect("readable").expect("both are there");
            assert_eq!((&read, user.id), (&session, session.user_id));
            let rotated = store.rotate(session.id, rotation).await;
            assert_eq!(rotated.expect("an answer"), !stale(number));
        });
    }
    tasks.join_all().await;
    for (number, session) in sessions.into_iter().enumerate() {
        let rotation = rotation_of(&session);
        let expected = if stale(number) {
            session
        } else {
            session.rotated(rotation)
        };
        assert_eq!(law.stored_session(expected.id).await, expected);
    }
}

/// After its end a session gets no new tokens.
pub async fn an_ended_session_does_not_rotate(law: &StoreSubject) {
    let session = law.session().await;
    let mut uow = law.begin().await;
    let revoked = uow.revoke_session(session.id, law.now).await;
    assert!(revoked.expect("an answer").is_some());
    uow.commit().await.expect("committed");
    let rotated = law.store.rotate(session.id, rotation_of(&session)).await;
    assert!(!rotated.expect("an answer"));
    assert_eq!(law.stored_session(session.id).await.generation, 1);
}

/// All of them, newest first, none twice; each page tells whether there is
/// more.
pub async fn live_sessions_are_listed_page_by_page(law: &StoreSubject) {
    let user = law.user().await;
    let mut sessions: Vec<_> = (0..23).map(|_| law.new_session(&user)).collect();
    law.insert_sessions(&sessions).await;
    sessions.sort_by_key(|session| std::cmp::Reverse(session.id));

    for size in [1, 5, 22, 23, 100] {
        let page_size = PageSize::parse(size).expect("a size");
        let room = page_size.get() as usize;
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = law.store.live_sessions(user.id, law.now, page_size, after);
            let mut page = page.await.expect("readable");
            assert!(page.len() <= room + 1);
            let has_more = page.len() > room;
            page.truncate(room);
            after = page.last().map(|session| PageToken(session.id));
            listed.append(&mut page);
            if !has_more {
                break;
            }
        }
        assert_eq!(listed, sessions, "in pages of {size}");
    }
}

/// Not the expired, not the ended, not other people's.
pub async fn only_live_sessions_of_the_user_are_listed(law: &StoreSubject) {
    let other = law.session().await;
    let user = law.user().await;
    let live = law.new_session(&user);
    let expiring = Session {
        expires_at: law.later(1),
        ..law.new_session(&user)
    };
    let expired = Session {
        expires_at: law.now,
        ..law.new_session(&user)
    };
    let ended = Session {
        revoked_at: Some(law.now),
        ..law.new_session(&user)
    };
    law.insert_sessions(&[live.clone(), expiring.clone(), expired, ended])
        .await;
    let size = PageSize::parse(0).expect("a size");
    let list = async |now| {
        let listed = law.store.live_sessions(user.id, now, size, None).await;
        let mut ids: Vec<_> = listed.expect("readable").iter().map(|s| s.id).collect();
        ids.sort();
        ids
    };
    let mut both = vec![live.id, expiring.id];
    both.sort();
    assert_eq!(list(law.now).await, both);
    assert_eq!(list(law.later(1)).await, [live.id]);
    let theirs = law.store.live_sessions(other.user_id, law.now, size, None);
    assert_eq!(theirs.await.expect("readable"), [other]);
}
