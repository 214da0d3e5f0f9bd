//! ID tokens that apps have got by themselves.

use countersign_domain::model::{NativeIdToken, ProviderKind, ProviderSecret, ProviderUser};
use countersign_domain::ports::{IdentityProviders, ProviderError};
use serde_json::{Value, json};

use crate::fake::NOW;
use crate::signer::{OTHER_RSA, RSA, Signer, token};
use crate::world::{World, config, sha256};

fn claims() -> Value {
    json!({"iss": "https://appleid.apple.com", "aud": "app", "sub": "person-1",
        "iat": NOW, "exp": NOW + 600, "email": "kim@x.example", "email_verified": "true"})
}

async fn verified(
    world: &World,
    signer: &Signer,
    claims: &Value,
    nonce: Option<&str>,
) -> Result<ProviderUser, ProviderError> {
    let header = json!({"alg": "RS256", "kid": "one"});
    let native = NativeIdToken {
        id_token: ProviderSecret::new(token(signer, &header, &claims.to_string())),
        nonce: nonce.map(str::to_owned),
        user: Some(r#"{"name":{"firstName":"Ada","lastName":"L"}}"#.into()),
    };
    world.federation.verify_id_token(&world.id, &native).await
}

#[tokio::test]
async fn an_apps_token_signs_in() {
    let world = World::of(ProviderKind::Apple).await;
    let user = verified(&world, &RSA, &claims(), None).await.unwrap();
    assert_eq!(user.subject.subject, "person-1");
    assert_eq!(user.name.as_deref(), Some("Ada L"));
    assert!(user.email.unwrap().is_verified);
    assert_eq!(user.refresh_token, None);
}

#[tokio::test]
async fn the_nonce_is_the_apps_or_its_hash_and_on_both_sides() {
    let world = World::of(ProviderKind::Apple).await;
    let with = |nonce: &str| {
        let mut claims = claims();
        claims["nonce"] = json!(nonce);
        claims
    };
    let hash: String = sha256("raw")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(
        verified(&world, &RSA, &with("raw"), Some("raw"))
            .await
            .is_ok()
    );
    assert!(
        verified(&world, &RSA, &with(&hash), Some("raw"))
            .await
            .is_ok()
    );
    assert!(verified(&world, &RSA, &with("raw"), None).await.is_err());
    assert!(
        verified(&world, &RSA, &claims(), Some("raw"))
            .await
            .is_err()
    );
    assert!(
        verified(&world, &RSA, &with("other"), Some("raw"))
            .await
            .is_err()
    );
    assert!(
        verified(&world, &RSA, &with("raw"), Some(&hash))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn only_tokens_for_the_apps_that_are_configured_are_good() {
    let world = World::of(ProviderKind::Apple).await;
    assert!(verified(&world, &RSA, &claims(), None).await.is_ok());
    for (name, value) in [
        ("aud", json!("client")),
        ("aud", json!("stranger")),
        ("aud", json!(["app", "stranger"])),
        ("azp", json!("stranger")),
        ("iss", json!("https://accounts.google.com")),
        ("exp", json!(NOW - 60)),
        ("sub", json!("")),
        ("events", json!("{}")),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let error = verified(&world, &RSA, &claims, None).await.unwrap_err();
        assert!(
            matches!(error, ProviderError::Rejected(_)),
            "{name}: {error}"
        );
    }
    let error = verified(&world, &OTHER_RSA, &claims(), None)
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Rejected(_)), "{error}");
}

#[tokio::test]
async fn without_apps_and_of_naver_there_are_none() {
    let mut nobody = config(ProviderKind::Apple);
    nobody.native_client_ids.clear();
    for config in [nobody, config(ProviderKind::Naver)] {
        let world = World::with(config).await;
        let error = verified(&world, &RSA, &claims(), None).await.unwrap_err();
        assert!(matches!(error, ProviderError::Rejected(_)), "{error}");
    }
}
