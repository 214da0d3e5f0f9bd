//! A server that cannot serve says why in one clear message, and does not start.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign_tests::{Backend, Finished, World, on_a_backend, on_every_shared_backend, run};
use tempfile::TempDir;
use tokio::net::TcpListener;

on_every_shared_backend!(a_database_with_another_master_key_is_refused);

#[test]
fn a_second_server_on_the_same_data_directory_is_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let second = world.replica(0).run(&["serve"]).await;
        assert_refused(
            &second,
            &["another countersign serves", "data-0", "--data-dir"],
        );
        assert_eq!(
            world.gateway().judge("garbage").await,
            "MALFORMED",
            "the first serves on"
        );
    });
}

#[test]
fn a_missing_database_is_named() {
    on_a_backend(Backend::Sqlite, async |_| {
        for (variable, url, words) in [
            (
                "COUNTERSIGN__DATABASE__URL",
                "postgres://ann:s3cret@127.0.0.1:1/auth",
                "auth at 127.0.0.1:1",
            ),
            (
                "COUNTERSIGN__DATABASE__URL",
                "mysql://ann:s3cret@127.0.0.1:1/auth",
                "auth at 127.0.0.1:1",
            ),
            (
                "COUNTERSIGN__DATABASE__URL",
                "sqlite:///nowhere/at/all.db?mode=rwc",
                "/nowhere/at/all.db",
            ),
            (
                "COUNTERSIGN__REDIS__URL",
                "redis://:s3cret@127.0.0.1:1",
                "127.0.0.1:1",
            ),
        ] {
            let directory = TempDir::new().expect("a directory");
            let refused = start(directory.path(), &[(variable, url)]).await;
            assert_ended(69, &refused, &[words]);
            assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
        }
    });
}

/// A new database, open to this machine, would be worse.
#[test]
fn an_empty_secret_starts_nothing() {
    on_a_backend(Backend::Sqlite, async |_| {
        for variable in [
            "COUNTERSIGN__DATABASE__URL",
            "COUNTERSIGN__REDIS__URL",
            "COUNTERSIGN__KEYS__MASTER_KEY",
        ] {
            let directory = TempDir::new().expect("a directory");
            let file = directory.path().join("secret");
            fs::write(&file, "").expect("written");
            let (of_file, file) = (format!("{variable}_FILE"), file.display().to_string());
            for setting in [(variable, ""), (&of_file, &file)] {
                let checked = run(directory.path(), &["config", "check"], &[setting]).await;
                for refused in [start(directory.path(), &[setting]).await, checked] {
                    assert_ended(78, &refused, &[setting.0]);
                }
            }
            assert!(!directory.path().join("countersign-data").exists());
        }
    });
}

#[test]
fn a_damaged_or_exposed_master_key_file_is_named() {
    on_a_backend(Backend::Sqlite, async |_| {
        let directory = TempDir::new().expect("a directory");
        let made = start_and_stop(directory.path()).await;
        assert_eq!(made.code, 0, "{}", made.stderr);
        let file = directory.path().join("countersign-data/master.key");
        let good = fs::read(&file).expect("it was made at the first start");

        fs::write(&file, &good[..20]).expect("written");
        assert_refused(
            &start(directory.path(), &[]).await,
            &["master.key", "damaged"],
        );

        fs::write(&file, &good).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
        assert_refused(
            &start(directory.path(), &[]).await,
            &["master.key", "chmod 600"],
        );

        fs::remove_file(&file).expect("removed");
        let refused = start(directory.path(), &[]).await;
        assert_refused(&refused, &["master.key", "COUNTERSIGN__KEYS__MASTER_KEY"]);
        assert!(!file.exists(), "no new key for an old database");
    });
}

async fn a_database_with_another_master_key_is_refused(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let enrolled = mina.enroll(&mina.sign_in().await).await;
    let asked = mina.begin_sign_in().await.expect("a question");
    let other_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let settings = [
        ("COUNTERSIGN__DATABASE__URL", world.database_url()),
        ("COUNTERSIGN__KEYS__MASTER_KEY", other_key),
    ];
    let directory = TempDir::new().expect("a directory");
    let refused = start(directory.path(), &settings).await;
    assert_refused(&refused, &["signing key", "master key of this database"]);
    assert!(!refused.stderr.contains(other_key));
    // It has judged nobody's factors by a key that cannot open them.
    let code = enrolled.app.code();
    let answered = mina.answer(&asked.mfa_session_id, &code).await;
    answered.expect("signed in");
}

