//! The databases that the tests run on, each world in a database of its own.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection, SqliteConnection,
};
use tokio::net::TcpStream;

use crate::services;

/// A database, and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded default: a SQLite file and the in-process store.
    Sqlite,
    /// PostgreSQL and Redis.
    Postgres,
    /// MariaDB and Redis.
    MariaDb,
}

/// A database that is deleted when this is dropped.
#[derive(Debug)]
pub struct FreshDatabase {
    backend: Backend,
    admin_url: String,
    name: String,
    /// The server is a test's own, and ends with it.
    ends_with_its_server: bool,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs a test on a backend, if its services are there.
///
/// # Panics
/// If the test does.
pub fn on_a_backend<F: Future<Output = ()>>(backend: Backend, test: impl FnOnce(Backend) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        if backend.is_there().await {
            test(backend).await;
        }
    });
}

/// Runs a test on several backends at the same time: what it waits for is waited
/// for once.
///
/// # Panics
/// If the test does on one of them, after it has ended on all.
pub fn on_backends_at_once<F>(backends: &[Backend], test: impl Fn(Backend) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut running = Vec::new();
        for &backend in backends {
            if backend.is_there().await {
                running.push(tokio::spawn(test(backend)));
            }
        }
        let mut failures = 0;
        for test in running {
            failures += usize::from(test.await.is_err());
        }
        assert_eq!(failures, 0, "it failed on so many backends");
    });
}

impl Backend {
    /// Whether its services answer. If not, that is printed, or fails where
    /// services are required.
    ///
    /// # Panics
    /// If a required service is not there.
    pub async fn is_there(self) -> bool {
        let Some(admin_url) = self.admin_url() else {
            return true;
        };
        let (_, redis_address) = redis();
        let database = match self.try_execute(&admin_url, "SELECT 1").await {
            Ok(()) => Ok(()),
            Err(error) => {
                let place = host_and_port(&admin_url);
                Err(format!("{self} is not reachable at {place}: {error}"))
            }
        };
        let missing = match (database, TcpStream::connect(redis_address).await) {
            (Ok(()), Ok(_)) => return true,
            (Err(missing), _) => missing,
            (Ok(()), Err(error)) => format!("Redis is not reachable at {redis_address}: {error}"),
        };
        services::missing(&missing);
        false
    }

    /// How many replicas share it in tests: SQLite belongs to one.
    #[must_use]
    pub fn replicas(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres | Self::MariaDb => 2,
        }
    }

    /// How many rows a query counts.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub async fn count(self, database_url: &str, query: &str) -> i64 {
        let statement = AssertSqlSafe(query.to_owned());
        let count = match self {
            Self::Sqlite => {
                let connecting = SqliteConnection::connect(database_url).await;
                let mut connection = connecting.expect("the database opens");
                sqlx::query_scalar(statement)
                    .fetch_one(&mut connection)
                    .await
            }
            Self::Postgres => {
                let connecting = PgConnection::connect(database_url).await;
                let mut connection = connecting.expect("PostgreSQL answers");
                sqlx::query_scalar(statement)
                    .fetch_one(&mut connection)
                    .await
            }
            Self::MariaDb => {
                let connecting = MySqlConnection::connect(database_url).await;
                let mut connection = connecting.expect("MariaDB answers");
                sqlx::query_scalar(statement)
                    .fetch_one(&mut connection)
                    .await
            }
        };
        count.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// A new, empty database on the usual server. `None` on SQLite, where a file
    /// is enough.
    pub(crate) async fn fresh_database(self) -> Option<FreshDatabase> {
        Some(self.fresh_database_at(self.admin_url()?).await)
    }

    /// A new, empty database on a server.
    pub(crate) async fn fresh_database_at(self, admin_url: String) -> FreshDatabase {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign_sys_{}_{count}", std::process::id());
        let fresh = FreshDatabase {
            backend: self,
            ends_with_its_server: self.admin_url().as_ref() != Some(&admin_url),
            admin_url,
            name,
        };
        fresh.execute(&fresh.drop_statement()).await;
        fresh
            .execute(&format!("CREATE DATABASE {}", fresh.name))
            .await;
        fresh
    }

    /// Redis, where the backend uses it.
    pub(crate) fn redis_url(self) -> Option<String> {
        (self != Self::Sqlite).then(|| redis().0)
    }

    fn admin_url(self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(services::url(
                "COUNTERSIGN_TEST_POSTGRES",
                "postgres://root@127.0.0.1:5432/test",
            )),
            Self::MariaDb => Some(services::url(
                "COUNTERSIGN_TEST_MARIADB",
                "mysql://root@127.0.0.1:3306/test",
            )),
        }
    }

    /// Runs a statement, and says why that does not work.
    pub(crate) async fn try_execute(self, url: &str, statement: &str) -> Result<(), String> {
        let statement = AssertSqlSafe(statement.to_owned());
        let work = async {
            match self {
                Self::Sqlite => Ok(()),
                Self::Postgres => {
                    let mut connection = PgConnection::connect(url).await?;
                    connection.execute(statement).await.map(drop)
                }
                Self::MariaDb => {
                    let mut connection = MySqlConnection::connect(url).await?;
                    connection.execute(statement).await.map(drop)
                }
            }
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, work).await {
            Ok(result) => result.map_err(|error: sqlx::Error| error.to_string()),
            Err(_) => Err("no answer in time".into()),
        }
    }
}

