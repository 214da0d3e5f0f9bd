//! The commands of operators on a SQLite database.

use std::time::Duration;

use countersign_domain::application::KeyKeeper;
use countersign_domain::model::{CallerName, KeyHash, Origin, Role};
use countersign_domain::ports::SigningKeys as _;
use countersign_domain::use_cases::{EnsureSigningKeys, NewCredential};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::{backup, callers, keys, migrate, open};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::system::{SystemClock, SystemRandom};

struct Operator {
    config: Config,
    _directory: TempDir,
}

impl Operator {
    fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let mut config = Config {
            data_dir: directory.path().join("data"),
            ..Config::default()
        };
        // So long a rotation waits for servers to read the next key.
        config.validation.feed_bound = Duration::from_secs(1);
        Self {
            config,
            _directory: directory,
        }
    }

    /// One who has run `migrate`.
    async fn migrated() -> Self {
        let operator = Self::new();
        migrate::execute(&operator.config, false, &mut Vec::new())
            .await
            .expect("migrated");
        operator
    }

    /// What the first start of a server does, once the tables are there.
    async fn serve_once(&self) {
        let data_dir = DataDir::open(&self.config.data_dir).expect("a data directory");
        let store = open::database(&self.config).await.expect("a database");
        let master_key = data_dir.master_key(None, false, &SystemRandom);
        let master_key = master_key.expect("a key");
        let keeper = KeyKeeper {
            store: &store,
            sealing: &master_key.signing_keys(),
            clock: &SystemClock::new(),
            random: &SystemRandom,
            algorithm: self.config.tokens.algorithm,
            origin: &Origin::server(),
        };
        EnsureSigningKeys
            .execute(keeper)
            .await
            .expect("signing keys");
    }

    async fn add(&self, name: &str, roles: &[Role]) -> Result<(String, String), Failure> {
        let (mut out, mut hints) = (Vec::new(), Vec::new());
        let name = CallerName::parse(name).expect("a name");
        let credential = NewCredential::Key { expires_in: None };
        callers::add(
            &self.config,
            name,
            roles.into(),
            credential,
            &mut out,
            &mut hints,
        )
        .await?;
        Ok((text(out), text(hints)))
    }

    async fn keys(&self) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        keys::list(&self.config, false, &mut out)
            .await
            .expect("a list");
        let rows = text(out);
        let cells = |row: &str| row.split_whitespace().map(String::from).collect();
        rows.lines().skip(1).map(cells).collect()
    }
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).expect("text")
}

#[tokio::test]
async fn migrating_is_checked_done_and_done_once() {
    let operator = Operator::new();
    let missing = migrate::execute(&operator.config, true, &mut Vec::new()).await;
    let missing = missing.expect_err("there is none to look at").to_string();
    assert!(missing.starts_with("there is no database "), "{missing}");
    assert!(!operator.config.data_dir.exists(), "nothing was made");

    std::fs::create_dir(&operator.config.data_dir).expect("made");
    let file = operator.config.data_dir.join("countersign.db");
    std::fs::write(&file, "").expect("an empty database");
    for (check, outcome, said) in [
        (true, Outcome::Lacking, "to do: m0001_create_tables"),
        (false, Outcome::Done, "done: m0001_create_tables"),
        (true, Outcome::Done, "the tables are up to date\n"),
        (false, Outcome::Done, "the tables are up to date\n"),
    ] {
        let mut out = Vec::new();
        let found = migrate::execute(&operator.config, check, &mut out).await;
        assert_eq!(found.expect("it works"), outcome);
        assert!(text(out).starts_with(said), "{said}");
    }
}

