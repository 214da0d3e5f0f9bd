//! `countersign message test`: what it lists, and what it refuses.

use serde_json::{Value, json};

use crate::cli::arguments::MessageTest;
use crate::cli::exit_code::{CONFIG, USAGE};
use crate::cli::failure::Outcome;
use crate::cli::message;
use crate::config::{Config, EmailProvider, ServiceUrl, SmsProvider};

fn to(address: &str) -> MessageTest {
    MessageTest {
        to: address.into(),
        locale: "ko".into(),
        provider: None,
        json: true,
    }
}

/// The log for text messages; for mail a webhook where nobody listens, and then
/// the log.
fn config() -> Config {
    let mut config = Config::default();
    config.delivery.sms = vec![SmsProvider::Log];
    config.delivery.email = vec![EmailProvider::Webhook, EmailProvider::Log];
    config.webhook.url = Some(ServiceUrl::new("http://127.0.0.1:1/".into()));
    config.webhook.secret = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
    config
}

async fn listed(config: &Config, test: &MessageTest) -> (Outcome, Value) {
    let mut out = Vec::new();
    let outcome = message::test(config, test, &mut out).await.expect("asked");
    (outcome, serde_json::from_slice(&out).expect("JSON"))
}

#[tokio::test]
async fn each_provider_that_was_tried_is_listed_with_what_it_said() {
    let (outcome, rows) = listed(&config(), &to("mina@example.com")).await;
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(rows[0]["provider"], "webhook");
    assert_eq!(rows[0]["outcome"], "refused");
    let why = rows[0]["why"].as_str().expect("a reason");
    assert!(why.starts_with("cannot be reached: "), "{why}");
    let log =
        json!({"provider": "log", "outcome": "sent", "why": null, "said": "written to the log"});
    assert_eq!(rows[1], log);
}

#[tokio::test]
async fn a_message_that_nobody_took_is_told_by_the_exit_code() {
    let test = MessageTest {
        provider: Some("webhook".into()),
        ..to("mina@example.com")
    };
    let (outcome, rows) = listed(&config(), &test).await;
    assert_eq!(outcome, Outcome::Lacking);
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_number_without_country_code_is_one_at_home() {
    let (outcome, rows) = listed(&config(), &to("010-1234-5678")).await;
    assert_eq!(
        (outcome, &rows[0]["provider"]),
        (Outcome::Done, &json!("log"))
    );
}

#[tokio::test]
async fn what_cannot_be_tried_is_told() {
    let unnamed = MessageTest {
        provider: Some("sens".into()),
        ..to("01012345678")
    };
    for (config, test, exit_code, told) in [
        (config(), to("mina@"), USAGE, "--to must be"),
        (config(), to("nobody"), USAGE, "--to must be"),
        (config(), unnamed, CONFIG, "delivery.sms does not name sens"),
        (
            Config::default(),
            to("mina@example.com"),
            CONFIG,
            "delivery.email names no provider: set it to [\"smtp\"] or [\"webhook\"], whose \
             settings stand in docs/messages.md, or to [\"log\"]",
        ),
    ] {
        let error = message::test(&config, &test, &mut Vec::new()).await;
        let failure = error.expect_err("refused");
        let error = failure.to_string();
        assert!(error.starts_with(told), "{error}");
        assert_eq!(failure.exit_code(), exit_code, "{error}");
    }
}
