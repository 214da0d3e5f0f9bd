//! Whose fault it is when there is nobody.

use countersign_domain::model::{ProviderId, ProviderKind};
use countersign_domain::ports::{IdentityProviders, ProviderError};
use countersign_federation::Federation;
use serde_json::json;

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
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.push(Box::pin(world.sign_in()));
    }
    let mut signed_in = 0;
    let all = async {
        for one in waiting {
            signed_in += usize::from(one.await.is_ok());
        }
    };
    all.await;
    assert_eq!(signed_in, 20);
    assert_eq!(world.fake.count(Place::Discovery), 1);
    assert_eq!(world.fake.count(Place::Keys), 1);
    assert_eq!(world.fake.count(Place::Token), 20);
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
