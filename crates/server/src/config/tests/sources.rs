//! Where values come from, and which of several wins.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;

#[test]
fn nothing_needs_to_be_set() {
    let config = given().good();
    assert_same(&config, &Config::default());
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(config.passwords.memory_kib, 19_456);
    assert_eq!(
        config.database_url().expose(),
        "sqlite://countersign-data/countersign.db?mode=rwc"
    );
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let mut given = given()
        .file("[server]\nlisten = '127.0.0.1:1001'\ncores = 1\n[log]\nformat = 'json'\n[tokens]\naccess_ttl = '1m'")
        .variables(&[
            ("COUNTERSIGN__SERVER__LISTEN", "127.0.0.1:1002"),
            ("COUNTERSIGN__SERVER__CORES", "2"),
        ]);
    given.sources.flags.listen = Some("127.0.0.1:1003".into());
    let config = given.good();
    assert_eq!(config.server.listen.port(), 1003);
    assert_eq!(config.server.cores, 2);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.tokens.access_ttl, Duration::from_secs(60));
    assert_eq!(config.tokens.idle_ttl, Config::default().tokens.idle_ttl);
}

#[test]
fn every_flag_sets_its_setting() {
    let mut given = given();
    given.sources.flags = Flags {
        data_dir: Some("/srv/data".into()),
        listen: Some("[::1]:1".into()),
        http: Some("[::1]:2".into()),
        database_url: Some(ServiceUrl::new("postgres://db/auth".into())),
        redis_url: Some(ServiceUrl::new("redis://redis".into())),
        log_format: Some("json".into()),
    };
    let config = given.good();
    assert_eq!(config.data_dir, PathBuf::from("/srv/data"));
    assert_eq!(config.server.listen.to_string(), "[::1]:1");
    assert_eq!(config.gateway.listen.to_string(), "[::1]:2");
    assert_eq!(config.database_url().expose(), "postgres://db/auth");
    assert_eq!(
        config.redis.url.map(|url| url.expose().to_owned()),
        Some("redis://redis".into())
    );
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn a_variable_is_read_as_the_kind_of_its_setting() {
    let config = given()
        .variables(&[
            ("COUNTERSIGN__DATA_DIR", "/var/lib/countersign"),
            ("COUNTERSIGN__DATABASE__MIGRATE", "false"),
            ("COUNTERSIGN__TOKENS__ISSUER", "12345"),
            ("COUNTERSIGN__TOKENS__AUDIENCES", "shop, billing"),
            ("COUNTERSIGN__TOKENS__SCOPES", "profile,orders:read"),
            ("COUNTERSIGN__TOKENS__ALGORITHM", "ES256"),
            ("COUNTERSIGN__METRICS__LISTEN", ""),
            ("COUNTERSIGN_CONFIG", ""),
            ("PATH", "/bin"),
        ])
        .good();
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/countersign"));
    assert!(!config.database.migrate);
    assert_eq!(config.tokens.issuer, "12345");
    assert_eq!(config.tokens.audiences, ["shop", "billing"]);
    let scopes: Vec<_> = config
        .tokens
        .scopes
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(scopes, ["profile", "orders:read"]);
    assert_eq!(config.metrics.listen, None);
}

#[test]
fn variables_of_others_are_left_alone() {
    let config = given().variables(&[
        ("COUNTERSIGN_API_KEY", "csk_s3cret"),
        ("COUNTERSIGN_TEST_POSTGRES", "postgres://localhost/test"),
        ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
        ("COUNTERSIGN_SERVICE_PORT", "50051"),
        ("COUNTERSIGN_SERVICE_PORT_GRPC", "50051"),
        ("COUNTERSIGN_PORT", "tcp://10.0.0.1:50051"),
        ("COUNTERSIGN_PORT_50051_TCP_ADDR", "10.0.0.1"),
        ("COUNTERSIGN_DATABASE_SERVICE_HOST", "10.0.0.2"),
        ("COUNTERSIGN_DATABASE_PORT_5432_TCP", "tcp://10.0.0.2:5432"),
    ]);
    assert_same(&config.good(), &Config::default());
}

#[test]
fn the_environment_may_name_the_file() {
    let mut given = given();
    let path = given.path("other.toml");
    fs::write(&path, "[verification]\nproof_ttl = '30m'").expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    let config = given.variables(&[("COUNTERSIGN_CONFIG", &path)]).good();
    assert_eq!(config.verification.proof_ttl, Duration::from_secs(1_800));
}

#[test]
fn a_secret_may_come_from_a_file() {
    let mut given = given();
    let path = given.path("master-key");
    fs::write(&path, format!("{MASTER_KEY}\n")).expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    let config = given
        .variables(&[("COUNTERSIGN__KEYS__MASTER_KEY_FILE", &path)])
        .good();
    let key = config.keys.master_key.expect("a master key");
    assert_eq!(key.expose_secret(), MASTER_KEY);
}
