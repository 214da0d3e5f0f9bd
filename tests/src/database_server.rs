//! A database server of a test's own, which may be stopped, made read-only and
//! replaced by another.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::backend::Backend;
use crate::database_programs::{as_root, command, directory_for, find, output_of};
use crate::services;
use crate::sql;
use crate::wait::eventually;

/// A PostgreSQL or MariaDB server with its own data. Ended when dropped.
#[derive(Debug)]
pub struct DatabaseServer {
    backend: Backend,
    address: SocketAddr,
    child: Mutex<Child>,
    data: PathBuf,
    directory: TempDir,
}

const STARTING: Duration = Duration::from_secs(60);

impl DatabaseServer {
    /// Starts one with no data. `None`, said once, if it is not installed.
    ///
    /// # Panics
    /// If it is required and not installed, or does not start.
    pub async fn start(backend: Backend) -> Option<Self> {
        let server = match backend {
            Backend::Sqlite => panic!("SQLite is no server"),
            Backend::Postgres => "postgres",
            Backend::MariaDb => "mariadbd",
        };
        if find(server).is_none() {
            services::missing(&format!("{server} is not installed"));
            return None;
        }
        let directory = directory_for(backend);
        let data = directory.path().join("data");
        let mut making;
        if backend == Backend::Postgres {
            making = command(backend, "initdb");
            making
                .args(["--auth=trust", "--username=root", "--no-sync"])
                .args(["--encoding=UTF8", "--locale=C", "-D"])
                .arg(&data);
        } else {
            making = command(backend, "mariadb-install-db");
            // Each server removes what it takes for temporary tables of its own.
            making
                .env("TMPDIR", directory.path())
                .args(["--no-defaults", "--skip-test-db"])
                .arg(format!("--datadir={}", data.display()))
                .arg("--auth-root-authentication-method=normal")
                .args(as_root());
        }
        output_of("its data are made", making).await;
        Some(Self::run(backend, directory, data).await)
    }

    /// Starts a standby of this PostgreSQL server, which follows it.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn standby(&self) -> Self {
        let directory = directory_for(self.backend);
        let data = directory.path().join("data");
        let mut copying = command(self.backend, "pg_basebackup");
        copying
            .args(["-h", "127.0.0.1", "-U", "root", "-p"])
            .arg(self.address.port().to_string())
            .args(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-D"])
            .arg(&data);
        output_of("the primary is copied", copying).await;
        Self::run(self.backend, directory, data).await
    }

    async fn run(backend: Backend, directory: TempDir, data: PathBuf) -> Self {
        let address = services::free_address().await;
        let child = program(backend, &directory, &data, address);
        let server = Self {
            backend,
            address,
            child: Mutex::new(child),
            data,
            directory,
        };
        server.is_ready().await;
        server
    }

    async fn is_ready(&self) {
        let ready = || async { self.answers().await.then_some(()) };
        eventually("the database server answers", STARTING, ready).await;
    }

    /// Kills all its processes where they are, and starts it again on what is on
    /// its disk.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn crash(&self) {
        self.signal("-KILL").await;
        let start = || program(self.backend, &self.directory, &self.data, self.address);
        let mut killed = std::mem::replace(&mut *self.child(), start());
        killed.wait().await.expect("it has ended");
        // PostgreSQL refuses to start until the last of its processes is gone.
        let ready = || async {
            if self.child().try_wait().is_ok_and(|ended| ended.is_some()) {
                *self.child() = start();
            }
            self.answers().await.then_some(())
        };
        eventually("the database server answers again", STARTING, ready).await;
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its administrator.
    #[must_use]
    pub fn admin_url(&self) -> String {
        let database = match self.backend {
            Backend::Postgres => "postgres",
            _ => "mysql",
        };
        self.url_of("root", database)
    }

    /// The URL of a user and a database.
    #[must_use]
    pub fn url_of(&self, user: &str, database: &str) -> String {
        let scheme = match self.backend {
            Backend::Postgres => "postgres",
            _ => "mysql",
        };
        format!("{scheme}://{user}@{}/{database}", self.address)
    }

