//! What the configuration becomes: TOML without secrets, and the settings of others.

use std::time::Duration;

use countersign_domain::model::Phone;

use super::*;

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
    let mut given = given().variables(&secrets);
    given.sources.flags.redis_url = Some(ServiceUrl::new("redis://:s3cret@redis".into()));
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
    assert_same(&again, &expected);
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
fn the_hashing_queue_is_as_long_as_it_says_for_all_threads_together() {
    let config = given().file("[passwords]\nthreads = 3\nqueue = 64").good();
    let pool = config.passwords.pool();
    assert_eq!(pool.workers.get(), 3);
    assert_eq!(pool.queue.get(), 64);
}
