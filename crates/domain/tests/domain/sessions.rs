//! What a session makes of a refresh token, and how both are written down.

use std::time::Duration;

use countersign_domain::model::{
    AuthenticationMethod, ClientContext, GroupId, Lifetimes, Presented, RefreshToken,
    RefreshTokenKey, Session, SessionId, Timestamp, UserId,
};
use countersign_domain::testing::SeededRandom;

const LIFETIMES: Lifetimes = Lifetimes {
    access: Duration::from_secs(300),
    grace: Duration::from_secs(30),
    idle: Duration::from_secs(3600),
};

/// A session whose newest generation is 7, which came from 5: 6 was replaced
/// unused.
fn session() -> Session {
    let random = SeededRandom::new(1);
    let now = Timestamp::from_seconds(1_790_000_000);
    Session {
        id: SessionId::generate(now, &random),
        user_id: UserId::generate(now, &random),
        group: GroupId::fallback(),
        client_id: "gateway".into(),
        audience: "shop".into(),
        scopes: Vec::new(),
        methods: vec![AuthenticationMethod::Password],
        client: ClientContext::default(),
        salt: [1; 16],
        generation: 7,
        parent: 5,
        minted_at: now,
        access_expires_at: now.plus(Duration::from_secs(330)),
        created_at: now,
        authenticated_at: now,
        expires_at: now.plus(Duration::from_secs(3600)),
        ends_at: now.plus(Duration::from_secs(86_400)),
        revoked_at: None,
    }
}

#[test]
fn each_generation_is_what_it_is_in_the_chain() {
    let session = session();
    let judge = |presented, now| match session.present(presented, now, LIFETIMES) {
        Presented::Rotate(rotation) => format!("{} to {}", rotation.from, rotation.to),
        other => format!("{other:?}"),
    };
    let now = session.minted_at;
    let late = now.plus(LIFETIMES.grace).plus(Duration::from_millis(1));
    for (presented, soon, later) in [
        (i64::MAX, "Unknown", "Unknown"),
        (8, "Unknown", "Unknown"),
        (7, "7 to 8", "7 to 8"),
        (6, "Reused", "Reused"),
        (5, "Repeat", "7 to 8"),
        (4, "Reused", "Reused"),
        (1, "Reused", "Reused"),
        (0, "Unknown", "Unknown"),
        (-1, "Unknown", "Unknown"),
    ] {
        assert_eq!(judge(presented, now), soon, "{presented}");
        assert_eq!(
            judge(presented, now.plus(LIFETIMES.grace)),
            soon,
            "{presented}"
        );
        assert_eq!(judge(presented, late), later, "{presented}");
    }
}

#[test]
fn before_the_first_exchange_generation_0_is_nothing() {
    let fresh = Session {
        generation: 1,
        parent: 0,
        ..session()
    };
    let judged = fresh.present(0, fresh.minted_at, LIFETIMES);
    assert_eq!(judged, Presented::Unknown);
}

#[test]
fn a_rotation_under_a_shorter_lifetime_forgets_no_earlier_token() {
    let session = session();
    let shorter = Lifetimes {
        access: Duration::from_secs(1),
        ..LIFETIMES
    };
    let presented = session.present(session.generation, session.minted_at, shorter);
    let Presented::Rotate(rotation) = presented else {
        panic!("expected a rotation, got {presented:?}");
    };
    assert_eq!(rotation.access_expires_at, session.access_expires_at);
}

#[test]
fn neither_the_key_nor_the_database_alone_makes_a_refresh_token() {
    let session = session();
    let key = RefreshTokenKey::new(*b"key1", &[1; 32]);
    let token = key.mint(&session);
    let token = RefreshToken::parse(&token).expect("a refresh token");
    assert!(key.is_genuine(&token, &session));
    let resalted = Session {
        salt: [2; 16],
        ..session.clone()
    };
    let other_session = Session {
        id: SessionId::from_bytes([9; 16]),
        ..session.clone()
    };
    assert!(!key.is_genuine(&token, &resalted));
    assert!(!key.is_genuine(&token, &other_session));
    for other_key in [
        RefreshTokenKey::new(*b"key1", &[2; 32]),
        RefreshTokenKey::new(*b"key2", &[1; 32]),
    ] {
        assert!(!other_key.is_genuine(&token, &session));
    }
}

#[test]
fn methods_are_written_as_rfc_8176_has_them() {
    for (method, written) in [
        (AuthenticationMethod::Password, "pwd"),
        (AuthenticationMethod::OneTimeCode, "otp"),
        (AuthenticationMethod::TextMessage, "sms"),
    ] {
        assert_eq!(method.as_str(), written);
        assert_eq!(AuthenticationMethod::from_stored(written), Some(method));
    }
    assert_eq!(AuthenticationMethod::from_stored("face"), None);
}
