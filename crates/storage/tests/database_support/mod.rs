//! Databases of the tests' own on a server, and what both servers must bear.

mod line;
mod trouble;

use std::path::Path;
use std::sync::Arc;

use countersign_domain::model::{GroupId, Timestamp, User, UserId};
use countersign_domain::ports::{Store as _, StoreError};
use countersign_domain::testing::SeededRandom;
use countersign_domain::testing::store_laws::StoreSubject;
use countersign_storage::{Database, DatabaseSettings};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use tokio::sync::OnceCell;

pub(crate) use self::trouble::*;
use crate::support;

const PREFIX: &str = "countersign_test_";

/// A kind of server.
pub(crate) struct Server {
    pub name: &'static str,
    pub backend: DbBackend,
    /// The variable that tells its URL, and the URL without it.
    pub variable: &'static str,
    pub default: &'static str,
    /// What follows `CREATE DATABASE name`.
    pub creation: &'static str,
    /// Asks for the names of all databases.
    pub databases: &'static str,
    /// Ends all connections to the database `{}` but this one.
    pub end_connections: &'static str,
    /// The database of all laws of this run.
    pub laws: OnceCell<Option<String>>,
}

impl Server {
    /// A store for a law, in a database that all laws share.
    pub(crate) async fn law(&self) -> Option<StoreSubject> {
        let make = async || {
            let url = self.new_database("laws").await?;
            let store = connect(&url, 2).await;
            store.migrate().await.expect("migrated");
            store.close().await;
            Some(url)
        };
        let url = self.laws.get_or_init(make).await.clone()?;
        let store = connect(&url, 8).await;
        Some(StoreSubject::new(Arc::new(store), ()))
    }

    /// The URL of a new, empty database. `None` if there is no server and the
    /// tests may do without.
    pub(crate) async fn new_database(&self, label: &str) -> Option<String> {
        let url = support::service_url(self.variable, self.default);
        let admin = match sea_orm::Database::connect(&url).await {
            Ok(admin) => admin,
            Err(error) => {
                assert!(!support::services_required(), "{}: {error}", self.name);
                support::skip(&format!("{} is not reachable at {url}: {error}", self.name));
                return None;
            }
        };
        self.drop_leftovers(&admin).await;
        let name = format!("{PREFIX}{}_{label}", std::process::id());
        let create = format!("CREATE DATABASE {name} {}", self.creation);
        admin
            .execute_unprepared(&create)
            .await
            .expect("a new database");
        admin.close().await.expect("closed");
        let (server, _) = url.rsplit_once('/').expect("a URL with a database");
        Some(format!("{server}/{name}"))
    }

    /// Drops what earlier runs left behind, as far as their processes are gone.
    async fn drop_leftovers(&self, admin: &DatabaseConnection) {
        let list = Statement::from_string(self.backend, self.databases);
        for row in admin.query_all_raw(list).await.expect("a list") {
            let name: String = row.try_get_by_index(0).expect("a name");
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let process = rest.split('_').next().unwrap_or_default();
            let can_tell = Path::new("/proc/self").exists();
            if can_tell && !Path::new("/proc").join(process).exists() {
                // Another test may be faster.
                admin
                    .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}"))
                    .await
                    .ok();
            }
        }
    }

    /// Has the server end all connections to a database.
    pub(crate) async fn end_connections(&self, url: &str) {
        let (_, name) = url.rsplit_once('/').expect("a URL with a database");
        let admin = support::service_url(self.variable, self.default);
        let admin = sea_orm::Database::connect(&admin)
            .await
            .expect("the server");
        let end = self.end_connections.replace("{}", name);
        let end = Statement::from_string(self.backend, end);
        for row in admin.query_all_raw(end).await.expect("ended") {
            // MySQL only tells whom to end.
            if let Ok(id) = row.try_get_by_index::<i64>(0) {
                let kill = format!("KILL {id}");
                admin.execute_unprepared(&kill).await.expect("killed");
            }
        }
        admin.close().await.expect("closed");
    }
}

/// Opens a database with short times.
pub(crate) async fn connect(url: &str, max_connections: u32) -> Database {
    let settings = DatabaseSettings {
        max_connections,
        ..DatabaseSettings::new(url)
    };
    Database::connect(&settings).await.expect("a database")
}

/// A user that is in no database yet.
pub(crate) fn new_user(seed: u64) -> User {
    let now = Timestamp::from_seconds(1_790_000_000);
    let id = UserId::generate(now, &SeededRandom::new(seed));
    User::active(id, GroupId::fallback(), now)
}

pub(crate) async fn insert(store: &Database, user: &User) -> Result<(), StoreError> {
    let mut uow = store.begin().await?;
    uow.insert_user(user).await?;
    uow.commit().await
}

/// Several servers that start at once bring the tables up to date, once.
pub(crate) async fn migrations_at_once(url: &str) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.to_owned();
        tasks.spawn(async move {
            let store = connect(&url, 2).await;
            store.migrate().await.expect("migrated");
            let pending = store.pending_migrations().await.expect("a list");
            assert_eq!(pending, [""; 0]);
            store.close().await;
        });
    }
    tasks.join_all().await;
    let store = connect(url, 2).await;
    store.migrate().await.expect("migrating again is fine");
    insert(&store, &new_user(1))
        .await
        .expect("the tables are there");
}

/// What is pending is told before the tables exist.
pub(crate) async fn pending_before_and_after(url: &str) {
    let store = connect(url, 2).await;
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, ["m0001_create_tables"]);
    store.migrate().await.expect("migrated");
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
}
