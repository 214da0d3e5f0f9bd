//! What is issued in the form of a profile, and to whom.

use countersign_domain::Refusal;
use countersign_domain::model::TokenProfile;
use countersign_domain::testing::{refusal, sign_in};

use super::*;

#[tokio::test]
async fn a_sign_in_and_a_refresh_yield_tokens_of_the_profile() {
    let (world, user) = world_of(django()).await;
    let signed_in = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let refreshed = world
        .refresh(&signed_in.refresh_token)
        .await
        .expect("refreshed");
    let validator = world.validator();
    for tokens in [&signed_in, &refreshed] {
        let payload = payload_of(&tokens.access_token);
        assert_eq!(payload["user_id"], 7);
        assert_eq!(payload["token_type"], "access");
        let life = payload["exp"].as_i64().zip(payload["iat"].as_i64());
        assert_eq!(life.map(|(exp, iat)| exp - iat), Some(600));
        assert_eq!(payload["sid"], tokens.session_id.to_string());
        let Validation::Valid(token) = validator.validate(ask(&tokens.access_token)) else {
            panic!("a good token");
        };
        assert_eq!(token.claims.sub, user.to_string());
        assert_eq!(token.session_id(), Some(tokens.session_id));
        assert_eq!(token.answer(), b"7");
        assert_eq!(token.claims.amr, ["pwd"]);
    }
}

#[tokio::test]
async fn a_user_without_a_fitting_external_id_is_refused_and_loses_nothing() {
    let (mut world, user) = world_of(django()).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    for id in [None, Some("seven")] {
        name(&world, user, id).await;
        let refused = refusal(world.sign_in(EMAIL, PASSWORD).await);
        assert_eq!(refused, Refusal::ExternalIdMissing);
        let refused = refusal(world.refresh(&tokens.refresh_token).await);
        assert_eq!(refused, Refusal::ExternalIdMissing);
    }
    // Nothing was exchanged by the refused refresh.
    name(&world, user, Some("7")).await;
    world.clock.advance(Duration::from_secs(120));
    world
        .refresh(&tokens.refresh_token)
        .await
        .expect("the newest token");
    name(&world, user, None).await;
    world.reconfigure(|settings| settings.tokens.profiles = TokenProfiles::default());
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("a token of the main form");
}

#[tokio::test]
async fn others_than_those_that_it_is_for_get_the_main_form() {
    let now = Timestamp::from_seconds(0);
    let elsewhere: [fn(TokenProfile) -> TokenProfile; 5] = [
        |profile| TokenProfile {
            groups: vec![GroupId::parse("staff").expect("a group")],
            ..profile
        },
        |profile| TokenProfile {
            callers: vec!["another".into()],
            ..profile
        },
        |profile| TokenProfile {
            groups: Vec::new(),
            ..profile
        },
        |profile| TokenProfile {
            audiences: vec!["billing".into()],
            ..profile
        },
        |profile| TokenProfile {
            issue_until: Some(Timestamp::from_seconds(0)),
            ..profile
        },
    ];
    for change in elsewhere {
        let (world, _) = world_of(change(django())).await;
        let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        let payload = payload_of(&tokens.access_token);
        assert_eq!(payload["aud"], "shop", "{payload}");
    }
    let of_caller = TokenProfile {
        groups: Vec::new(),
        callers: vec!["gateway".into()],
        issue_until: Some(now.plus(365 * 200 * DAY)),
        ..django()
    };
    let (world, _) = world_of(of_caller).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(payload_of(&tokens.access_token)["user_id"], 7);
    let elsewhere = countersign_domain::use_cases::IssueTokens {
        audience: "billing".into(),
        ..sign_in(EMAIL, PASSWORD)
    };
    let issued = elsewhere.execute(&world.app).await.expect("signed in");
    let payload = payload_of(&issued.into_tokens().access_token);
    assert_eq!(
        payload["aud"], "billing",
        "another audience has the main form"
    );
}

#[tokio::test]
async fn no_token_outlives_its_profile() {
    let world = World::new().await;
    let until = now(&world).plus(Duration::from_secs(1_000));
    drop(world);
    let (mut world, _) = world_of(TokenProfile {
        accept_until: Some(until),
        ..django()
    })
    .await;
    world
        .clock
        .advance(until.since(now(&world)) - Duration::from_secs(60));
    world.read().await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(payload_of(&tokens.access_token)["exp"], until.as_seconds());
    world.clock.advance(Duration::from_secs(70));
    world.read().await;
    let refreshed = world
        .refresh(&tokens.refresh_token)
        .await
        .expect("refreshed");
    assert!(payload_of(&refreshed.access_token).get("user_id").is_none());
    world.reconfigure(|_| {});
    assert_eq!(
        refused(&world.validator(), ask(&refreshed.access_token)),
        None
    );
}
