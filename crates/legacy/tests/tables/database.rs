//! Databases of the tests' own on each server, and users of them that may only read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_domain::model::Region;
use countersign_domain::testing::HandClock;
use countersign_legacy::{Columns, LegacySettings, SqlUsers};
use sea_orm::{ConnectionTrait as _, Statement};

/// A database, dropped by [`Database::drop_it`].
pub(crate) struct Database {
    pub(crate) backend: Backend,
    /// With all privileges.
    pub(crate) admin: String,
    /// With SELECT alone, where there are users.
    pub(crate) reader: String,
    name: String,
    _directory: Option<tempfile::TempDir>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Postgres,
    MariaDb,
    Sqlite,
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::MariaDb, Self::Sqlite];

    fn server(self) -> Option<String> {
        let (variable, default) = match self {
            Self::Postgres => (
                "COUNTERSIGN_TEST_POSTGRES",
                "postgres://root@127.0.0.1:5432/test",
            ),
            Self::MariaDb => (
                "COUNTERSIGN_TEST_MARIADB",
                "mysql://root@127.0.0.1:3306/test",
            ),
            Self::Sqlite => return None,
        };
        Some(self::variable(variable).unwrap_or_else(|| default.into()))
    }
}

impl Database {
    /// A new database. `None` if its server is not there and the tests may do without.
    pub(crate) async fn new(backend: Backend) -> Option<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign_legacy_{}_{number}", std::process::id());
        let Some(server) = backend.server() else {
            let directory = tempfile::tempdir().expect("a directory");
            let url = format!("sqlite://{}/old.db", directory.path().display());
            return Some(Self {
                backend,
                admin: format!("{url}?mode=rwc"),
                reader: url,
                name,
                _directory: Some(directory),
            });
        };
        if let Err(error) = sea_orm::Database::connect(&server).await {
            let required = variable("CI").is_some_and(|ci| ci == "true");
            assert!(!required, "{backend:?}: {error}");
            println!("skipped: {backend:?} is not reachable: {error}");
            return None;
        }
        run(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        let (scheme, rest) = base.split_once("://").expect("a URL");
        let (_, host) = rest.rsplit_once('@').expect("a URL with a user");
        let admin = format!("{base}/{name}");
        match backend {
            Backend::Postgres => {
                run(&server, &format!("CREATE USER {name} PASSWORD 'reader'")).await;
                let grant = format!(
                    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {name}; \
                     CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO {name}"
                );
                run(&admin, &grant).await;
            }
            _ => {
                // A name of a user has at most 32 letters in MySQL.
                run(
                    &server,
                    &format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'reader'"),
                )
                .await;
                run(
                    &server,
                    &format!("GRANT SELECT ON {name}.* TO '{name}'@'%'"),
                )
                .await;
            }
        }
        Some(Self {
            backend,
            reader: format!("{scheme}://{name}:reader@{host}/{name}"),
            admin,
            name,
            _directory: None,
        })
    }

    /// Runs SQL as the one that may write.
    pub(crate) async fn run(&self, sql: &str) {
        run(&self.admin, sql).await;
    }

    /// What a query finds, as one text.
    pub(crate) async fn text(&self, query: &str) -> String {
        let other = sea_orm::Database::connect(&self.admin).await.expect("it");
        let query = Statement::from_string(other.get_database_backend(), query);
        let rows = other.query_all_raw(query).await.expect("an answer");
        let text = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0).expect("a text");
        let all = rows.iter().map(text).collect::<Vec<_>>().join("\n");
        other.close().await.expect("closed");
        all
    }

    /// The users of a table, read by the one that may only read.
    pub(crate) fn users(&self, table: &str, columns: Columns) -> SqlUsers {
        users_at(&self.reader, table, columns, &Arc::default())
    }

    pub(crate) async fn drop_it(self) {
        let Some(server) = self.backend.server() else {
            return;
        };
        let name = &self.name;
        match self.backend {
            Backend::Postgres => {
                run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
                run(&server, &format!("DROP USER {name}")).await;
            }
            _ => {
                run(&server, &format!("DROP DATABASE {name}")).await;
                run(&server, &format!("DROP USER '{name}'@'%'")).await;
            }
        }
    }
}

pub(crate) fn users_at(
    url: &str,
    table: &str,
    columns: Columns,
    clock: &Arc<HandClock>,
) -> SqlUsers {
    let settings = LegacySettings {
        url: url.to_owned().into(),
        table: table.into(),
        columns,
        region: Region::KOREA,
    };
    SqlUsers::new(&settings, Arc::clone(clock) as _).expect("good settings")
}

async fn run(url: &str, sql: &str) {
    let other = sea_orm::Database::connect(url).await.expect("a database");
    let done = other.execute_unprepared(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    other.close().await.expect("closed");
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration but the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