#[tokio::test]
async fn a_database_without_tables_is_refused_and_left_as_it_is() {
    let operator = Operator::new();
    std::fs::create_dir(&operator.config.data_dir).expect("made");
    let file = operator.config.data_dir.join("countersign.db");
    std::fs::write(&file, "").expect("an empty database");
    let error = operator.add("shop", &[Role::Service]).await;
    let error = error.expect_err("there are no tables").to_string();
    let told = format!(
        "the tables of the database {} are absent or not up to date (to do: m0001_create_tables, \
         m0002_create_caller_keys, m0003_create_caller_sans, m0004_create_factors, \
         m0005_add_passkeys, m0006_create_devices, m0007_add_authentication_times, \
         m0008_create_identifier_undos, m0009_index_outbox_by_kind, \
         m0010_add_enrolling_authentications, m0011_add_user_profiles, \
         m0012_create_groups, m0013_create_service_accounts, m0014_create_audit_events, \
         m0015_create_federated_identities); run \
         countersign migrate, or start the server once, with the same configuration; --data-dir or \
         --config names another",
        file.display()
    );
    assert_eq!(error, told);
    assert_eq!(std::fs::metadata(&file).expect("it is there").len(), 0);
}

#[tokio::test]
async fn a_key_that_cannot_be_written_is_told_of() {
    /// A disk without room.
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let operator = Operator::migrated().await;
    let name = CallerName::parse("shop").expect("a name");
    let key = NewCredential::Key { expires_in: None };
    let roles = vec![Role::Service];
    let (out, hints) = (&mut Full, &mut Vec::new());
    let added = callers::add(&operator.config, name, roles, key, out, hints);
    let told = added.await.expect_err("nobody has the key").to_string();
    assert!(told.contains("of shop could not be written"), "{told}");
    assert!(told.contains("good all the same"), "{told}");
}

#[tokio::test]
async fn a_caller_is_added_listed_and_removed() {
    let operator = Operator::migrated().await;
    let roles = [Role::Service, Role::Gateway, Role::Service];
    let (key, hints) = operator.add("shop", &roles).await.expect("a key");
    assert!(key.starts_with("csk_") && key.lines().count() == 1, "{key}");
    assert!(hints.contains("authorization: Bearer"), "{hints}");
    assert!(!hints.contains(key.trim()), "{hints}");

    let mut out = Vec::new();
    callers::list(&operator.config, false, &mut out, &mut Vec::new())
        .await
        .expect("a list");
    let list = text(out);
    let row: Vec<_> = list
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let &["shop", "gateway,service", key_id, created, "-", "-", "-"] = &row[..] else {
        panic!("{list}");
    };
    assert_eq!(key_id, KeyHash::of(key.trim()).id().to_string());
    assert!(
        created.starts_with("20") && created.ends_with('Z'),
        "{list}"
    );

    let name = CallerName::parse("shop").expect("a name");
    let mut out = Vec::new();
    callers::remove(&operator.config, &name, &mut out)
        .await
        .expect("removed");
    assert_eq!(text(out), "removed shop\n");
    let again = callers::remove(&operator.config, &name, &mut Vec::new()).await;
    let again = again.expect_err("it is gone").to_string();
    assert!(again.starts_with("there is no caller shop"), "{again}");
}

#[tokio::test]
async fn lists_are_there_for_programs_too() {
    let operator = Operator::migrated().await;
    operator.serve_once().await;
    let roles = [Role::Service, Role::Gateway];
    operator.add("shop", &roles).await.expect("a key");
    let read = |out: Vec<u8>| -> Value { serde_json::from_slice(&out).expect("JSON") };

    let mut out = Vec::new();
    let listed = callers::list(&operator.config, true, &mut out, &mut Vec::new()).await;
    listed.expect("a list");
    let shop = &read(out)[0];
    assert_eq!(shop["name"], "shop");
    assert_eq!(shop["roles"], json!(["gateway", "service"]));
    assert!(shop["created"].as_str().is_some_and(|c| c.ends_with('Z')));

    let mut out = Vec::new();
    let listed = keys::list(&operator.config, true, &mut out).await;
    listed.expect("a list");
    let (keys, table) = (read(out), operator.keys().await);
    for (key, row) in keys.as_array().expect("a list").iter().zip(&table) {
        assert_eq!(key["kid"], row[0].as_str());
        assert_eq!(key["algorithm"], row[1].as_str());
        assert_eq!(key["state"], row[2].as_str());
        assert_eq!(key["created"], row[3].as_str());
        assert_eq!((&key["expires"], row[4].as_str()), (&Value::Null, "-"));
    }
    assert_eq!(table.len(), 2);
}

