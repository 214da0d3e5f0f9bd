//! Signatures that prove nothing: faults 12 to 19.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::ports::ProviderError;
use serde_json::json;

use crate::fake::Place;
use crate::signer::{EC, ED, OTHER_RSA, RSA, hmac_token, input, token};
use crate::world::{World, config};

#[tokio::test]
async fn fault_12_no_algorithm() {
    let world = World::new().await;
    world.honest().await;
    for name in ["none", "None", "NONE", ""] {
        world.fake.state().header["alg"] = json!(name);
        world.fake.state().id_token = Some(Box::new(|header, claims| {
            format!("{}.", input(header, claims.as_bytes()))
        }));
        world.rejected("algorithm is not allowed").await;
    }
}

#[tokio::test]
async fn fault_13_the_public_key_as_a_shared_secret() {
    let world = World::new().await;
    world.honest().await;
    let modulus = RSA.jwk("one")["n"].as_str().unwrap().to_owned();
    let secrets = [
        RSA.jwk("one").to_string().into_bytes(),
        URL_SAFE_NO_PAD.decode(&modulus).unwrap(),
        crate::world::SECRET.as_bytes().to_vec(),
    ];
    for secret in secrets {
        world.fake.state().header["alg"] = json!("HS256");
        world.fake.state().id_token = Some(Box::new(move |header, claims| {
            hmac_token(&secret, header, claims)
        }));
        world.rejected("algorithm is not allowed").await;
    }
}

#[tokio::test]
async fn fault_14_an_algorithm_that_is_not_the_keys() {
    let world = World::new().await;
    world.honest().await;
    for name in ["ES256", "RS384", "ES384", "HS512"] {
        world.fake.state().header["alg"] = json!(name);
        world.rejected("algorithm").await;
    }
    // The key's own word counts, too; and PS256 only for those that name it.
    world.fake.state().header["alg"] = json!("PS256");
    world.rejected("algorithm is not allowed").await;
}

#[tokio::test]
async fn each_algorithm_that_a_provider_names_is_good_with_its_key() {
    for (name, signer) in [
        ("RS256", &RSA),
        ("PS256", &RSA),
        ("ES256", &EC),
        ("EdDSA", &ED),
    ] {
        let mut world = World::new().await;
        {
            let mut state = world.fake.state();
            state.signer = signer;
            state.header["alg"] = json!(name);
            state.keys = json!({"keys": [signer.jwk("one")]});
            state.discovery = |document| {
                document["id_token_signing_alg_values_supported"] =
                    json!(["RS256", "PS256", "EdDSA", "HS256", "none"]);
            };
        }
        world.honest().await;
        world.fake.state().keys["keys"][0]["alg"] = json!("RS512");
        let config = config(countersign_domain::model::ProviderKind::OpenIdConnect);
        world.restart(config);
        world.rejected("algorithm is not its key's").await;
    }
}

#[tokio::test]
async fn fault_15_an_unknown_key_is_looked_for_once_a_minute() {
    let world = World::new().await;
    world.honest().await;
    assert_eq!(world.fake.count(Place::Keys), 1);
    // A key that is newer than what was read.
    world.fake.state().keys = json!({"keys": [RSA.jwk("one"), OTHER_RSA.jwk("two")]});
    world.fake.state().header["kid"] = json!("two");
    world.fake.state().signer = &OTHER_RSA;
    world.honest().await;
    assert_eq!(world.fake.count(Place::Keys), 2);
    // Keys that nobody has are looked for no more than once a minute.
    for _ in 0..3 {
        world.fake.state().header["kid"] = json!("three");
        world.rejected("key is not the provider's").await;
    }
    assert_eq!(world.fake.count(Place::Keys), 2);
    world.clock.advance(Duration::from_secs(60));
    world.rejected("key is not the provider's").await;
    world.rejected("key is not the provider's").await;
    assert_eq!(world.fake.count(Place::Keys), 3);
}

