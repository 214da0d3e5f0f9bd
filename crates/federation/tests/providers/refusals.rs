//! Whose fault it is when there is nobody.

use countersign_domain::model::{ProviderId, ProviderKind};
use countersign_domain::ports::{IdentityProviders, ProviderError};
use countersign_federation::Federation;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::fake::Place;
use crate::http_server::Answer;
use crate::world::{World, config, response};

#[tokio::test]
async fn what_the_operator_has_to_mend_is_told_apart() {
    let world = World::new().await;
    world.honest().await;
    for (status, error) in [
        (401, "invalid_client"),
        (400, "unauthorized_client"),
        (400, "redirect_uri_mismatch"),
    ] {
        let body = json!({ "error": error }).to_string();
        world.fake.instead(Place::Token, Answer::Json(status, body));
        let found = world.sign_in().await.unwrap_err();
        assert_eq!(
            found,
            ProviderError::Misconfigured(format!("answered {error}"))
        );
    }
}

#[tokio::test]
async fn a_provider_that_nobody_has_configured_is_unknown() {
    let world = World::new().await;
    let id = ProviderId::parse("nobody").unwrap();
    let found = world
        .federation
        .exchange(&id, &response("code"))
        .await
        .unwrap_err();
    assert_eq!(found, ProviderError::Unknown(id));
}

#[tokio::test]
async fn a_provider_without_tokens_has_authenticated_nobody() {
    let world = World::new().await;
    world.honest().await;
    world.fake.state().tokens = |tokens| {
        tokens.as_object_mut().unwrap().remove("id_token");
    };
    world.rejected("no ID token").await;
}

#[tokio::test]
async fn many_who_come_at_once_read_the_metadata_and_the_keys_once() {
    let world = World::new().await;
    let world = std::sync::Arc::new(world);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let world = std::sync::Arc::clone(&world);
        all.spawn(async move { world.sign_in().await.is_ok() });
    }
    assert_eq!(all.join_all().await, [true; 20]);
    assert_eq!(world.fake.count(Place::Discovery), 1);
    assert_eq!(world.fake.count(Place::Keys), 1);
    assert_eq!(world.fake.count(Place::Token), 20);
}

#[tokio::test]
async fn many_who_come_at_once_share_an_outage() {
    let mut impatient = config(ProviderKind::OpenIdConnect);
    impatient.time_limit = std::time::Duration::from_secs(1);
    let world = std::sync::Arc::new(World::with(impatient).await);
    world.fake.instead(Place::Discovery, Answer::Dripping);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let world = std::sync::Arc::clone(&world);
        all.spawn(async move { world.sign_in().await });
    }
    let within = tokio::time::timeout(std::time::Duration::from_secs(10), all.join_all());
    let all = within
        .await
        .expect("the time limit of one, not of each after the other");
    let is_unavailable = |found: &Result<_, _>| matches!(found, Err(ProviderError::Unavailable(_)));
    assert!(all.iter().all(is_unavailable), "{all:?}");
    assert_eq!(world.fake.count(Place::Discovery), 1);
}

#[tokio::test]
async fn an_issuer_on_this_machine_needs_no_tls_where_that_is_allowed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let document = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks")});
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let body = document.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut asked = [0; 4096];
        let _ = stream.read(&mut asked).await.unwrap();
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    });
    let mut local = config(ProviderKind::OpenIdConnect);
    local.issuer = Some(issuer.clone());
    local.allow_private_addresses = true;
    let mut world = World::new().await;
    world.restart(local);
    let url = world.url("nonce-1").await.unwrap();
    assert!(url.starts_with(&format!("{issuer}/auth?")), "{url}");
}

#[tokio::test]
async fn two_providers_of_one_name_are_a_mistake() {
    let clock: std::sync::Arc<dyn countersign_domain::ports::Clock> =
        std::sync::Arc::new(countersign_domain::testing::HandClock::new());
    let configs = vec![config(ProviderKind::Google), config(ProviderKind::Naver)];
    let Err(error) = Federation::new(configs, &clock) else {
        panic!("they have one name")
    };
    assert_eq!(
        error.to_string(),
        "provider p: id is another provider's, too"
    );
    let mut apple = config(ProviderKind::Apple);
    apple.private_key = Some("no key".to_owned().into());
    let mut roots = config(ProviderKind::Google);
    roots.root_certificates = Some("no certificate".into());
    for (config, setting) in [(apple, "private_key"), (roots, "root_certificates")] {
        let Err(error) = Federation::new(vec![config], &clock) else {
            panic!("{setting} is wrong")
        };
        assert_eq!(error.setting, setting);
    }
}