#[tokio::test]
async fn two_callers_do_not_share_a_name() {
    let operator = Operator::migrated().await;
    operator.add("shop", &[Role::Service]).await.expect("a key");
    let error = operator.add("shop", &[Role::Service]).await;
    let error = error.expect_err("the name is taken").to_string();
    assert!(
        error.starts_with("there is a caller shop already"),
        "{error}"
    );
}

#[tokio::test]
async fn keys_are_listed_rotated_and_revoked_beside_a_server() {
    let operator = Operator::migrated().await;
    operator.serve_once().await;
    let _server = DataDir::open(&operator.config.data_dir).expect("a server has the lock");
    let before = operator.keys().await;
    assert_eq!(before.len(), 2, "{before:?}");
    assert_eq!([&before[0][2], &before[1][2]], ["active", "next"]);

    let mut out = Vec::new();
    keys::rotate(&operator.config, &mut out, &mut Vec::new())
        .await
        .expect("rotated");
    let rotated = operator.keys().await;
    assert_eq!(rotated.len(), 3, "{rotated:?}");
    assert_eq!(rotated[0][0], before[1][0], "the next key signs");
    assert_eq!(rotated[2][0], before[0][0], "the active key is retired");
    assert_eq!(rotated[2][2], "retired");
    assert_ne!(rotated[2][4], "-", "it has a last day");

    let kid = rotated[0][0].clone();
    keys::revoke(&operator.config, kid.clone(), &mut Vec::new())
        .await
        .expect("revoked");
    let revoked = operator.keys().await;
    assert!(revoked.iter().all(|key| key[0] != kid), "{revoked:?}");
    assert_eq!(revoked[0][0], rotated[1][0], "the next key has taken over");

    let again = keys::revoke(&operator.config, kid, &mut Vec::new()).await;
    let again = again.expect_err("it is gone").to_string();
    assert!(again.starts_with("there is no signing key"), "{again}");
}

#[tokio::test]
async fn a_backup_is_made_once_and_can_be_served() {
    let operator = Operator::migrated().await;
    operator.serve_once().await;
    operator.add("shop", &[Role::Service]).await.expect("a key");
    let file = operator.config.data_dir.join("backup.db");
    let mut out = Vec::new();
    backup::execute(&operator.config, &file, &mut out)
        .await
        .expect("copied");
    assert!(text(out).contains("backup.db"));
    let again = backup::execute(&operator.config, &file, &mut Vec::new()).await;
    let again = again.expect_err("it is there").to_string();
    assert!(again.contains("backup.db"), "{again}");

    std::fs::rename(&file, operator.config.data_dir.join("countersign.db")).expect("restored");
    let mut out = Vec::new();
    callers::list(&operator.config, false, &mut out, &mut Vec::new())
        .await
        .expect("a list");
    assert!(text(out).contains("shop"));
}

#[tokio::test]
async fn keys_are_not_rotated_before_there_are_any() {
    let operator = Operator::migrated().await;
    let error = keys::rotate(&operator.config, &mut Vec::new(), &mut Vec::new()).await;
    let error = error.expect_err("there are no keys").to_string();
    assert!(
        error.starts_with("there are no signing keys yet"),
        "{error}"
    );
}

#[tokio::test]
async fn keys_are_not_changed_under_another_master_key() {
    let operator = Operator::migrated().await;
    operator.serve_once().await;
    let store = open::database(&operator.config).await.expect("a database");
    let before = store.signing_keys().await.expect("keys");
    std::fs::remove_file(operator.config.data_dir.join("master.key")).expect("removed");
    let missing = keys::rotate(&operator.config, &mut Vec::new(), &mut Vec::new()).await;
    let missing = missing.expect_err("no master key").to_string();
    assert!(
        missing.contains("COUNTERSIGN__KEYS__MASTER_KEY"),
        "{missing}"
    );

    let data_dir = DataDir::open(&operator.config.data_dir).expect("a data directory");
    data_dir
        .master_key(None, false, &SystemRandom)
        .expect("another key");
    let wrong = keys::rotate(&operator.config, &mut Vec::new(), &mut Vec::new()).await;
    let wrong = wrong.expect_err("another master key").to_string();
    assert!(
        wrong.contains("bring the master key of this database"),
        "{wrong}"
    );
    let after = store.signing_keys().await.expect("keys");
    assert_eq!(before.len(), after.len());
}
