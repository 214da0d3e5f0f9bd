//! A token that must not be accepted is rejected with its own reason: stolen
//! and revoked, altered, expired, foreign, of another class, of another server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_client::{Client, Requirement, ValidateError};
use countersign_proto::v1;
use countersign_proto::v1::RejectionReason;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_tests::{
    Backend, PATIENCE, World, eventually, on_a_backend, on_every_backend, on_every_shared_backend,
};
use tokio::time::Instant;

on_every_backend!(
    an_expired_token_is_rejected,
    a_stolen_token_is_rejected_once_it_is_revoked,
);
on_every_shared_backend!(another_issuers_token_is_rejected);

#[test]
fn no_altered_token_is_accepted() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mina = world.sign_up().await;
        let token = mina.sign_in().await.access_token;
        let mut accepted = 0;
        let altered = alterations(&token);
        for batch in altered.chunks(200) {
            let ask = |token: &String| v1::ValidateTokenRequest {
                access_token: token.clone(),
                ..Default::default()
            };
            let requests = batch.iter().map(ask).collect();
            let request = v1::ValidateTokensRequest { requests };
            let answers = mina
                .gateway
                .auth()
                .validate_tokens(request)
                .await
                .expect("answers");
            let verdicts = answers.into_inner().responses;
            assert_eq!(verdicts.len(), batch.len());
            let is_valid = |answer: &v1::ValidateTokenResponse| {
                !matches!(answer.verdict, Some(Verdict::Rejected(_)))
            };
            accepted += verdicts.iter().filter(|answer| is_valid(answer)).count();
        }
        countersign_tests::say!("altered tokens accepted: {accepted} of {}", altered.len());
        assert_eq!(accepted, 0);
        assert_eq!(mina.gateway.judge(&token).await, "VALID", "the control");
    });
}

#[test]
fn each_bad_token_has_its_own_reason() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let (world, other) = (
            World::start(backend, 1).await,
            World::start(backend, 1).await,
        );
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let proof = mina.gateway.prove(
            countersign_tests::email(&world.new_email()),
            v1::Purpose::SignUp,
        );
        let proof = proof.await.expect("a proof");
        let foreign = other.sign_up().await.sign_in().await.access_token;
        let good = &tokens.access_token;
        for (bad, rejection) in [
            (String::new(), "MALFORMED"),
            ("garbage".into(), "MALFORMED"),
            (good.replace('.', ""), "MALFORMED"),
            (format!("{good}{}", "A".repeat(9_000)), "MALFORMED"),
            (tokens.refresh_token.clone(), "MALFORMED"),
            (proof, "MALFORMED"),
            (
                with_header(good, |header| header.replace("at+jwt", "JWT")),
                "WRONG_TYPE",
            ),
            (
                with_header(good, |header| header.replace("EdDSA", "none")),
                "BAD_SIGNATURE",
            ),
            (
                with_header(good, |header| header.replace("EdDSA", "HS256")),
                "BAD_SIGNATURE",
            ),
            (with_last_letter_changed(good), "BAD_SIGNATURE"),
            (foreign, "UNKNOWN_KEY"),
        ] {
            assert_eq!(mina.gateway.judge(&bad).await, rejection, "{bad}");
        }
        let ask = |audience: &str, scopes: &[&str]| v1::ValidateTokenRequest {
            access_token: good.clone(),
            audience: audience.into(),
            required_scopes: scopes.iter().map(|&scope| scope.into()).collect(),
            ..Default::default()
        };
        for (request, rejection) in [
            (ask("another-service", &[]), RejectionReason::WrongAudience),
            (
                ask("", &["orders.write"]),
                RejectionReason::InsufficientScope,
            ),
        ] {
            let answer = mina.gateway.ask(request).await.expect("an answer");
            assert_eq!(answer, Err(rejection));
        }
        assert_eq!(mina.gateway.judge(good).await, "VALID", "the control");
    });
}

async fn an_expired_token_is_rejected(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.access_ttl", "10s")
        .set("tokens.leeway", "0s")
        .start()
        .await;
    let mina = world.sign_up().await;
    let began = Instant::now();
    let tokens = mina.sign_in().await;
    assert_eq!(mina.gateway.judge(&tokens.access_token).await, "VALID");
    let expired = || async {
        match mina.gateway.judge(&tokens.access_token).await.as_str() {
            "VALID" => None,
            other => Some(other.to_owned()),
        }
    };
    let (verdict, _) = eventually("it expires", PATIENCE, expired).await;
    assert_eq!(verdict, "EXPIRED");
    // Times of tokens are in whole seconds: up to one less.
    let lived = began.elapsed();
    assert!(lived >= Duration::from_millis(8_950), "after {lived:?}");
    assert_eq!(
        countersign_tests::reason(&mina.gateway.refresh(&tokens.refresh_token).await),
        "OK"
    );
}

async fn a_stolen_token_is_rejected_once_it_is_revoked(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let stolen = mina.sign_in().await;
    let thieves = world.gateways(1);
    for thief in &thieves {
        assert_eq!(thief.judge(&stolen.access_token).await, "VALID");
    }
    let endpoint = format!("http://{}", world.replica(0).address());
    let client = Client::builder(endpoint).build().expect("a client");
    mina.gateway
        .revoke(&stolen.refresh_token)
        .await
        .expect("revoked");
    assert_eq!(
        thieves[0].judge(&stolen.access_token).await,
        "REVOKED",
        "at once where it was done"
    );
    let anyone = Requirement::default();
    let rejected = client.validate_token(&stolen.access_token, &anyone).await;
    assert!(
        matches!(
            rejected,
            Err(ValidateError::Rejected(RejectionReason::Revoked))
        ),
        "{rejected:?}"
    );
    for thief in &thieves {
        let rejected =
            || async { (thief.judge(&stolen.access_token).await == "REVOKED").then_some(()) };
        let ((), took) = eventually("all replicas know", PATIENCE, rejected).await;
        countersign_tests::say!("{backend}: a replica rejects a revoked token after {took:?}");
    }
}

async fn another_issuers_token_is_rejected(backend: Backend) {
    let world = World::on(backend)
        .replicas(2)
        .set_at(1, "tokens.issuer", "https://other.example")
        .start()
        .await;
    let mina = world.sign_up().await;
    let token = mina.sign_in().await.access_token;
    assert_eq!(
        world.replica(1).gateway().judge(&token).await,
        "WRONG_ISSUER"
    );
    assert_eq!(mina.gateway.judge(&token).await, "VALID");
}

/// The token with each of its letters replaced by another, each letter left
/// out, and cut off after each letter.
fn alterations(token: &str) -> Vec<String> {
    let other = |letter: &str| if letter == "A" { "B" } else { "A" };
    let mut altered = Vec::new();
    for at in 0..token.len() {
        let (before, letter, after) = (&token[..at], &token[at..=at], &token[at + 1..]);
        altered.push(format!("{before}{}{after}", other(letter)));
        altered.push(format!("{before}{after}"));
        altered.push(before.to_owned());
    }
    altered
}

fn with_header(token: &str, change: impl Fn(&str) -> String) -> String {
    let (header, rest) = token.split_once('.').expect("three segments");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let changed = change(std::str::from_utf8(&header).expect("JSON"));
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(changed))
}

/// Another signature in canonical base64url.
fn with_last_letter_changed(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("three segments");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    if let Some(last) = signature.last_mut() {
        *last ^= 1;
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
