//! Sessions that were opened under other settings than today's.

use countersign_domain::Refusal;
use countersign_domain::application::Tokens;
use countersign_domain::model::Scope;
use countersign_domain::testing::{World, refusal, sign_in};
use countersign_domain::use_cases::RevokeToken;
use countersign_domain::validation::{Question, Validation};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

/// A session for the audience `billing` with two scopes.
async fn signed_in() -> (World, Tokens) {
    let scopes = vec![scope("orders.read"), scope("orders.write")];
    let world = World::with(|settings| settings.tokens.scopes = scopes.clone()).await;
    world.user(EMAIL, PASSWORD).await;
    let mut sign_in = sign_in(EMAIL, PASSWORD);
    sign_in.audience = "billing".into();
    sign_in.scopes = scopes;
    let tokens = sign_in.execute(&world.app).await.expect("signed in");
    (world, tokens.into_tokens())
}

async fn has_scope(world: &World, tokens: &Tokens, scope: &str) -> bool {
    world.read().await;
    let question = Question {
        token: &tokens.access_token,
        audience: "billing",
        scopes: &[scope.to_owned()],
        authentication: None,
    };
    matches!(world.validator().validate(question), Validation::Valid(_))
}

#[tokio::test]
async fn a_scope_that_is_no_longer_offered_is_not_renewed() {
    let (mut world, first) = signed_in().await;
    assert!(has_scope(&world, &first, "orders.write").await);

    world.reconfigure(|settings| settings.tokens.scopes = vec![scope("orders.read")]);
    let second = world.refresh(&first.refresh_token).await;
    let second = second.expect("the session lives on");
    assert!(has_scope(&world, &second, "orders.read").await);
    assert!(!has_scope(&world, &second, "orders.write").await);
    let again = world.refresh(&first.refresh_token).await;
    let again = again.expect("a retry");
    assert!(!has_scope(&world, &again, "orders.write").await);

    let both = vec![scope("orders.read"), scope("orders.write")];
    world.reconfigure(|settings| settings.tokens.scopes = both);
    let third = world.refresh(&second.refresh_token).await;
    let third = third.expect("refreshed");
    assert!(has_scope(&world, &third, "orders.write").await);
}

#[tokio::test]
async fn no_scope_is_added_that_the_session_did_not_have() {
    let (mut world, first) = signed_in().await;
    world.reconfigure(|settings| settings.tokens.scopes.push(scope("admin")));
    let second = world.refresh(&first.refresh_token).await;
    let second = second.expect("refreshed");
    assert!(!has_scope(&world, &second, "admin").await);
}

#[tokio::test]
async fn a_session_for_an_audience_that_is_no_longer_offered_waits_for_its_return() {
    let (mut world, first) = signed_in().await;
    let second = world.refresh(&first.refresh_token).await;
    let second = second.expect("refreshed");

    world.reconfigure(|settings| settings.tokens.audiences = vec!["shop".into()]);
    // The newest, and its parent within the grace time.
    for token in [&second.refresh_token, &first.refresh_token] {
        assert_eq!(refusal(world.refresh(token).await), Refusal::RefreshToken);
    }
    world.reconfigure(|settings| settings.tokens.audiences.push("billing".into()));
    let third = world.refresh(&second.refresh_token).await;
    let third = third.expect("nothing was rotated, nothing was ended");

    // A stolen token is noticed all the same.
    world.reconfigure(|settings| settings.tokens.audiences = vec!["shop".into()]);
    assert_eq!(
        refusal(world.refresh(&first.refresh_token).await),
        Refusal::RefreshTokenReused
    );
    assert_eq!(
        refusal(world.refresh(&third.refresh_token).await),
        Refusal::SessionEnded
    );
}

#[tokio::test]
async fn an_access_token_of_another_issuer_and_audience_still_ends_its_session() {
    let (mut world, tokens) = signed_in().await;
    world.reconfigure(|settings| {
        settings.tokens.issuer = "https://renamed.example".into();
        settings.tokens.audiences = vec!["shop".into()];
    });
    let token = tokens.access_token.clone();
    let revoked = RevokeToken { token }.execute(&world.app).await;
    revoked.expect("revoked");
    assert_eq!(
        refusal(world.refresh(&tokens.refresh_token).await),
        Refusal::SessionEnded
    );
}
