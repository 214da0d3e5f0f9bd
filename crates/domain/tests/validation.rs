//! Validating: from memory, fresh or not at all.

use std::time::Duration;

use countersign_domain::testing::World;
use countersign_domain::use_cases::{ReadFeed, RevokeKey, RevokeToken, RotateKeys};
use countersign_domain::validation::{Judgement, NotAccepted, Question, TokenValidator};
use countersign_token::Rejection;

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

async fn access_token(world: &World) -> String {
    world.user(EMAIL, PASSWORD).await;
    let token = world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in")
        .access_token;
    ReadFeed.execute(&world.app).await.expect("read");
    token
}

fn ask(token: &str) -> Question<'_> {
    Question {
        token,
        audience: "",
        scopes: &[],
    }
}

fn rejection(judgement: Judgement<()>) -> NotAccepted {
    match judgement {
        Judgement::Rejected(not_accepted) => not_accepted,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

#[tokio::test]
async fn a_good_token_is_valid_until_it_expires() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    for _ in 0..2 {
        assert!(matches!(validator.judge(ask(&token)), Judgement::Valid(_)));
    }
    world.clock.advance(Duration::from_secs(305));
    assert_eq!(
        rejection(validator.judge(ask(&token))),
        NotAccepted::Token(Rejection::Expired)
    );
}

#[tokio::test]
async fn audience_and_scopes_are_judged_on_every_call() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    assert!(matches!(validator.judge(ask(&token)), Judgement::Valid(_)));
    let elsewhere = Question {
        audience: "billing",
        ..ask(&token)
    };
    assert_eq!(
        rejection(validator.judge(elsewhere)),
        NotAccepted::Token(Rejection::WrongAudience)
    );
    let scopes = ["orders.read".to_owned()];
    let more = Question {
        scopes: &scopes,
        ..ask(&token)
    };
    assert_eq!(
        rejection(validator.judge(more)),
        NotAccepted::InsufficientScope
    );
}

#[tokio::test]
async fn a_revoked_token_is_rejected_from_the_answer_on() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    assert!(matches!(validator.judge(ask(&token)), Judgement::Valid(_)));
    RevokeToken {
        token: token.clone(),
    }
    .execute(&world.app)
    .await
    .expect("revoked");
    for _ in 0..2 {
        assert_eq!(
            rejection(validator.judge(ask(&token))),
            NotAccepted::Revoked
        );
    }
    let cold = world.validator();
    assert_eq!(
        rejection(cold.judge(ask(&token))),
        NotAccepted::Revoked,
        "without a cached entry"
    );
}

#[tokio::test]
async fn another_replicas_revocation_is_seen_with_the_next_reading() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    assert!(matches!(validator.judge(ask(&token)), Judgement::Valid(_)));
    let session = match validator.judge(ask(&token)) {
        Judgement::Valid(verified) => verified.session_id,
        other => panic!("{other:?}"),
    };
    let mut uow = world.app.store.begin().await.expect("begun");
    let now = world.app.clock.now();
    uow.revoke_session(session, now, Duration::from_secs(600))
        .await
        .expect("revoked");
    uow.commit().await.expect("committed");
    assert!(
        matches!(validator.judge(ask(&token)), Judgement::Valid(_)),
        "not read yet"
    );
    ReadFeed.execute(&world.app).await.expect("read");
    assert_eq!(
        rejection(validator.judge(ask(&token))),
        NotAccepted::Revoked
    );
}

#[tokio::test]
async fn with_a_feed_too_old_the_database_is_asked() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    world.clock.advance(Duration::from_millis(10_001));
    let Judgement::Stale(verified) = validator.judge(ask(&token)) else {
        panic!("it was judged from memory");
    };
    let ask_store =
        async || TokenValidator::<()>::ask_store(&*world.app.store, verified.session_id).await;
    assert_eq!(ask_store().await.expect("asked"), None);
    RevokeToken { token }
        .execute(&world.app)
        .await
        .expect("revoked");
    assert_eq!(
        ask_store().await.expect("asked"),
        Some(NotAccepted::Revoked)
    );
}

#[tokio::test]
async fn rotating_keys_refuses_no_token_and_revoking_one_refuses_its_own() {
    let world = World::new().await;
    let old = access_token(&world).await;
    let validator = world.validator();
    let rotate = || RotateKeys {
        needed_for: Duration::from_secs(600),
        if_older_than: Duration::ZERO,
    };
    assert!(rotate().execute(world.keeper()).await.expect("rotated"));
    ReadFeed.execute(&world.app).await.expect("read");
    let new = world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in")
        .access_token;
    for token in [&old, &new] {
        assert!(matches!(validator.judge(ask(token)), Judgement::Valid(_)));
    }
    let kid = world.app.keyring.listed()[0].kid.clone();
    assert!(
        RevokeKey { kid }
            .execute(world.keeper())
            .await
            .expect("revoked")
    );
    ReadFeed.execute(&world.app).await.expect("read");
    assert_eq!(
        rejection(validator.judge(ask(&new))),
        NotAccepted::Token(Rejection::UnknownKey)
    );
    assert!(matches!(validator.judge(ask(&old)), Judgement::Valid(_)));
    let newest = world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in")
        .access_token;
    assert!(matches!(validator.judge(ask(&newest)), Judgement::Valid(_)));
}

#[tokio::test]
async fn keys_rotate_by_themselves_once_in_their_time() {
    let world = World::new().await;
    let month = world.app.settings.tokens.key_rotation;
    let rotate = || RotateKeys {
        needed_for: Duration::from_secs(600),
        if_older_than: month,
    };
    assert!(!rotate().execute(world.keeper()).await.expect("asked"));
    world.clock.advance(month);
    assert!(rotate().execute(world.keeper()).await.expect("asked"));
    assert!(
        !rotate().execute(world.keeper()).await.expect("asked"),
        "the next one has its own month"
    );
}

#[tokio::test]
async fn garbage_is_rejected_and_never_an_error() {
    let world = World::new().await;
    access_token(&world).await;
    let validator = world.validator();
    for garbage in ["", ".", "..", "a.b.c", &"x".repeat(100_000)] {
        assert!(matches!(
            rejection(validator.judge(ask(garbage))),
            NotAccepted::Token(_)
        ));
    }
}
