//! What has to be there for which kind, and what a mistake is told as.

use super::*;

fn config(kind: ProviderKind) -> ProviderConfig {
    let mut config = ProviderConfig::new(ProviderId::parse("p").unwrap(), kind, "client");
    config.client_secret = Some("secret".to_owned().into());
    if kind == ProviderKind::OpenIdConnect {
        config.issuer = Some("https://id.example".into());
    }
    if kind == ProviderKind::Apple {
        config.client_secret = None;
        config.team_id = Some("team".into());
        config.key_id = Some("key".into());
        config.private_key = Some("pem".to_owned().into());
    }
    config
}

fn problem(kind: ProviderKind, change: impl FnOnce(&mut ProviderConfig)) -> String {
    let mut config = config(kind);
    assert_eq!(config.check(), Ok(()), "it is good before the change");
    change(&mut config);
    config.check().unwrap_err().to_string()
}

#[test]
fn what_is_missing_is_named() {
    use ProviderKind::{Apple, Google, Naver, OpenIdConnect};
    for (problem, expected) in [
        (
            problem(Google, |c| c.client_secret = None),
            "client_secret is missing",
        ),
        (
            problem(Naver, |c| c.client_secret = Some(" ".to_owned().into())),
            "client_secret is empty",
        ),
        (
            problem(OpenIdConnect, |c| c.issuer = None),
            "issuer is missing",
        ),
        (problem(Apple, |c| c.team_id = None), "team_id is missing"),
        (problem(Apple, |c| c.key_id = None), "key_id is missing"),
        (
            problem(Apple, |c| c.private_key = None),
            "private_key is missing",
        ),
        (
            problem(Google, |c| c.client_id.clear()),
            "client_id is empty",
        ),
        (
            problem(Google, |c| c.display_name.clear()),
            "display_name is empty",
        ),
        (
            problem(Google, |c| c.native_client_ids = vec![String::new()]),
            "native_client_ids is empty",
        ),
    ] {
        assert_eq!(problem, format!("provider p: {expected}"));
    }
}

#[test]
fn what_does_not_belong_there_is_named() {
    use ProviderKind::{Apple, Google, Kakao, OpenIdConnect};
    let secret = || Some("x".to_owned().into());
    for (problem, expected) in [
        (
            problem(Google, |c| c.issuer = Some("https://x.example".into())),
            "issuer is for the kind oidc only",
        ),
        (
            problem(Kakao, |c| c.trust_email = true),
            "trust_email is for the kind oidc only",
        ),
        (
            problem(Google, |c| c.team_id = Some("x".into())),
            "team_id is for the kind apple only",
        ),
        (
            problem(Google, |c| c.private_key = secret()),
            "private_key is for the kind apple only",
        ),
        (
            problem(Google, |c| c.admin_key = secret()),
            "admin_key is for the kind kakao only",
        ),
        (
            problem(Google, |c| c.app_id = Some("1".into())),
            "app_id is for the kind kakao only",
        ),
        (
            problem(Apple, |c| c.client_secret = secret()),
            "client_secret is not for the kind apple",
        ),
        (
            problem(OpenIdConnect, |c| {
                c.issuer = Some("http://id.example".into());
            }),
            "issuer is not https",
        ),
        (
            problem(OpenIdConnect, |c| {
                c.issuer = Some("http://127.0.0.1:1".into());
            }),
            "issuer is not https",
        ),
        (
            problem(OpenIdConnect, |c| {
                c.issuer = Some("https://id.example?a".into());
            }),
            "issuer has a query",
        ),
        (
            problem(Google, |c| c.scopes = Some(vec!["email".into()])),
            "scopes must have openid among them",
        ),
        (
            problem(Google, |c| c.scopes = Some(vec!["openid email".into()])),
            "scopes has one that is empty or has a space in it",
        ),
        (
            problem(Google, |c| c.time_limit = Duration::ZERO),
            "time_limit must be above 0 and at most 30 s",
        ),
        (
            problem(Google, |c| c.time_limit = Duration::from_secs(31)),
            "time_limit must be above 0 and at most 30 s",
        ),
    ] {
        assert_eq!(problem, format!("provider p: {expected}"));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let mut config = config(ProviderKind::Kakao);
    config.client_secret = Some("hunter2hunter2".to_owned().into());
    config.admin_key = Some("adminadmin".to_owned().into());
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("adminadmin"),
        "{shown}"
    );
}
