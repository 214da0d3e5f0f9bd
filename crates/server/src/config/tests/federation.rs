//! The sections of providers of sign-ins: what is taken, from where, and what is refused.

use super::*;

const GOOGLE: &str = r#"
[federation.providers.google]
client_id = "123.apps.example"
client_secret = "s3cret-of-google"
"#;

fn with(more: &str) -> Given {
    given().file(&format!("{GOOGLE}{more}"))
}

#[test]
fn a_provider_is_read_and_written_without_its_secret() {
    let config = with("display_name = 'Google Workspace'").good();
    let providers = config.federation.providers().expect("good providers");
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0].display_name, "Google Workspace");
    let written = config.to_toml();
    assert!(
        written.contains("[federation.providers.google]"),
        "{written}"
    );
    assert!(!written.contains("s3cret"), "{written}");
    assert!(!format!("{config:?}").contains("s3cret"));
    assert!(!Config::default().to_toml().contains("providers"));
}

#[test]
fn a_provider_comes_from_variables_and_files_too() {
    let mut given = given();
    let path = given.path("secret");
    fs::write(&path, "from a file\n").expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    let given = given.variables(&[
        ("COUNTERSIGN__FEDERATION__PROVIDERS__CORP__KIND", "oidc"),
        (
            "COUNTERSIGN__FEDERATION__PROVIDERS__CORP__ISSUER",
            "https://id.example",
        ),
        ("COUNTERSIGN__FEDERATION__PROVIDERS__CORP__CLIENT_ID", "app"),
        (
            "COUNTERSIGN__FEDERATION__PROVIDERS__CORP__CLIENT_SECRET_FILE",
            &path,
        ),
        (
            "COUNTERSIGN__FEDERATION__PROVIDERS__CORP__SCOPES",
            "openid,email",
        ),
    ]);
    let providers = given.good().federation.providers();
    let corp = providers.expect("good providers").remove(0);
    assert_eq!(corp.id.as_str(), "corp");
    assert_eq!(corp.issuer.as_deref(), Some("https://id.example"));
    assert_eq!(
        corp.scopes,
        Some(vec!["openid".to_owned(), "email".to_owned()])
    );
}

#[test]
fn what_is_wrong_with_a_provider_is_named() {
    for (given, key) in [
        (with("colour = 'red'"), "federation.providers.google.colour"),
        (
            with("[federation.providers.corp]\nclient_id = 'x'"),
            "federation.providers.corp.kind",
        ),
        (
            with("[federation.providers.apple]\nteam_id = 'x'"),
            "federation.providers.apple.client_id",
        ),
        (
            with("[federation.providers.Corp]\nkind = 'oidc'"),
            "federation.providers.Corp",
        ),
        (
            with("[federation.providers.corp]\nkind = 'oidc'\nclient_id = 'x'"),
            "federation.providers.corp.issuer",
        ),
        (
            with("private_key = '/nowhere/key.p8'"),
            "federation.providers.google.private_key",
        ),
    ] {
        let error = given.load().expect_err(key).to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
}