#[tokio::test]
async fn fault_16_no_key_is_named_and_there_are_several() {
    let mut world = World::new().await;
    world.fake.state().header = json!({"alg": "RS256"});
    world.honest().await;
    world.fake.state().keys = json!({"keys": [RSA.jwk("one"), OTHER_RSA.jwk("two")]});
    world.restart(config(
        countersign_domain::model::ProviderKind::OpenIdConnect,
    ));
    world.rejected("does not say which key").await;
    // Nor is it clear which is meant if two have one name.
    world.fake.state().header = json!({"alg": "RS256", "kid": "one"});
    world.fake.state().keys = json!({"keys": [RSA.jwk("one"), OTHER_RSA.jwk("one")]});
    world.restart(config(
        countersign_domain::model::ProviderKind::OpenIdConnect,
    ));
    world.rejected("several keys").await;
}

#[tokio::test]
async fn fault_17_keys_that_are_swapped_under_the_same_name() {
    let world = World::new().await;
    world.honest().await;
    world.fake.state().keys = json!({"keys": [OTHER_RSA.jwk("one")]});
    world.fake.state().signer = &OTHER_RSA;
    world.rejected("signature is not good").await;
    assert_eq!(
        world.fake.count(Place::Keys),
        1,
        "nobody can make it read them again"
    );
    world.fake.state().signer = &RSA;
    world.honest().await;
    // After an hour the provider's word counts again.
    world.clock.advance(Duration::from_secs(3600));
    world.fake.claims(|claims| {
        claims["iat"] = json!(crate::fake::NOW + 3600);
        claims["exp"] = json!(crate::fake::NOW + 7200);
    });
    world.rejected("signature is not good").await;
    world.fake.state().signer = &OTHER_RSA;
    world.honest().await;
}

#[tokio::test]
async fn fault_18_keys_in_the_token_are_passed_over() {
    let world = World::new().await;
    world.honest().await;
    let own = |kid: &str| {
        json!({"alg": "RS256", "kid": kid, "jwk": OTHER_RSA.jwk("evil"),
            "jku": "https://id.example/evil-jwks", "x5u": "https://id.example/evil-x5u",
            "x5c": ["AAAA"]})
    };
    // Signed by the provider all the same, it is good.
    world.fake.state().header = own("one");
    world.honest().await;
    world.fake.state().id_token =
        Some(Box::new(|header, claims| token(&OTHER_RSA, header, claims)));
    world.rejected("signature is not good").await;
    world.fake.state().header = own("evil");
    world.rejected("key is not the provider's").await;
    let state = world.fake.state();
    let is_evil = |path: &str| path.contains("evil");
    assert!(!state.asked.iter().any(|(_, asked)| is_evil(&asked.path)));
}

#[tokio::test]
async fn fault_19_a_token_that_was_changed() {
    let world = World::new().await;
    world.honest().await;
    world.fake.state().id_token = Some(Box::new(|header, claims| {
        let good = token(&RSA, header, claims);
        let (_, signature) = good.rsplit_once('.').unwrap();
        let changed = claims.replace("person-1", "person-2");
        format!("{}.{signature}", input(header, changed.as_bytes()))
    }));
    world.rejected("signature is not good").await;
    world.fake.state().id_token = Some(Box::new(|header, claims| {
        let good = token(&RSA, header, claims);
        let (rest, signature) = good.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[7] ^= 1;
        format!("{rest}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }));
    world.rejected("signature is not good").await;
    world.fake.state().id_token = Some(Box::new(|header, claims| {
        input(header, claims.as_bytes()) + "."
    }));
    world.rejected("").await;
}

#[tokio::test]
async fn an_outage_of_the_keys_does_not_forget_those_that_were_read() {
    let world = World::new().await;
    world.honest().await;
    world.fake.instead(
        Place::Keys,
        crate::http_server::Answer::Json(503, String::new()),
    );
    world
        .fake
        .instead(Place::Discovery, crate::http_server::Answer::Nothing);
    world.clock.advance(Duration::from_secs(3600));
    world.fake.claims(|claims| {
        claims["iat"] = json!(crate::fake::NOW + 3600);
        claims["exp"] = json!(crate::fake::NOW + 7200);
    });
    world.honest().await;
    world.clock.advance(Duration::from_secs(24 * 3600));
    let error = world.sign_in().await.expect_err("they are too old");
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
}
