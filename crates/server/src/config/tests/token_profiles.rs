//! The sections of token profiles: what is taken, from where, and what is refused.

use countersign_token::Algorithm;

use super::*;

const DJANGO: &str = r#"
[tokens]
audiences = ["shop", "billing"]
[tokens.profiles.django]
secret = "django-insecure-s3cret-of-the-old-server"
claims = ["user_id=external_id_number"]
constants = ["token_type=access"]
refresh_constants = ["token_type=refresh"]
audiences = ["shop"]
groups = ["default"]
"#;

fn with(more: &str) -> Given {
    given().file(&format!("{DJANGO}{more}"))
}

/// A second profile, with its own key.
fn other(more: &str) -> Given {
    with(&format!(
        "[tokens.profiles.other]\nclaims = ['id=external_id']\nconstants = ['a=b']\n{more}"
    ))
}

#[test]
fn a_profile_is_read_and_written_without_its_secret() {
    let config = with("issue_until = '2027-06-01'\naccept_until = '2027-07-01T09:00:00Z'").good();
    let profiles = config.token_profiles().expect("good profiles");
    let django = profiles.iter().next().expect("a profile");
    assert_eq!(django.form.key().algorithm(), Algorithm::Hs256);
    let seconds = |at: Option<countersign_domain::model::Timestamp>| {
        at.map(countersign_domain::model::Timestamp::as_seconds)
    };
    assert_eq!(seconds(django.issue_until), Some(1_811_808_000));
    assert_eq!(seconds(django.accept_until), Some(1_814_432_400));
    let written = config.to_toml();
    assert!(written.contains("[tokens.profiles.django]"), "{written}");
    assert!(
        written.contains("2027-06-01") && !written.contains("s3cret"),
        "{written}"
    );
    assert!(!format!("{config:?}").contains("s3cret"));
    let again = given().file(&written.replace("********", "another secret of the old server"));
    assert_eq!(again.good().to_toml(), written);
    assert!(!Config::default().to_toml().contains("profiles"));
}

#[test]
fn a_profile_comes_from_variables_and_files_too() {
    let mut given = given();
    let path = given.path("secret");
    fs::write(&path, "from a file\n").expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    let given = given.file(DJANGO).variables(&[
        ("COUNTERSIGN__TOKENS__PROFILES__DJANGO__ACCESS_TTL", "15m"),
        ("COUNTERSIGN__TOKENS__PROFILES__API__SECRET_FILE", &path),
        (
            "COUNTERSIGN__TOKENS__PROFILES__API__CLAIMS",
            "sub=external_id,scp=scopes",
        ),
        ("COUNTERSIGN__TOKENS__PROFILES__API__CONSTANTS", "v=1"),
        ("COUNTERSIGN__TOKENS__PROFILES__API__AUDIENCES", "billing"),
    ]);
    let config = given.good();
    let django = &config.tokens.profiles["django"];
    assert_eq!(django.access_ttl.as_secs(), 900);
    assert_eq!(
        config.tokens.profiles["api"].claims,
        ["sub=external_id", "scp=scopes"]
    );
    assert_eq!(
        config
            .token_profiles()
            .expect("good profiles")
            .iter()
            .count(),
        2
    );
}

#[test]
fn what_is_no_setting_of_a_profile_is_named() {
    for (given, text) in [
        (with("colour = 'red'"), "tokens.profiles.django.colour"),
        (with("[tokens.profiles.Django]\n"), "tokens.profiles.Django"),
        (with("[tokens.profiles]\nx = 1"), "tokens.profiles.x"),
        (
            given().file("[tokens]\nprofiles = 3"),
            "must have sections, as [tokens.profiles.NAME]",
        ),
        (
            given().file("[tokens.profiles]\nx = 1"),
            "must be a section, as [tokens.profiles.x]",
        ),
        (
            given().variables(&[("COUNTERSIGN__TOKENS__PROFILES__DJANGO__COLOUR", "red")]),
            "[tokens.profiles.NAME] has accept_until, access_ttl, algorithm",
        ),
    ] {
        let error = given.load().expect_err(text).to_string();
        assert!(error.contains(text), "{text}: {error}");
    }
}

