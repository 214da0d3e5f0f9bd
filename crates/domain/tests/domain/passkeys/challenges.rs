//! Challenges of passkeys that sign in alone: they cost nothing before they are
//! answered, and nobody else makes one.

use std::time::Duration;

use countersign_domain::model::{ClientContext, GroupId};
use countersign_domain::testing::refusal;
use countersign_domain::{Error, Limit, Refusal};
use serde_json::{Value, json};

use super::software_authenticator::{Algorithm, SoftwareAuthenticator, bytes, encoded};
use super::{EMAIL, ORIGIN, Site, Tokens};

async fn sign_in_from(
    site: &Site,
    key: &SoftwareAuthenticator,
    options: &str,
    ip_address: &str,
) -> Result<Tokens, Error> {
    let client = ClientContext {
        ip_address: ip_address.parse().ok(),
        ..ClientContext::default()
    };
    let credential = key.get(options, ORIGIN);
    let group = GroupId::fallback();
    site.sign_in_by(group, "gateway", client, &credential).await
}

fn is_exhausted<T>(outcome: &Result<T, Error>) -> bool {
    let limit = Limit::Attempts;
    matches!(outcome, Err(Error::Exhausted { limit: of, .. }) if *of == limit)
}

/// People behind one address load many pages with a form to sign in.
#[tokio::test]
async fn what_is_begun_and_never_answered_costs_nothing() {
    let mut site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    site.world.reconfigure(|settings| {
        settings.attempts_per_source = (2, Duration::from_secs(900));
    });
    site.world.ephemeral.take_calls();
    for _ in 0..10_000 {
        site.sign_in_options().expect("options");
    }
    assert_eq!(site.world.ephemeral.take_calls(), 0, "nothing is kept");
    for _ in 0..5 {
        let options = site.sign_in_options().expect("options");
        let tokens = sign_in_from(&site, &key, &options, "192.0.2.1").await;
        tokens.expect("who answers well is charged nothing");
    }
}

#[tokio::test]
async fn wrong_answers_are_charged_to_their_source_alone() {
    let mut site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let options = site.sign_in_options().expect("options");
    let unknown = SoftwareAuthenticator::new(Algorithm::EdDsa, &creation_options());
    site.world.reconfigure(|settings| {
        settings.attempts_per_source = (3, Duration::from_secs(900));
    });
    // What could not be told is no wrong answer.
    site.world.ephemeral.set_broken(true);
    let failed = sign_in_from(&site, &key, &options, "192.0.2.1").await;
    assert!(!failed.expect_err("it cannot be told").is_an_answer());
    site.world.ephemeral.set_broken(false);
    for _ in 0..3 {
        let wrong = sign_in_from(&site, &unknown, &options, "192.0.2.1").await;
        assert_eq!(refusal(wrong), Refusal::SignIn);
    }
    let more = sign_in_from(&site, &key, &options, "192.0.2.1").await;
    assert!(is_exhausted(&more), "{more:?}");
    let elsewhere = sign_in_from(&site, &key, &options, "192.0.2.2").await;
    elsewhere.expect("neither the challenge nor the passkey is spent");
}

fn creation_options() -> String {
    let challenge = encoded(&[0; 32]);
    let user = encoded(&[7; 16]);
    let options = json!({
        "challenge": challenge, "rp": {"id": "example.com"}, "user": {"id": user},
    });
    options.to_string()
}

/// Each bit of a challenge counts: neither its end nor its number can be changed.
#[tokio::test]
async fn nobody_else_makes_a_challenge() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let options = site.sign_in_options().expect("options");
    let good: Value = serde_json::from_str(&options).expect("JSON");
    let challenge = bytes(&good["challenge"]);
    let mut refused = 0;
    for bit in 0..challenge.len() * 8 {
        let mut changed = challenge.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut options = good.clone();
        options["challenge"] = json!(encoded(&changed));
        let answered = site.sign_in(&key.get(&options.to_string(), ORIGIN)).await;
        assert_eq!(refusal(answered), Refusal::SignIn, "bit {bit}");
        refused += 1;
    }
    assert_eq!(refused, 256);
    let answered = site.sign_in(&key.get(&options, ORIGIN)).await;
    answered.expect("the right one is good");
}

/// That it was answered outlives the challenge.
#[tokio::test]
async fn an_answer_is_not_good_again_before_its_challenge_ends_or_after() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let options = site.sign_in_options().expect("options");
    let answer = key.get(&options, ORIGIN);
    site.sign_in(&answer).await.expect("signed in");
    for seconds in [0, 1, 298, 1, 1, 299] {
        site.world.clock.advance(Duration::from_secs(seconds));
        let again = site.sign_in(&answer).await;
        assert_eq!(refusal(again), Refusal::SignIn);
    }
}

/// Two challenges of one moment differ.
#[tokio::test]
async fn challenges_of_one_moment_differ() {
    let site = Site::new().await;
    let mut made = std::collections::HashSet::new();
    for _ in 0..1_000 {
        let options = site.sign_in_options().expect("options");
        let options: Value = serde_json::from_str(&options).expect("JSON");
        made.insert(options["challenge"].to_string());
    }
    assert_eq!(made.len(), 1_000);
}
