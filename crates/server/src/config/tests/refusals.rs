//! What is refused, and in which words.

use std::fs;

use super::*;

#[test]
fn a_missing_file_is_named() {
    let mut given = given();
    given.sources.file = Some("/nowhere/countersign.toml".into());
    let error = given.load().expect_err("there is no file").to_string();
    assert!(
        error.starts_with("the configuration file /nowhere/countersign.toml cannot be read"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line_but_not_its_content() {
    let error = given()
        .file("[keys]\n\nmaster_key = s3cret\n")
        .load()
        .expect_err("not TOML")
        .to_string();
    assert!(
        error.contains("countersign.toml is not TOML: line 3: "),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn unknown_keys_of_the_file_are_named_with_what_there_is() {
    let problems = given()
        .file("colour = 'red'\nserver = 5\n[redis]\nurI = 'x'\n[cache]\nsize = 1\n[log.format]\nx = 1")
        .problems();
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 5, "{texts:#?}");
    let has = |text: &str| assert!(texts.iter().any(|t| t.contains(text)), "{text}: {texts:#?}");
    has("colour (");
    has(
        "is not a setting; there are alimtalk, audit, data_dir, database, delivery, devices, \
         federation, gateway, identifiers",
    );
    has("countersign.toml) must be a section, as [server]");
    has("redis.urI (");
    has("is not a setting; [redis] has url");
    has("cache (");
    has("log.format = ");
}

#[test]
fn unknown_variables_are_named_with_what_there_is() {
    for (variable, rule) in [
        (
            "COUNTERSIGN__SERVER__LISTN",
            "[server] has cores, drain_delay",
        ),
        ("COUNTERSIGN__SERVER", "[server] has cores, drain_delay"),
        (
            "COUNTERSIGN__server__listen",
            "[server] has cores, drain_delay",
        ),
        (
            "COUNTERSIGN__LISTEN",
            "there are alimtalk, audit, data_dir, database",
        ),
        (
            "COUNTERSIGN__COLOUR_FILE",
            "there are alimtalk, audit, data_dir, database",
        ),
    ] {
        let problem = given().variables(&[(variable, "s3cret")]).problem();
        assert!(problem.starts_with(variable), "{problem}");
        assert!(problem.contains(rule), "{problem}");
        assert!(!problem.contains("s3cret"), "{problem}");
    }
}

#[test]
fn a_variable_that_is_no_setting_is_refused_with_the_nearest_one() {
    for (variable, nearest) in [
        ("COUNTERSIGN_DATABASE_URL", "COUNTERSIGN__DATABASE__URL"),
        (
            "COUNTERSIGN_DATABASE_URL_FILE",
            "COUNTERSIGN__DATABASE__URL_FILE",
        ),
        ("COUNTERSIGN__DATABASE_URL", "COUNTERSIGN__DATABASE__URL"),
        ("COUNTERSIGN_DATA_DIR", "COUNTERSIGN__DATA_DIR"),
        ("COUNTERSIGN__SERVER__LISTN", "COUNTERSIGN__SERVER__LISTEN"),
        ("COUNTERSIGN__server__listen", "COUNTERSIGN__SERVER__LISTEN"),
        (
            "COUNTERSIGN_DB_URL",
            "COUNTERSIGN__DATABASE__URL or COUNTERSIGN__LEGACY__URL or COUNTERSIGN__REDIS__URL or \
             COUNTERSIGN__SMTP__URL or COUNTERSIGN__WEBHOOK__URL",
        ),
        (
            "COUNTERSIGN_LISTEN",
            "COUNTERSIGN__GATEWAY__LISTEN or COUNTERSIGN__METRICS__LISTEN or COUNTERSIGN__SERVER__LISTEN",
        ),
        ("COUNTERSIGN_LOG_LEVEL", "COUNTERSIGN__LOG__FILTER"),
        ("COUNTERSIGN_CONFIG_FILE", "COUNTERSIGN_CONFIG"),
        ("COUNTERSIGN_PORT", ""),
    ] {
        let problem = given().variables(&[(variable, "s3cret")]).problem();
        assert!(!problem.contains("s3cret"), "{problem}");
        assert!(
            problem.starts_with(&format!("{variable} is not a setting; ")),
            "{problem}"
        );
        let told = problem.rsplit_once("; the nearest is ");
        assert_eq!(told.map_or("", |(_, told)| told), nearest, "{problem}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let problems = given()
        .file(
            "[server]\nlisten = 'here'\nmax_connections = 'many'\ntls_certificate = 'cert.pem'\n\
             [tokens]\naccess_ttl = '3s'\naudiences = []\nalgorithm = 'none'\nscopes = ['a b']\n\
             [identifiers]\ndefault_region = 'Korea'\n[passwords]\nmemory_kib = 64\nqueue = -1",
        )
        .variables(&[
            ("COUNTERSIGN__VERIFICATION__CODE_TTL", "soon"),
            ("COUNTERSIGN__VERIFICATION__CODE_DIGITS", "three"),
            ("COUNTERSIGN__LOG__FILTER", "sqlx=loud"),
        ])
        .problems();
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 13, "{texts:#?}");
    for text in [
        "server.listen = \"here\" (",
        "must be an IP address and a port such as 127.0.0.1:50051",
        "server.max_connections = \"many\"",
        "must be a whole number",
        "server.tls_private_key (the default) must be set too, as server.tls_certificate is",
        "tokens.access_ttl = \"3s\"",
        "must be 10s to 1d",
        "tokens.audiences = []",
        "must have at least one audience",
        "tokens.algorithm = \"none\"",
        "must be EdDSA, ES256, RS256 or HS256",
        "each must be 1 to 128 printable ASCII characters",
        "must be a country code of two capital letters such as KR",
        "passwords.memory_kib = 64",
        "must be 8192 to 1048576, not 64",
        "passwords.queue = -1",
        "must not be negative",
        "verification.code_ttl = \"soon\" (the environment variable COUNTERSIGN__VERIFICATION__CODE_TTL) \
         must be a duration such as 500ms, 30s, 5m, 12h or 30d",
        "verification.code_digits = \"three\"",
        "log.filter = \"sqlx=loud\"",
    ] {
        assert!(texts.iter().any(|t| t.contains(text)), "{text}: {texts:#?}");
    }
}

#[test]
fn a_list_of_another_notation_is_refused_with_the_right_one() {
    for (variable, list) in [
        ("COUNTERSIGN__TOKENS__AUDIENCES", r#"["x","y"]"#),
        ("COUNTERSIGN__TOKENS__AUDIENCES", "['x', 'y']"),
        ("COUNTERSIGN__TOKENS__AUDIENCES", "[x]"),
        ("COUNTERSIGN__TOKENS__AUDIENCES", "x y"),
        ("COUNTERSIGN__TOKENS__AUDIENCES", "x;y"),
        ("COUNTERSIGN__TOKENS__AUDIENCES", "x,\u{7}"),
        ("COUNTERSIGN__TOKENS__SCOPES", r#"["x","y"]"#),
    ] {
        let problem = given().variables(&[(variable, list)]).problem();
        assert!(problem.contains(variable), "{problem}");
        assert!(
            problem.contains("separated by commas, as in a,b"),
            "{problem}"
        );
    }
    let problem = given().file("[tokens]\naudiences = ['x,y']").problem();
    assert!(problem.starts_with("tokens.audiences = "), "{problem}");
    let urls = "https://shop.example.com/api?v=1,urn:billing:x";
    let config = given().variables(&[("COUNTERSIGN__TOKENS__AUDIENCES", urls)]);
    assert_eq!(config.good().tokens.audiences.len(), 2);
}

#[test]
fn bounds_hold_on_both_sides() {
    for (good, bad) in [
        ("tokens.access_ttl=24h", "tokens.access_ttl=25h"),
        ("tokens.refresh_grace=5m", "tokens.refresh_grace=6m"),
        ("tokens.session_ttl=30d", "tokens.session_ttl=29d"),
        ("verification.code_digits=10", "verification.code_digits=11"),
        ("verification.code_tries=1", "verification.code_tries=0"),
        ("verification.code_ttl=30s", "verification.code_ttl=29s"),
        ("validation.poll_interval=5s", "validation.poll_interval=6s"),
        ("passwords.attempts=100", "passwords.attempts=101"),
        ("passwords.queue=2", "passwords.queue=1"),
        (
            "passwords.attempts_window=1m",
            "passwords.attempts_window=24h",
        ),
        (
            "server.max_connection_age=0s",
            "server.max_connection_age=1ms",
        ),
        (
            "metrics.listen=127.0.0.1:50052",
            "metrics.listen=127.0.0.1:50051",
        ),
        ("redis.url=rediss://redis", "redis.url=http://redis"),
        (
            "database.url=mysql://db/auth",
            "database.url=oracle://db/auth",
        ),
    ] {
        for (setting, is_good) in [(good, true), (bad, false)] {
            let (key, value) = setting.split_once('=').expect("a key and a value");
            let name = format!("COUNTERSIGN__{}", key.to_uppercase().replace('.', "__"));
            let loaded = given().variables(&[(&name, value)]).load();
            assert_eq!(loaded.is_ok(), is_good, "{setting}: {loaded:?}");
        }
    }
}

#[test]
fn a_value_that_cannot_be_read_sets_off_no_second_complaint() {
    let problems = given()
        .file("[tokens]\nsession_ttl = '1h'\nidle_ttl = 'long'")
        .problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].setting, "tokens.idle_ttl");
}

#[test]
fn a_secret_file_that_is_missing_is_named_with_its_variable() {
    let problem = given()
        .variables(&[("COUNTERSIGN__DATABASE__URL_FILE", "/nowhere/url")])
        .problem();
    assert!(
        problem.starts_with(
            "COUNTERSIGN__DATABASE__URL_FILE names the file /nowhere/url, which cannot be read"
        ),
        "{problem}"
    );
}

/// A secret that is missing where it was to come from must not mean the default: a
/// new database, or a new master key.
#[test]
fn a_secret_that_is_empty_is_refused() {
    for (variable, rule) in [
        ("COUNTERSIGN__DATABASE__URL", "must begin with sqlite:"),
        ("COUNTERSIGN__REDIS__URL", "must begin with redis://"),
        ("COUNTERSIGN__KEYS__MASTER_KEY", "32 bytes in base64"),
    ] {
        for content in ["", "\n", " "] {
            let mut in_file = given();
            let path = in_file.path("secret");
            fs::write(&path, content).expect("the file is written");
            let path = path.to_string_lossy().into_owned();
            let file = format!("{variable}_FILE");
            let of_file = in_file.variables(&[(&file, &path)]).problem();
            let of_variable = given().variables(&[(variable, content)]).problem();
            for (problem, origin) in [(of_file, &*file), (of_variable, variable)] {
                assert!(problem.contains(origin), "{problem}");
                assert!(problem.contains(rule), "{problem}");
            }
        }
    }
    let mut given = given();
    given.sources.flags.database_url = Some(ServiceUrl::new(String::new()));
    let problem = given.problem();
    assert!(problem.contains("the flag --database-url"), "{problem}");
}

/// A path that is missing must not mean plaintext, nor callers without certificates.
#[test]
fn a_file_of_tls_that_is_empty_is_refused() {
    for (key, variable) in [
        ("tls_certificate", "COUNTERSIGN__SERVER__TLS_CERTIFICATE"),
        ("tls_private_key", "COUNTERSIGN__SERVER__TLS_PRIVATE_KEY"),
        ("tls_client_ca", "COUNTERSIGN__SERVER__TLS_CLIENT_CA"),
    ] {
        let of_file = given().file(&format!("[server]\n{key} = ''")).problems();
        let of_variable = given().variables(&[(variable, "")]).problems();
        for problems in [of_file, of_variable] {
            let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
            let is_told = |text: &String| {
                text.contains(&format!("server.{key}")) && text.contains("path of a PEM file")
            };
            assert!(texts.iter().any(is_told), "{texts:?}");
        }
    }
}

#[test]
fn a_secret_is_set_in_one_way_only() {
    let problem = given()
        .variables(&[
            ("COUNTERSIGN__KEYS__MASTER_KEY", MASTER_KEY),
            ("COUNTERSIGN__KEYS__MASTER_KEY_FILE", "/nowhere/key"),
        ])
        .problem();
    assert!(
        problem.contains("together with COUNTERSIGN__KEYS__MASTER_KEY"),
        "{problem}"
    );
}

#[test]
fn authorities_of_clients_need_a_certificate_of_the_server() {
    let problems = given()
        .file("[server]\ntls_client_ca = 'ca.pem'")
        .problems();
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let told = "server.tls_certificate (the default) must be set too, as server.tls_client_ca is";
    assert_eq!(texts[0], told);
}