    /// Runs a statement as the administrator.
    pub async fn execute(&self, statement: &str) -> u64 {
        sql::execute(self.backend, &self.admin_url(), statement).await
    }

    /// The text in the first column of each row that the administrator finds.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        sql::texts(self.backend, &self.admin_url(), query).await
    }

    /// Copies a MariaDB database to another server.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub async fn copy_to(&self, other: &Self, database: &str) {
        let client = |program: &str, server: &Self| {
            let mut client = command(self.backend, program);
            client
                .args([
                    "--no-defaults",
                    "--protocol=tcp",
                    "-h",
                    "127.0.0.1",
                    "-u",
                    "root",
                ])
                .arg(format!("--port={}", server.address.port()));
            client
        };
        let mut dumping = client("mariadb-dump", self);
        dumping.args(["--databases", database]);
        let dump = output_of("it is dumped", dumping).await;
        let file = self.data.with_extension("sql");
        fs::write(&file, dump).expect("the dump is written");
        let mut loading = client("mariadb", other);
        loading.stdin(fs::File::open(&file).expect("the dump is read"));
        output_of("it is loaded", loading).await;
    }

    /// Stops all its processes where they are.
    pub async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    /// Lets its processes go on.
    pub async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let ids = self.processes();
        let sent = Command::new("kill").arg(signal).args(&ids).status().await;
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill {signal} {ids:?}"
        );
    }

    /// The server's process and those that it has started.
    fn processes(&self) -> Vec<String> {
        let Some(id) = self.child().id() else {
            return Vec::new();
        };
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace().map(str::to_owned);
        std::iter::once(id.to_string()).chain(children).collect()
    }

    async fn answers(&self) -> bool {
        if TcpStream::connect(self.address).await.is_err() {
            return false;
        }
        let select = self
            .backend
            .try_execute(&self.admin_url(), "SELECT 1")
            .await;
        select.is_ok()
    }
}

/// The server's program, which outlives no test. What it has committed outlives
/// the program, not the machine.
fn program(backend: Backend, directory: &TempDir, data: &Path, address: SocketAddr) -> Child {
    let mut server;
    if backend == Backend::Postgres {
        server = command(backend, "postgres");
        server.arg("-D").arg(data);
        let port = format!("port={}", address.port());
        let sockets = format!("unix_socket_directories={}", directory.path().display());
        let others = ["listen_addresses=127.0.0.1", "fsync=off"];
        let sizes = ["max_connections=60", "shared_buffers=16MB"];
        for setting in [port.as_str(), &sockets]
            .iter()
            .chain(&others)
            .chain(&sizes)
        {
            server.args(["-c", setting]);
        }
    } else {
        server = command(backend, "mariadbd");
        server
            .args(["--no-defaults", "--bind-address=127.0.0.1"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--port={}", address.port()))
            .arg(format!("--socket={}/s", directory.path().display()))
            .arg(format!("--tmpdir={}", directory.path().display()))
            .args(["--skip-name-resolve", "--max-connections=60"])
            .args(["--innodb-flush-log-at-trx-commit=2"])
            .args(["--innodb-buffer-pool-size=64M"])
            .args(as_root());
    }
    server.stdout(Stdio::null()).stderr(Stdio::null());
    server.kill_on_drop(true).spawn().expect("it is started")
}

impl Drop for DatabaseServer {
    /// Ends it at once and in order: PostgreSQL's shared memory would stay.
    fn drop(&mut self) {
        let ids = self.processes();
        let Some(id) = ids.first() else {
            return;
        };
        let kill = |signal: &str, ids: &[String]| {
            let sent = std::process::Command::new("kill")
                .arg(signal)
                .args(ids)
                .stderr(Stdio::null())
                .status();
            sent.ok();
        };
        kill("-CONT", &ids);
        kill("-QUIT", std::slice::from_ref(id));
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            if self.child().try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
