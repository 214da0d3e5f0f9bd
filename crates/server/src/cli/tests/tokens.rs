//! `countersign token decode` and `issue`: what they show, and what they refuse.

use std::time::Duration;

use crate::cli::token_arguments::TokenIssue;
use crate::cli::tokens;
use crate::config::{Config, TokenProfileConfig};

fn config() -> Config {
    let mut config = Config::default();
    let profile = |secret: &str, claim: &str| TokenProfileConfig {
        secret: Some(secret.into()),
        claims: vec![format!("{claim}=external_id_number")],
        constants: vec!["type=access".into()],
        refresh_constants: vec!["type=refresh".into()],
        audiences: config.tokens.audiences.clone(),
        ..TokenProfileConfig::default()
    };
    let profiles = [
        (
            "django".to_owned(),
            profile("s3cret of one server", "user_id"),
        ),
        ("fastapi".to_owned(), profile("s3cret of another", "id")),
    ];
    config.tokens.profiles = profiles.into();
    config
}

fn wanted(profile: &str, external_id: &str, refresh: bool) -> TokenIssue {
    TokenIssue {
        profile: profile.into(),
        external_id: external_id.into(),
        refresh,
        expires_in: Duration::from_secs(300),
    }
}

fn issue(wanted: &TokenIssue) -> Result<(String, String), String> {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let issued = tokens::issue(&config(), wanted, &mut out, &mut notes);
    issued.map_err(|failure| failure.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok((text(&out), text(&notes)))
}

fn decode(token: &str) -> Result<String, String> {
    let mut out = Vec::new();
    let decoded = tokens::decode(&config(), token, &mut out);
    decoded.map_err(|failure| failure.to_string())?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

#[test]
fn a_sample_is_said_to_be_one_and_decoded_with_its_profile() {
    for (refresh, class) in [(false, "an access token"), (true, "a refresh token")] {
        let (token, notes) = issue(&wanted("django", "7", refresh)).expect("a sample");
        assert!(notes.starts_with("THIS IS A SAMPLE"), "{notes}");
        let shown = decode(&token).expect("a token");
        assert!(shown.contains("\"user_id\": 7"), "{shown}");
        let own = format!("profile django: {class} of the other server, of the external id \"7\"");
        assert!(shown.contains(&own), "{shown}");
        let other = "profile fastapi: not one of its tokens: the token's signature is not valid";
        assert!(shown.contains(other), "{shown}");
        assert!(!format!("{shown}{notes}").contains("s3cret"));
    }
}

#[test]
fn what_cannot_be_issued_or_decoded_is_told() {
    for (wanted, why) in [
        (wanted("nobody", "7", false), "there are: django, fastapi"),
        (
            wanted("django", "seven", false),
            "the external id is no whole number",
        ),
    ] {
        let error = issue(&wanted).expect_err(why);
        assert!(error.contains(why), "{error}");
    }
    for (token, why) in [
        ("", "there must be three parts"),
        ("a.b", "there must be three parts"),
        ("a.b.c", "its header is no JSON in base64url"),
        ("e30.!.c", "its payload is no JSON in base64url"),
    ] {
        let error = decode(token).expect_err(why);
        assert!(error.contains(why), "{error}");
    }
}