#[test]
fn unknown_and_wrong_settings_are_named_all_at_once() {
    on_a_backend(Backend::Sqlite, async |_| {
        let directory = TempDir::new().expect("a directory");
        let file = directory.path().join("countersign.toml");
        fs::write(
            &file,
            "[tokens]\nacces_ttl = \"5m\"\n[passwords]\niterations = 0\n",
        )
        .expect("written");
        let settings = [
            ("COUNTERSIGN__TOKENS__LEEWEY", "5s"),
            ("COUNTERSIGN__VERIFICATION__CODE_DIGITS", "99"),
        ];
        let mut arguments = vec!["serve", "--config"];
        let path = file.display().to_string();
        arguments.push(&path);
        let refused = run(directory.path(), &arguments, &settings).await;
        let words = [
            "tokens.acces_ttl",
            "passwords.iterations",
            "COUNTERSIGN__TOKENS__LEEWEY",
            "verification.code_digits",
            "countersign.toml",
        ];
        assert_ended(78, &refused, &words);

        let missing = run(directory.path(), &["--config", "not-there.toml"], &[]).await;
        assert_ended(78, &missing, &["not-there.toml"]);
    });
}

#[test]
fn a_changed_algorithm_that_no_key_signs_with_yet_is_warned_of() {
    on_a_backend(Backend::Sqlite, async |_| {
        let directory = TempDir::new().expect("a directory");
        for (algorithm, rotates, is_warned_of) in [
            ("EdDSA", false, false),
            ("ES256", false, true),
            ("ES256", true, false),
        ] {
            let changed = [
                ("COUNTERSIGN__TOKENS__ALGORITHM", algorithm),
                ("COUNTERSIGN__VALIDATION__FEED_BOUND", "2s"),
                // It stops once it knows its keys.
                ("COUNTERSIGN__SERVER__LISTEN", "0.0.0.0:0"),
            ];
            if rotates {
                let rotated = run(directory.path(), &["keys", "rotate"], &changed).await;
                assert_eq!(rotated.code, 0, "{}", rotated.stderr);
            }
            let started = start(directory.path(), &changed).await;
            assert_refused(&started, &["no caller is known"]);
            let words = "the key that signs is of another algorithm than tokens.algorithm";
            let is_said = started.stderr.contains(words);
            assert_eq!(is_said, is_warned_of, "{algorithm}: {}", started.stderr);
        }
    });
}

#[test]
fn a_taken_port_is_named() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let address = world.replica(0).address().to_string();
        let directory = TempDir::new().expect("a directory");
        let refused = start(
            directory.path(),
            &[("COUNTERSIGN__SERVER__LISTEN", &address)],
        )
        .await;
        assert_refused(&refused, &[&address]);

        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = taken.local_addr().expect("an address").to_string();
        let refused = start(
            directory.path(),
            &[("COUNTERSIGN__METRICS__LISTEN", &address)],
        )
        .await;
        assert_refused(&refused, &[&address, "metrics.listen"]);
    });
}

/// Starts a server that must not start.
async fn start(directory: &Path, settings: &[(&str, &str)]) -> Finished {
    let quiet = [
        ("COUNTERSIGN__METRICS__LISTEN", ""),
        ("COUNTERSIGN__SERVER__LISTEN", "127.0.0.1:0"),
    ];
    let named = |name: &str| settings.iter().any(|(set, _)| *set == name);
    let defaults = quiet.iter().filter(|(name, _)| !named(name));
    let all: Vec<_> = defaults.chain(settings).copied().collect();
    run(directory, &[], &all).await
}

/// Makes the data directory as a first start does: `keys list` alone makes no
/// key, so a server starts and is turned away by its listen address after it.
async fn start_and_stop(directory: &Path) -> Finished {
    let refused = start(directory, &[("COUNTERSIGN__SERVER__LISTEN", "0.0.0.0:0")]).await;
    assert_refused(&refused, &["no caller is known"]);
    run(directory, &["keys", "list"], &[]).await
}

fn assert_refused(finished: &Finished, words: &[&str]) {
    assert_ended(1, finished, words);
}

fn assert_ended(code: i32, finished: &Finished, words: &[&str]) {
    assert_eq!(finished.code, code, "{}", finished.stderr);
    for word in words {
        assert!(
            finished.stderr.contains(word),
            "{word} in {}",
            finished.stderr
        );
    }
    // In one sentence, or as a line of a log that is JSON.
    let is_told = ["countersign: ", "\"level\":\"ERROR\""];
    assert!(
        is_told.iter().any(|told| finished.stderr.contains(told)),
        "{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}
