//! Roles and scopes of users, in their tokens.

use countersign_domain::application::Tokens;
use countersign_domain::model::{Scope, User, UserRole};
use countersign_domain::ports::{Clock as _, Users as _};
use countersign_domain::testing::{World, sign_in};
use countersign_domain::validation::{Question, Validation};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

/// A world in which operators grant scopes, and Mina has an account.
async fn world() -> (World, User) {
    let world = World::with(|settings| {
        settings.tokens.granted_scopes = vec![scope("refunds"), scope("reports")];
    })
    .await;
    let id = world.user(EMAIL, PASSWORD).await;
    let user = world.store.user(id).await.expect("readable");
    (world, user.expect("Mina"))
}

fn grant(world: &World, user: &User, roles: &[&str], scopes: &[&str]) {
    let roles = roles
        .iter()
        .map(|role| UserRole::parse(role).expect("a role"));
    world.store.replace_user(User {
        roles: roles.collect(),
        scopes: scopes.iter().map(|text| scope(text)).collect(),
        ..user.clone()
    });
}

async fn sign_in_asking(world: &World, scopes: &[&str]) -> Tokens {
    let mut issue = sign_in(EMAIL, PASSWORD);
    issue.scopes = scopes.iter().map(|text| scope(text)).collect();
    let issued = issue.execute(&world.app).await;
    issued.expect("signed in").into_tokens()
}

/// The roles and the scopes of an access token.
async fn told(world: &World, tokens: &Tokens) -> (Vec<String>, Vec<String>) {
    world.read().await;
    let validation = world.validator().validate(Question {
        token: &tokens.access_token,
        audience: "",
        scopes: &[],
        authentication: None,
    });
    match validation {
        Validation::Valid(token) => (token.claims.roles.clone(), token.claims.scope.clone()),
        other => panic!("expected a good token, got {other:?}"),
    }
}

#[tokio::test]
async fn roles_are_in_the_token_and_gone_with_the_next_refresh() {
    let (world, mina) = world().await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert!(told(&world, &tokens).await.0.is_empty());
    grant(&world, &mina, &["clerk", "admin:eu"], &[]);
    assert!(
        told(&world, &tokens).await.0.is_empty(),
        "it is as it was signed"
    );
    let tokens = world.refresh(&tokens.refresh_token).await.expect("tokens");
    assert_eq!(told(&world, &tokens).await.0, ["clerk", "admin:eu"]);
    let again = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(told(&world, &again).await.0, ["clerk", "admin:eu"]);
    grant(&world, &mina, &["clerk"], &[]);
    let tokens = world.refresh(&tokens.refresh_token).await.expect("tokens");
    assert_eq!(told(&world, &tokens).await.0, ["clerk"]);
}

#[tokio::test]
async fn a_scope_that_is_not_open_to_all_is_granted_to_who_has_it() {
    let (mut world, mina) = world().await;
    let asked = ["orders.read", "refunds", "reports"];
    let without = sign_in_asking(&world, &asked).await;
    assert_eq!(told(&world, &without).await.1, ["orders.read"]);
    grant(&world, &mina, &[], &["refunds", "unknown"]);
    let granted = sign_in_asking(&world, &asked).await;
    assert_eq!(told(&world, &granted).await.1, ["orders.read", "refunds"]);
    // The session that asked for it gets it, too; who does not ask does not.
    let refreshed = world.refresh(&without.refresh_token).await.expect("tokens");
    assert_eq!(told(&world, &refreshed).await.1, ["orders.read", "refunds"]);
    let unasked = sign_in_asking(&world, &["orders.read"]).await;
    assert_eq!(told(&world, &unasked).await.1, ["orders.read"]);

    grant(&world, &mina, &[], &["reports"]);
    let refreshed = world.refresh(&granted.refresh_token).await.expect("tokens");
    assert_eq!(told(&world, &refreshed).await.1, ["orders.read", "reports"]);
    world.reconfigure(|settings| settings.tokens.granted_scopes.clear());
    let refreshed = world.refresh(&refreshed.refresh_token).await;
    let refreshed = refreshed.expect("tokens");
    assert_eq!(told(&world, &refreshed).await.1, ["orders.read"]);
}

/// One refresh within the grace time tells what is so then, not what was.
#[tokio::test]
async fn a_repeated_refresh_tells_the_roles_of_now() {
    let (world, mina) = world().await;
    grant(&world, &mina, &["clerk"], &[]);
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let first = world.refresh(&tokens.refresh_token).await.expect("tokens");
    grant(&world, &mina, &[], &[]);
    let again = world.refresh(&tokens.refresh_token).await.expect("tokens");
    assert_eq!(again.refresh_token, first.refresh_token);
    assert!(told(&world, &again).await.0.is_empty());
    assert!(again.access_expires_at >= world.clock.now());
}