impl FreshDatabase {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        with_database(&self.admin_url, &self.name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        address_in(&self.admin_url)
    }

    /// Its URL by way of another address, such as a proxy's.
    #[must_use]
    pub fn url_by_way_of(&self, address: SocketAddr) -> String {
        self.url()
            .replacen(&host_and_port(&self.admin_url), &address.to_string(), 1)
    }

    fn drop_statement(&self) -> String {
        let force = match self.backend {
            Backend::Postgres => " WITH (FORCE)",
            Backend::Sqlite | Backend::MariaDb => "",
        };
        format!("DROP DATABASE IF EXISTS {}{force}", self.name)
    }

    async fn execute(&self, statement: &str) {
        if let Err(error) = self.backend.try_execute(&self.admin_url, statement).await {
            panic!("{statement}: {error}");
        }
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        if self.ends_with_its_server {
            return;
        }
        let (backend, url, statement) =
            (self.backend, self.admin_url.clone(), self.drop_statement());
        // A runtime of its own: the test's may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(backend.try_execute(&url, &statement)),
                Err(error) => Err(error.to_string()),
            }
        });
        if let Ok(Err(error)) = dropping.join() {
            crate::say!("the test database {} is left behind: {error}", self.name);
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        })
    }
}

fn redis() -> (String, SocketAddr) {
    let url = services::url("COUNTERSIGN_TEST_REDIS", "redis://127.0.0.1:6379");
    let address = address_in(&url);
    (url, address)
}

/// `scheme://login@HOST:PORT/path`.
fn host_and_port(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// The address of a test service.
pub(crate) fn address_in(url: &str) -> SocketAddr {
    use std::net::ToSocketAddrs as _;
    let place = host_and_port(url);
    place
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .unwrap_or_else(|| panic!("{place} must be the host and port of a test service"))
}

fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url
        .split_once('?')
        .map_or((url, None), |(b, q)| (b, Some(q)));
    let start = base.find("://").map_or(0, |at| at + 3);
    let end = base[start..].find('/').map_or(base.len(), |at| start + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_led_to_another_database() {
        assert_eq!(
            with_database("postgres://root@127.0.0.1:5432/test?sslmode=disable", "x"),
            "postgres://root@127.0.0.1:5432/x?sslmode=disable"
        );
        assert_eq!(
            with_database("mysql://root@localhost", "x"),
            "mysql://root@localhost/x"
        );
        assert_eq!(host_and_port("redis://127.0.0.1:6379"), "127.0.0.1:6379");
        assert_eq!(
            host_and_port("mysql://root:a@b@127.0.0.1:1/test"),
            "127.0.0.1:1"
        );
    }
}
