//! What of the old server's tokens is accepted, and as what.

use countersign_domain::Refusal;
use countersign_domain::model::{Password, TokenProfile};
use countersign_domain::testing::refusal;
use countersign_domain::use_cases::{ListIdentifiers, StepUpAnswer, StepUpSession};
use countersign_domain::validation::RequiredAuthentication;
use countersign_token::{Acr, Rejection};

use super::*;

fn token(rejection: Rejection) -> Option<NotAccepted> {
    Some(NotAccepted::Token(rejection))
}

#[tokio::test]
async fn an_old_token_is_good_until_it_expires_whether_or_not_its_user_is_here() {
    let (world, user) = world_of(django()).await;
    for here in [true, false] {
        if !here {
            name(&world, user, None).await;
        }
        let old = old_of(&world, "access", &here.to_string());
        let validator = world.validator();
        for _ in 0..2 {
            let Validation::Valid(token) = validator.validate(ask(&old)) else {
                panic!("a good token");
            };
            assert_eq!(token.session_id(), None);
            assert_eq!(token.claims.sub, "");
            assert_eq!(token.claims.grp, "default");
            assert_eq!(token.answer(), b"7");
        }
        world.clock.advance(Duration::from_secs(3_605));
        world.read().await;
        assert_eq!(refused(&validator, ask(&old)), token(Rejection::Expired));
    }
}

#[tokio::test]
async fn it_is_good_only_for_what_it_carries() {
    let (world, _) = world_of(django()).await;
    let validator = world.validator();
    let old = old(&world);
    let question = Question {
        audience: "billing",
        ..ask(&old)
    };
    assert_eq!(
        refused(&validator, question),
        token(Rejection::WrongAudience)
    );
    let scopes = ["orders.read".to_owned()];
    let question = Question {
        scopes: &scopes,
        ..ask(&old)
    };
    assert_eq!(
        refused(&validator, question),
        Some(NotAccepted::InsufficientScope)
    );
    for required in [
        RequiredAuthentication {
            max_age: Some(365 * DAY),
            acr: None,
        },
        RequiredAuthentication {
            max_age: None,
            acr: Some(Acr::Aal2),
        },
    ] {
        let question = Question {
            authentication: Some(required),
            ..ask(&old)
        };
        let lacking = Some(NotAccepted::InsufficientAuthentication(required));
        assert_eq!(refused(&validator, question), lacking);
    }
}

#[tokio::test]
async fn what_is_no_access_token_of_the_old_server_is_refused() {
    let (world, _) = world_of(django()).await;
    let validator = world.validator();
    let refresh = old_of(&world, "refresh", "r");
    assert_eq!(
        refused(&validator, ask(&refresh)),
        token(Rejection::WrongType)
    );
    let now = now(&world).as_seconds();
    let with = |name: &str, value: Value| {
        let mut payload =
            json!({"token_type": "access", "exp": now + 60, "iat": now, "user_id": 7});
        payload[name] = value;
        signed(&payload)
    };
    for (name, value, rejection) in [
        ("token_type", json!("sliding"), Rejection::WrongType),
        ("exp", json!(now - 10), Rejection::InvalidClaims),
        ("exp", json!(now + 31 * 86_400), Rejection::InvalidClaims),
        ("iat", json!(now + 10), Rejection::NotYetValid),
        ("user_id", json!("seven"), Rejection::InvalidClaims),
        ("aud", json!("shop"), Rejection::WrongAudience),
        // Whoever holds the old key speaks for no other group, and for no session that
        // is not described whole.
        ("countersign", json!({"sub": "x"}), Rejection::InvalidClaims),
    ] {
        let forged = with(name, value);
        assert_eq!(
            refused(&validator, ask(&forged)),
            token(rejection),
            "{name}"
        );
    }
    let mut cut = old(&world);
    cut.pop();
    cut.pop();
    let refusal = refused(&validator, ask(&cut));
    assert!(matches!(refusal, Some(NotAccepted::Token(_))));
}

#[tokio::test]
async fn the_key_of_a_profile_speaks_for_no_other_group_and_no_foreign_session() {
    let (world, user) = world_of(django()).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let mut payload = payload_of(&tokens.access_token);
    payload["countersign"]["grp"] = "staff".into();
    let validator = world.validator();
    let forged = signed(&payload);
    assert_eq!(
        refused(&validator, ask(&forged)),
        token(Rejection::InvalidClaims)
    );

    let mut payload = payload_of(&tokens.access_token);
    payload["countersign"]["sub"] = world
        .user("jin@example.com", PASSWORD)
        .await
        .to_string()
        .into();
    let access_token = signed(&payload);
    let listed = ListIdentifiers { access_token }.execute(&world.app).await;
    assert_eq!(refusal(listed), Refusal::AccessToken(None));
    let access_token = tokens.access_token;
    let listed = ListIdentifiers { access_token }.execute(&world.app).await;
    assert!(listed.is_ok(), "{user}");
}

#[tokio::test]
async fn both_are_switched_off_by_date() {
    let world = World::new().await;
    let until = now(&world).plus(Duration::from_secs(1_000));
    drop(world);
    let (world, _) = world_of(TokenProfile {
        accept_until: Some(until),
        ..django()
    })
    .await;
    let validator = world.validator();
    let old = old(&world);
    assert_eq!(refused(&validator, ask(&old)), None);
    world
        .clock
        .advance(until.since(now(&world)) + Duration::from_secs(5));
    world.read().await;
    let cached = refused(&validator, ask(&old));
    assert_eq!(cached, token(Rejection::Expired));
    assert_eq!(
        refused(&world.validator(), ask(&old)),
        token(Rejection::WrongType)
    );
}

#[tokio::test]
async fn a_person_with_an_old_token_reads_but_changes_nothing_that_needs_a_fresh_sign_in() {
    let (world, user) = world_of(django()).await;
    let listed = ListIdentifiers {
        access_token: old(&world),
    }
    .execute(&world.app)
    .await;
    assert_eq!(listed.expect("the person's").addresses.len(), 1);
    let step_up = StepUpSession {
        access_token: old(&world),
        answer: StepUpAnswer::Password(Password::to_compare(PASSWORD.into()).expect("a password")),
        client_id: "gateway".into(),
        device: countersign_domain::model::DeviceClaim::Untold,
    };
    let refused = refusal(step_up.execute(&world.app).await);
    assert_eq!(refused, Refusal::SessionOfAnotherCaller);
    name(&world, user, Some("8")).await;
    let listed = ListIdentifiers {
        access_token: old(&world),
    }
    .execute(&world.app)
    .await;
    assert_eq!(refusal(listed), Refusal::AccessToken(None));
}
