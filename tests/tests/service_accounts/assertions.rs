//! Assertions over the wire: each way in which one is wrong, and that each is used once.

use std::sync::Arc;

use countersign_tests::{
    AssertionKey, Backend, World, assertion_claims, by_assertion, crowd, on_a_backend,
    on_every_backend, reason, seconds_now,
};
use countersign_token::Algorithm;
use serde_json::{Value, json};

use super::world;

on_every_backend!(wrong_assertions_are_refused, an_assertion_is_used_once);

/// What is wrong, and the assertion.
type Wrong = (String, String);

/// Every way in which an assertion of the account can be wrong.
fn wrong_ones(id: &str, own: &AssertionKey, removed: &AssertionKey, other: &str) -> Vec<Wrong> {
    let now = seconds_now();
    let mut all = Vec::new();
    let claims = |jti: &str| assertion_claims(id, jti);
    let mut add = |what: &str, assertion: String| all.push((what.to_owned(), assertion));
    for (name, value) in [
        ("iss", json!(other)),
        ("iss", json!("")),
        ("iss", Value::Null),
        ("iss", json!([id])),
        ("sub", json!(other)),
        ("sub", Value::Null),
        ("sub", json!(id.to_uppercase())),
        ("aud", json!("https://other.example")),
        ("aud", json!(format!("{}/", countersign_tests::ISSUER))),
        (
            "aud",
            json!([countersign_tests::ISSUER, "https://other.example"]),
        ),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(now - 30)),
        ("exp", json!(now + 3_600)),
        ("exp", json!("soon")),
        ("exp", json!(9.0e18)),
        ("exp", json!(i64::MAX)),
        ("exp", Value::Null),
        ("iat", json!(now + 600)),
        ("iat", json!("now")),
        ("nbf", json!(now + 30)),
        ("nbf", json!(-1)),
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!("j".repeat(257))),
        ("jti", Value::Null),
    ] {
        let what = format!("{name}: {value}");
        let mut changed = claims(&what);
        let members = changed.as_object_mut().expect("an object");
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.into(), value),
        };
        add(&what, own.sign(&own.header(), &changed));
    }
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("NONE")),
        ("alg", json!("RS512")),
        ("alg", json!("EdDSA")),
        ("alg", Value::Null),
        ("typ", json!("at+jwt")),
        ("typ", json!("logout+jwt")),
        ("kid", json!("another")),
        ("kid", json!(removed.jwk().kid())),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("jwk", serde_json::to_value(removed.jwk()).expect("JSON")),
        ("jku", json!("https://evil.example/jwks.json")),
    ] {
        let what = format!("{name}: {value}");
        let mut header = own.header();
        let members = header.as_object_mut().expect("an object");
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.into(), value),
        };
        add(&what, own.sign(&header, &claims(&what)));
    }
    let good = own.assertion(id, "cut");
    let (input, _) = good.rsplit_once('.').expect("three segments");
    add("no signature", format!("{input}."));
    add("two segments", input.into());
    add("a cut signature", good[..good.len() - 5].into());
    add("a fourth segment", format!("{good}.AA"));
    add("padding", format!("{good}="));
    add("a removed key", removed.assertion(id, "removed"));
    let foreign = AssertionKey::generate(Algorithm::Rs256);
    add("a foreign key", foreign.assertion(id, "foreign"));
    add(
        "a foreign key under this kid",
        foreign.sign(&own.header(), &claims("kid")),
    );
    let mut without = own.header();
    without.as_object_mut().expect("an object").remove("kid");
    add(
        "a foreign key without kid",
        foreign.sign(&without, &claims("without")),
    );
    let header = json!({"alg": "HS256", "kid": own.jwk().kid()});
    for secret in [own.jwk().to_string(), own.jwk().kid().to_owned()] {
        add(
            "HS256 with the public key",
            hs256(&secret, &header, &claims("hs256")),
        );
    }
    all
}

