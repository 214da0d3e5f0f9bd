//! Databases of the tests' own on a server, and what both servers must bear.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::{GroupId, Timestamp, User, UserId};
use countersign_domain::ports::{Store as _, StoreError};
use countersign_domain::testing::SeededRandom;
use countersign_domain::testing::store_laws::StoreSubject;
use countersign_storage::{Database, DatabaseSettings};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;

use crate::support;

const PREFIX: &str = "countersign_test_";

/// A kind of server.
pub struct Server {
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
    pub async fn law(&self) -> Option<StoreSubject> {
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
    pub async fn new_database(&self, label: &str) -> Option<String> {
        let url = support::service_url(self.variable, self.default);
        let admin = match sea_orm::Database::connect(&url).await {
            Ok(admin) => admin,
            Err(error) => {
                assert!(!support::services_required(), "{}: {error}", self.name);
                println!("skipped: {} is not reachable at {url}: {error}", self.name);
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
    async fn end_connections(&self, url: &str) {
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
pub async fn connect(url: &str, max_connections: u32) -> Database {
    let settings = DatabaseSettings {
        max_connections,
        ..DatabaseSettings::new(url)
    };
    Database::connect(&settings).await.expect("a database")
}

/// A user that is in no database yet.
pub fn new_user(seed: u64) -> User {
    let now = Timestamp::from_seconds(1_790_000_000);
    let id = UserId::generate(now, &SeededRandom::new(seed));
    User::active(id, GroupId::fallback(), now)
}

pub async fn insert(store: &Database, user: &User) -> Result<(), StoreError> {
    let mut uow = store.begin().await?;
    uow.insert_user(user).await?;
    uow.commit().await
}

/// Several servers that start at once bring the tables up to date, once.
pub async fn migrations_at_once(url: &str) {
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
pub async fn pending_before_and_after(url: &str) {
    let store = connect(url, 2).await;
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, ["m0001_create_tables"]);
    store.migrate().await.expect("migrated");
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
}

/// When the server has ended all connections, one call fails at most, whatever
/// the number of connections in the pool; what was in progress is not done.
pub async fn recovery(server: &Server, url: &str) {
    let store = Arc::new(connect(url, 4).await);
    store.migrate().await.expect("migrated");
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");

    for round in 2..5 {
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let store = Arc::clone(&store);
            readers.spawn(async move { store.user(user.id).await.expect("readable") });
        }
        assert_eq!(readers.join_all().await.len(), 32);
        let in_progress = new_user(round);
        let mut uow = store.begin().await.expect("a unit of work");
        uow.insert_user(&in_progress).await.expect("inserted");

        server.end_connections(url).await;

        let committed = uow.commit().await;
        assert!(matches!(committed, Err(StoreError::Unavailable(_))));
        let mut failures = 0;
        for _ in 0..20 {
            match store.user(user.id).await {
                Ok(found) => assert_eq!(found.as_ref(), Some(&user)),
                Err(StoreError::Unavailable(_)) => failures += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(failures <= 1, "{failures} calls failed");
        let lost = store.user(in_progress.id).await.expect("readable");
        assert_eq!(lost, None);
    }
}

/// A server behind which the network goes dead: calls fail in time, a commit in
/// progress too, and once there is a way again the store finds it.
pub async fn a_dead_network(url: &str) {
    let line = Line::to(url).await;
    let settings = DatabaseSettings {
        max_connections: 4,
        acquire_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_secs(1),
        ..DatabaseSettings::new(&line.url)
    };
    let store = Arc::new(Database::connect(&settings).await.expect("a database"));
    store.migrate().await.expect("migrated");
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let mut uow = store.begin().await.expect("a unit of work");
    uow.insert_user(&new_user(2)).await.expect("inserted");

    line.cut();
    let within = Duration::from_secs(3);
    let committed = tokio::time::timeout(within, uow.commit()).await;
    let committed = committed.expect("a commit ends in time");
    assert!(matches!(committed, Err(StoreError::Unavailable(_))));
    for _ in 0..3 {
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = Arc::clone(&store);
            readers.spawn(async move { store.user(user.id).await });
        }
        let answers = tokio::time::timeout(within, readers.join_all()).await;
        for answer in answers.expect("calls end in time") {
            assert!(matches!(answer, Err(StoreError::Unavailable(_))));
        }
    }
    // Callers that wait no longer must not keep the pool's connections either.
    for _ in 0..8 {
        let call = store.user(user.id);
        tokio::time::timeout(Duration::from_millis(20), call)
            .await
            .ok();
    }

    line.mend();
    let mut tries = 0;
    while store.user(user.id).await.is_err() {
        tries += 1;
        assert!(tries < 20, "the store does not find its way back");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    insert(&store, &new_user(3)).await.expect("inserted");
}

/// A way to a server that can go dead. Connections that were cut stay dead.
struct Line {
    url: String,
    cuts: tokio::sync::watch::Sender<(u32, bool)>,
}

impl Line {
    async fn to(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, database) = rest.rsplit_once('/').expect("a URL with a database");
        let (user, target) = authority.rsplit_once('@').expect("a URL with a user");
        let target = target.to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (cuts, changes) = tokio::sync::watch::channel((0, false));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.clone(), changes.clone()));
            }
        });
        Self {
            url: format!("{scheme}://{user}@127.0.0.1:{port}/{database}"),
            cuts,
        }
    }

    fn cut(&self) {
        self.cuts.send_modify(|(count, is_cut)| {
            *count += 1;
            *is_cut = true;
        });
    }

    fn mend(&self) {
        self.cuts.send_modify(|(_, is_cut)| *is_cut = false);
    }
}

async fn carry(
    mut client: TcpStream,
    target: String,
    mut changes: tokio::sync::watch::Receiver<(u32, bool)>,
) {
    let (cuts, is_cut) = *changes.borrow_and_update();
    if !is_cut {
        let mut server = TcpStream::connect(target).await.expect("the server");
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
            _ = changes.wait_for(|(count, _)| *count > cuts) => {}
        }
        // The server learns that the client is gone; the client hears nothing.
        drop(server);
    }
    std::future::pending::<()>().await;
}
