//! ID tokens that are not for this client, this sign-in or this time: faults 1 to 11 and 20.

use serde_json::json;

use crate::fake::NOW;
use crate::world::World;

#[tokio::test]
async fn fault_01_another_issuer() {
    let world = World::new().await;
    world.honest().await;
    world
        .fake
        .claims(|claims| claims["iss"] = json!("https://evil.example"));
    world.rejected("another issuer").await;
}

#[tokio::test]
async fn fault_02_an_issuer_that_is_spelled_otherwise() {
    let world = World::new().await;
    world.honest().await;
    for issuer in [
        "https://id.example/",
        "https://ID.example",
        "HTTPS://id.example",
        "id.example",
    ] {
        world
            .fake
            .claims(move |claims| claims["iss"] = json!(issuer));
        world.rejected("another issuer").await;
    }
}

#[tokio::test]
async fn fault_03_a_token_for_another_client() {
    let world = World::new().await;
    world.honest().await;
    // Not even for an app of ours: that is another sign-in.
    for client in ["stranger", "app", "client ", "CLIENT"] {
        world
            .fake
            .claims(move |claims| claims["aud"] = json!(client));
        world.rejected("for another client").await;
    }
}

#[tokio::test]
async fn fault_04_a_token_for_a_stranger_too() {
    let world = World::new().await;
    world.honest().await;
    world.fake.claims(|claims| {
        claims["aud"] = json!(["client", "app"]);
        claims["azp"] = json!("client");
    });
    world.honest().await;
    world.fake.claims(|claims| {
        claims["aud"] = json!(["client", "stranger"]);
        claims["azp"] = json!("client");
    });
    world.rejected("for strangers").await;
}

#[tokio::test]
async fn fault_05_a_token_that_another_party_was_given() {
    let world = World::new().await;
    world.fake.claims(|claims| claims["azp"] = json!("client"));
    world.honest().await;
    world
        .fake
        .claims(|claims| claims["azp"] = json!("stranger"));
    world.rejected("azp").await;
}

#[tokio::test]
async fn fault_06_no_nonce() {
    let world = World::new().await;
    world.honest().await;
    world.fake.claims(|claims| {
        claims.as_object_mut().unwrap().remove("nonce");
    });
    world.rejected("no nonce").await;
}

#[tokio::test]
async fn fault_07_another_nonce() {
    let world = World::new().await;
    world.honest().await;
    world
        .fake
        .claims(|claims| claims["nonce"] = json!("nonce-2"));
    world.rejected("nonce").await;
}

#[tokio::test]
async fn fault_08_the_token_of_an_earlier_sign_in() {
    let world = World::new().await;
    world.honest().await;
    let earlier = world.fake.state().last.clone();
    world.fake.state().id_token = Some(Box::new(move |_, _| earlier.clone()));
    world.honest().await;
    let replayed = world.sign_in_with(|response| response.nonce = "nonce-of-a-later-one".into());
    let error = replayed.await.expect_err("it is of the earlier one");
    assert!(error.to_string().contains("nonce"), "{error}");
}

#[tokio::test]
async fn fault_09_an_expired_token() {
    let world = World::new().await;
    world.honest().await;
    world.fake.claims(|claims| claims["exp"] = json!(NOW - 59));
    world.honest().await;
    world.fake.claims(|claims| claims["exp"] = json!(NOW - 60));
    world.rejected("expired").await;
}

#[tokio::test]
async fn fault_10_a_token_that_never_expires() {
    let world = World::new().await;
    world.honest().await;
    world.fake.claims(|claims| {
        claims.as_object_mut().unwrap().remove("exp");
    });
    world.rejected("no exp").await;
}

#[tokio::test]
async fn fault_11_a_token_of_the_future() {
    let world = World::new().await;
    world.fake.claims(|claims| claims["iat"] = json!(NOW + 300));
    world.honest().await;
    world.fake.claims(|claims| claims["iat"] = json!(NOW + 301));
    world.rejected("in the future").await;
}

#[tokio::test]
async fn fault_20_a_security_event_for_an_id_token() {
    let world = World::new().await;
    world.honest().await;
    world
        .fake
        .claims(|claims| claims["events"] = json!({"https://x.example/e": {}}));
    world.rejected("events").await;
    world.fake.claims(|_| ());
    for typ in ["secevent+jwt", "logout+jwt", "at+jwt"] {
        world.fake.state().header["typ"] = json!(typ);
        world.rejected("another type").await;
    }
}