/// What somebody signs who takes a public text for a secret.
fn hs256(secret: &str, header: &Value, claims: &Value) -> String {
    use aws_lc_rs::hmac;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let input = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn wrong_assertions_are_refused(backend: Backend) {
    let world = world(backend, 1).await;
    let gateway = world.gateway();
    let account = gateway.make_service_account("", &[], &[]).await;
    let other = gateway.make_service_account("", &[], &[]).await;
    let (own, _) = gateway.new_assertion_key(&account, Algorithm::Rs256).await;
    let (removed, id) = gateway.new_assertion_key(&account, Algorithm::Rs256).await;
    let (of_other, _) = gateway.new_assertion_key(&other, Algorithm::Rs256).await;
    let remove = countersign_proto::v1::RemoveServiceAccountCredentialRequest {
        service_account_id: account.service_account_id.clone(),
        credential_id: id,
    };
    let mut accounts = gateway.service_accounts();
    let gone = accounts.remove_service_account_credential(remove).await;
    gone.expect("removed");

    let id = &account.service_account_id;
    let mut wrong = wrong_ones(id, &own, &removed, &other.service_account_id);
    wrong.push(("another's key".into(), of_other.assertion(id, "other")));
    let of_other = of_other.assertion(&other.service_account_id, "other");
    wrong.push(("another's assertion".into(), of_other));
    let mut accepted = Vec::new();
    for (what, assertion) in &wrong {
        let shown = by_assertion(assertion);
        let told = gateway.sign_in_service_account(&account, shown, &[]).await;
        match reason(&told).as_str() {
            "SIGN_IN_REFUSED" => {}
            told => accepted.push(format!("{what}: {told}")),
        }
    }
    let large = "a".repeat(8_193);
    let told = gateway.sign_in_service_account(&account, by_assertion(&large), &[]);
    assert_eq!(reason(&told.await), "FIELD_INVALID");
    countersign_tests::say!(
        "assertions on {backend}: {} wrong ones, accepted or answered otherwise {}: {accepted:?}",
        wrong.len(),
        accepted.len(),
    );
    assert!(accepted.is_empty());
    assert!(wrong.len() > 40);
    let good = own.assertion(id, "good");
    let told = gateway.sign_in_service_account(&account, by_assertion(&good), &[]);
    told.await.expect("a good one");
}

/// Of 64 who use an assertion at once, over all replicas, one gets a token.
async fn an_assertion_is_used_once(backend: Backend) {
    const AT_ONCE: usize = 64;
    const ROUNDS: usize = 8;
    let world = world(backend, backend.replicas()).await;
    let gateway = world.gateway();
    let account = gateway.make_service_account("", &[], &[]).await;
    let (key, _) = gateway.new_assertion_key(&account, Algorithm::EdDsa).await;
    let account = Arc::new(account);
    let mut more = 0;
    for round in 0..ROUNDS {
        let assertion = key.assertion(&account.service_account_id, &format!("round {round}"));
        let gateways = world.gateways(8);
        let answers = crowd(AT_ONCE, |member| {
            let gateway = gateways[member % gateways.len()].clone();
            let (account, shown) = (Arc::clone(&account), by_assertion(&assertion));
            async move {
                let told = gateway.sign_in_service_account(&account, shown, &[]).await;
                reason(&told)
            }
        });
        let answers = answers.await;
        let used = answers.iter().filter(|told| *told == "OK").count();
        let refused = answers.iter().filter(|told| *told == "SIGN_IN_REFUSED");
        assert_eq!(used + refused.count(), answers.len(), "{answers:?}");
        assert!(used >= 1, "{answers:?}");
        more += used - 1;
    }
    countersign_tests::say!(
        "assertions on {backend}, {} replica(s): {ROUNDS} used {AT_ONCE} times at once; used \
         twice {more}",
        world.replicas().len(),
    );
    assert_eq!(more, 0);
}

#[test]
fn without_redis_no_assertion_is_taken() {
    on_a_backend(Backend::Postgres, async |backend| {
        let world = World::on(backend).with_lines().start().await;
        let gateway = world.gateway();
        let account = gateway.make_service_account("", &[], &[]).await;
        let (key, _) = gateway.new_assertion_key(&account, Algorithm::EdDsa).await;
        let assertion = key.assertion(&account.service_account_id, "one");
        let shown = || by_assertion(&assertion);
        world.redis_line().set(countersign_tests::Mode::Cut);
        let told = gateway
            .sign_in_service_account(&account, shown(), &[])
            .await;
        assert_eq!(reason(&told), "DEPENDENCY_UNAVAILABLE");
        world.redis_line().set(countersign_tests::Mode::Pass);
        let is_taken = || async {
            let told = gateway
                .sign_in_service_account(&account, shown(), &[])
                .await;
            told.ok()
        };
        let patience = countersign_tests::PATIENCE;
        countersign_tests::eventually("it is taken", patience, is_taken).await;
    });
}
