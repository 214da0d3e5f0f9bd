//! Validating: from memory, fresh or not at all.

use std::time::Duration;

use countersign_domain::testing::World;
use countersign_domain::use_cases::RevokeToken;
use countersign_domain::validation::{NotAccepted, Question, Validation};
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
    world.read().await;
    token
}

fn ask(token: &str) -> Question<'_> {
    Question {
        token,
        audience: "",
        scopes: &[],
        authentication: None,
    }
}

fn rejection(judgement: Validation) -> NotAccepted {
    match judgement {
        Validation::Rejected(not_accepted) => not_accepted,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

#[tokio::test]
async fn a_good_token_is_valid_until_it_expires() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    for _ in 0..2 {
        assert!(matches!(
            validator.validate(ask(&token)),
            Validation::Valid(_)
        ));
    }
    world.clock.advance(Duration::from_secs(305));
    world.read().await;
    assert_eq!(
        rejection(validator.validate(ask(&token))),
        NotAccepted::Token(Rejection::Expired)
    );
}

#[tokio::test]
async fn audience_and_scopes_are_judged_on_every_call() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    assert!(matches!(
        validator.validate(ask(&token)),
        Validation::Valid(_)
    ));
    let elsewhere = Question {
        audience: "billing",
        ..ask(&token)
    };
    assert_eq!(
        rejection(validator.validate(elsewhere)),
        NotAccepted::Token(Rejection::WrongAudience)
    );
    let scopes = ["orders.read".to_owned()];
    let more = Question {
        scopes: &scopes,
        ..ask(&token)
    };
    assert_eq!(
        rejection(validator.validate(more)),
        NotAccepted::InsufficientScope
    );
}

#[tokio::test]
async fn a_revoked_token_is_rejected_from_the_answer_on() {
    let world = World::new().await;
    let token = access_token(&world).await;
    let validator = world.validator();
    assert!(matches!(
        validator.validate(ask(&token)),
        Validation::Valid(_)
    ));
    RevokeToken {
        token: token.clone(),
    }
    .execute(&world.app)
    .await
    .expect("revoked");
    for _ in 0..2 {
        assert_eq!(
            rejection(validator.validate(ask(&token))),
            NotAccepted::Revoked
        );
    }
    let cold = world.validator();
    assert_eq!(
        rejection(cold.validate(ask(&token))),
        NotAccepted::Revoked,
        "without a cached entry"
    );
}

#[tokio::test]
async fn garbage_is_rejected_and_never_an_error() {
    let world = World::new().await;
    access_token(&world).await;
    let validator = world.validator();
    for garbage in ["", ".", "..", "a.b.c", &"x".repeat(100_000)] {
        assert!(matches!(
            rejection(validator.validate(ask(garbage))),
            NotAccepted::Token(_)
        ));
    }
}
