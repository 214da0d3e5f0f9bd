//! Where values come from, what is refused and in which words, and what is
//! written back.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use countersign_domain::model::Phone;
use tempfile::TempDir;

use super::*;

const MASTER_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// What a start is given.
#[derive(Default)]
struct Given {
    sources: Sources,
    directory: Option<TempDir>,
}

impl Given {
    fn file(mut self, text: &str) -> Self {
        let path = self.path("countersign.toml");
        fs::write(&path, text).expect("the file is written");
        self.sources.file = Some(path);
        self
    }

    fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        let pairs = variables.iter().copied();
        self.sources.environment = pairs
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        self
    }

    fn path(&mut self, name: &str) -> PathBuf {
        let directory = self
            .directory
            .get_or_insert_with(|| TempDir::new().expect("a temporary directory"));
        directory.path().join(name)
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.sources)
    }

    fn good(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    fn problems(&self) -> Vec<Problem> {
        match self.load() {
            Err(ConfigError::Settings(problems)) => problems,
            other => panic!("not a list of problems: {other:?}"),
        }
    }

    fn problem(&self) -> String {
        let problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    }
}

fn given() -> Given {
    Given::default()
}

#[test]
fn nothing_needs_to_be_set() {
    let config = given().good();
    assert_eq!(config, Config::default());
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
        database_url: Some("postgres://db/auth".into()),
        redis_url: Some("redis://redis".into()),
        log_format: Some("json".into()),
    };
    let config = given.good();
    assert_eq!(config.data_dir, PathBuf::from("/srv/data"));
    assert_eq!(config.server.listen.to_string(), "[::1]:1");
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
            ("COUNTERSIGN__REDIS__URL", ""),
            ("COUNTERSIGN_CONFIG", ""),
            ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
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
    assert_eq!(config.redis.url, None);
}

#[test]
fn the_environment_may_name_the_file() {
    let mut given = given();
    let path = given.path("other.toml");
    fs::write(&path, "[users]\npending_ttl = '1h'").expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    let config = given.variables(&[("COUNTERSIGN_CONFIG", &path)]).good();
    assert_eq!(config.users.pending_ttl, Duration::from_secs(3_600));
}

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
    has("is not a setting; there are data_dir, database, identifiers, keys");
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
        ("COUNTERSIGN__LISTEN", "there are data_dir, database"),
        ("COUNTERSIGN__COLOUR_FILE", "there are data_dir, database"),
    ] {
        let problem = given().variables(&[(variable, "s3cret")]).problem();
        assert!(problem.starts_with(variable), "{problem}");
        assert!(problem.contains(rule), "{problem}");
        assert!(!problem.contains("s3cret"), "{problem}");
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
fn a_secret_may_come_from_a_file() {
    let mut given = given();
    let path = given.path("master-key");
    fs::write(&path, format!("{MASTER_KEY}\n")).expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    let config = given
        .variables(&[("COUNTERSIGN__KEYS__MASTER_KEY_FILE", &path)])
        .good();
    let key = config.keys.master_key.expect("a master key");
    assert_eq!(key.expose(), MASTER_KEY);
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
fn no_secret_is_shown_anywhere() {
    let secrets = [
        (
            "COUNTERSIGN__DATABASE__URL",
            "postgres://ann:s3cret@db/auth",
        ),
        ("COUNTERSIGN__REDIS__URL", "rediss://:s3cret@redis"),
        ("COUNTERSIGN__KEYS__MASTER_KEY", MASTER_KEY),
    ];
    let given = given().variables(&secrets);
    let config = given.good();
    for shown in [
        config.to_toml(),
        format!("{config:?}"),
        format!("{:?}", given.sources),
    ] {
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(!shown.contains(MASTER_KEY), "{shown}");
    }
    assert!(config.to_toml().contains("postgres://ann:********@db/auth"));
    assert!(config.to_toml().contains("master_key = \"********\""));

    let wrong = [
        ("COUNTERSIGN__DATABASE__URL", "oracle://ann:s3cret@db/auth"),
        ("COUNTERSIGN__REDIS__URL", "s3cret"),
        ("COUNTERSIGN__KEYS__MASTER_KEY", "s3cret"),
    ];
    let problems = Given::default().variables(&wrong).problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(!format!("{problems:?}").contains("s3cret"), "{problems:?}");
    let in_file = Given::default()
        .file("[keys]\nmaster_key = 777123\n[redis]\nurl = ['s3cret']")
        .problems();
    assert_eq!(in_file.len(), 2, "{in_file:?}");
    assert!(!format!("{in_file:?}").contains("777123"), "{in_file:?}");
    assert!(!format!("{in_file:?}").contains("s3cret"), "{in_file:?}");
}

#[test]
fn what_is_written_is_read_back_unchanged() {
    let original = given()
        .file("[server]\nrequest_timeout = '1500ms'\n[metrics]\nlisten = ''\n[tokens]\nscopes = ['a', 'b']\n[redis]\nurl = 'redis://r'")
        .good();
    let written = original.to_toml();
    let again = Given::default().file(&written).good();
    assert_eq!(again.to_toml(), written);
    let expected = Config {
        database: DatabaseConfig {
            url: Some(original.database_url()),
            ..original.database.clone()
        },
        ..original
    };
    assert_eq!(again, expected);
}

#[test]
fn the_settings_of_the_domain_are_those_of_the_configuration() {
    let config = given()
        .file("[passwords]\nattempts_window = '30m'\n[identifiers]\ndefault_region = 'US'\n[validation]\nfeed_bound = '7s'")
        .good();
    let settings = config.settings();
    assert_eq!(
        settings.source_attempts[0],
        (10, Duration::from_secs(1_800))
    );
    assert_eq!(
        settings.source_attempts[1],
        (50, Duration::from_secs(86_400))
    );
    assert_eq!(settings.tokens.feed_bound, Duration::from_secs(7));
    let phone = Phone::parse("650-253-0000", settings.region).expect("a number at home");
    assert_eq!(phone.as_str(), "+16502530000");
}

#[test]
fn the_hashing_queue_is_shared_out_among_the_threads() {
    let config = given().file("[passwords]\nthreads = 3\nqueue = 64").good();
    let pool = config.passwords.pool();
    assert_eq!(pool.workers.get(), 3);
    assert_eq!(pool.queue_per_worker.get(), 22);
}