#[test]
fn a_wrong_profile_is_refused_with_what_would_be_right() {
    for (change, key, rule) in [
        ("secret = ''", "secret", "must be set"),
        ("private_key = '/nowhere'", "secret", "and no private_key"),
        ("algorithm = 'RS256'", "private_key", "must name a file"),
        (
            "algorithm = 'HS512'",
            "algorithm",
            "must be EdDSA, ES256, RS256 or HS256",
        ),
        (
            "claims = ['user_id']",
            "claims",
            "such as user_id=external_id_number",
        ),
        (
            "claims = ['user_id=number']",
            "claims",
            "it may say user_id, external_id",
        ),
        (
            "claims = ['roles=roles']",
            "claims",
            "a claim must be external_id",
        ),
        (
            "claims = ['exp=external_id']",
            "claims",
            "must not be named",
        ),
        (
            "constants = ['token_type']",
            "constants",
            "such as type=access",
        ),
        (
            "refresh_constants = ['token_type=access']",
            "claims",
            "must have another value",
        ),
        ("audiences = []", "audiences", "those of tokens.audiences"),
        (
            "audiences = ['other']",
            "audiences",
            "those of tokens.audiences",
        ),
        ("groups = ['No Group']", "groups", "lower-case letters"),
        ("access_ttl = '2d'", "access_ttl", "must be 10s to 1d"),
        ("longest_ttl = '1s'", "longest_ttl", "must be 10s to 3650d"),
        (
            "accept_until = 'soon'",
            "accept_until",
            "such as 2027-06-01",
        ),
        (
            "issue_until = '2027-06-02'\naccept_until = '2027-06-01'",
            "issue_until",
            "must not be later than its accept_until",
        ),
    ] {
        let setting = change.split(" = ").next().expect("a setting");
        let lines = DJANGO.lines().filter(|line| {
            let is_in_profile = !line.contains("billing");
            !(is_in_profile && line.starts_with(&format!("{setting} =")))
        });
        let text = lines.chain([change]).collect::<Vec<_>>().join("\n");
        let problem = given().file(&text).problem();
        assert!(
            problem.contains(&format!("tokens.profiles.django.{key}")),
            "{change}: {problem}"
        );
        assert!(problem.contains(rule), "{change}: {problem}");
        assert!(!problem.contains("s3cret"), "{problem}");
    }
}

#[test]
fn two_profiles_have_two_keys_and_two_kinds_of_sessions() {
    let own = "secret = 'another secret of another server'\n";
    let same = "secret = 'django-insecure-s3cret-of-the-old-server'\naudiences = ['billing']";
    let problem = other(same).problem();
    assert!(
        problem.contains("must not have the key of tokens.profiles.django"),
        "{problem}"
    );
    for clash in ["groups = ['default']", "callers = ['web']"] {
        let problem = other(&format!("{own}audiences = ['shop']\n{clash}")).problem();
        assert!(
            problem.contains("must choose others than tokens.profiles.django"),
            "{problem}"
        );
    }
    for fit in [
        "audiences = ['shop']",
        "audiences = ['billing']\ngroups = ['default']",
        "audiences = ['shop']\ngroups = ['staff']",
    ] {
        other(&format!("{own}{fit}")).good();
    }
}

#[test]
fn a_key_comes_from_a_file_of_pkcs_8() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
        let key = countersign_token::SigningKey::generate(algorithm).expect("a key");
        let mut given = given();
        let path = given.path("key.pem");
        let pem = |label: &str| {
            use base64::Engine as _;
            let der = base64::engine::general_purpose::STANDARD.encode(key.secret());
            format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n")
        };
        fs::write(&path, pem("PRIVATE KEY")).expect("written");
        let text = format!(
            "{}\nalgorithm = '{algorithm}'\nprivate_key = '{}'",
            DJANGO.replace("secret =", "#"),
            path.display()
        );
        let given = given.file(&text);
        let profiles = given.good().token_profiles().expect("a good profile");
        assert_eq!(
            profiles.iter().next().expect("it").form.key().kid(),
            key.kid()
        );
        fs::write(&path, pem("RSA PRIVATE KEY")).expect("written");
        assert!(given.problem().contains("openssl pkcs8 -topk8 -nocrypt"));
    }
}
