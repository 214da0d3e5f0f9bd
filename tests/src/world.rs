//! A world: replicas of the server on one database and one ephemeral store.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_proto::v1;
use tempfile::TempDir;
use toml::Value;

use crate::backend::{Backend, FreshDatabase, address_in};
use crate::gateway::{Gateway, email};
use crate::launch::Launch;
use crate::log::{Log, field};
use crate::options::Options;
use crate::person::{PASSWORD, Person};
use crate::proxy::Proxy;
use crate::replica::Replica;
use crate::settings::Settings;

/// Replicas of the server on one database and one ephemeral store. All is gone
/// when it is dropped.
#[derive(Debug)]
pub struct World {
    backend: Backend,
    replicas: Vec<Replica>,
    log: Log,
    read_secrets: Mutex<HashMap<String, usize>>,
    pub(crate) database_lines: BTreeMap<usize, Proxy>,
    pub(crate) redis_line: Option<Proxy>,
    database_url: String,
    // Dropped last, after the processes that use them.
    pub(crate) database: Option<FreshDatabase>,
    directory: TempDir,
}

/// A world in the making.
#[derive(Debug)]
pub struct WorldBuilder {
    backend: Backend,
    replicas: usize,
    settings: Settings,
    settings_at: Vec<(usize, String, Value)>,
    redis_url: Option<String>,
    has_lines: bool,
    pub(crate) options: Options,
}

impl World {
    /// A world with the settings of tests.
    pub async fn start(backend: Backend, replicas: usize) -> Self {
        Self::on(backend).replicas(replicas).start().await
    }

    /// Configures a world.
    #[must_use]
    pub fn on(backend: Backend) -> WorldBuilder {
        WorldBuilder {
            backend,
            replicas: 1,
            settings: Settings::for_tests(),
            settings_at: Vec::new(),
            redis_url: backend.redis_url(),
            has_lines: false,
            options: Options::default(),
        }
    }

    /// Its backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// A replica, counted from 0.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn replica(&self, number: usize) -> &Replica {
        &self.replicas[number]
    }

    /// All replicas.
    #[must_use]
    pub fn replicas(&self) -> &[Replica] {
        &self.replicas
    }

    /// A new connection to the first replica.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        self.replica(0).gateway()
    }

    /// `count` connections to each replica, the replicas taking turns.
    #[must_use]
    pub fn gateways(&self, count: usize) -> Vec<Gateway> {
        let turns = (0..count).flat_map(|_| &self.replicas);
        turns.map(Replica::gateway).collect()
    }

    /// A new connection to each replica.
    #[must_use]
    pub fn gateways_of_replicas(&self) -> Vec<Gateway> {
        self.replicas().iter().map(Replica::gateway).collect()
    }

    /// What the replicas log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The URL of the database, not by way of a proxy.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The directory of the world.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// An e-mail address that nobody has, which its masked form tells apart.
    #[must_use]
    pub fn new_email(&self) -> String {
        format!("mina@{}.example", new_name())
    }

    /// Signs somebody up who has proved the address, with [`PASSWORD`].
    pub async fn sign_up(&self) -> Person {
        self.sign_up_at(&self.gateway()).await
    }

    /// Signs somebody up by way of a gateway.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn sign_up_at(&self, gateway: &Gateway) -> Person {
        let username = new_name();
        let address = format!("mina@{username}.example");
        let proof = gateway
            .prove(email(&address), v1::Purpose::SignUp)
            .await
            .unwrap_or_else(|status| panic!("{address} is proved: {status:?}"));
        let user_id = gateway
            .sign_up_proven(email(&address), &username, PASSWORD, &proof)
            .await
            .unwrap_or_else(|status| panic!("{address} signs up: {status:?}"));
        Person {
            user_id,
            email: address,
            username,
            gateway: gateway.clone(),
        }
    }

    /// The next code that was sent to an e-mail address of [`Self::new_email`],
    /// as its owner would read it.
    ///
    /// # Panics
    /// If none comes.
    pub async fn read_code(&self, address: &str) -> String {
        self.read_secret("code", address).await
    }

    /// The next link that was sent to such an address, likewise.
    ///
    /// # Panics
    /// If none comes.
    pub async fn read_link(&self, address: &str) -> String {
        self.read_secret("link", address).await
    }

    async fn read_secret(&self, kind: &str, address: &str) -> String {
        let masked = address.replacen("mina@", "m***@", 1);
        let nth = {
            let mut read = self
                .read_secrets
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let count = read.entry(format!("{kind} {masked}")).or_default();
            *count += 1;
            *count - 1
        };
        let sent = self.log.find(0, nth, |_, line| {
            let is_it = field(line, "target") == Some("countersign::delivery")
                && field(line, "to") == Some(&masked);
            is_it
                .then(|| field(line, kind).map(str::to_owned))
                .flatten()
        });
        sent.await
            .unwrap_or_else(|| panic!("no {kind} number {nth} came to {masked}"))
    }
}

impl WorldBuilder {
    /// With so many replicas.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// With a setting, `section.key`, in all replicas.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.settings.set(path, value);
        self
    }

    /// With a setting in one replica.
    #[must_use]
    pub fn set_at(mut self, replica: usize, path: &str, value: impl Into<Value>) -> Self {
        self.settings_at.push((replica, path.into(), value.into()));
        self
    }

    /// With another Redis than the usual one.
    #[must_use]
    pub fn redis(mut self, url: String) -> Self {
        self.redis_url = Some(url);
        self
    }

    /// With a line from the first replica to its database, and one to Redis,
    /// that can be cut.
    #[must_use]
    pub fn with_lines(mut self) -> Self {
        self.has_lines = true;
        self
    }

    /// Starts all replicas, one after another.
    ///
    /// # Panics
    /// If one does not start.
    pub async fn start(self) -> World {
        let world = self.build().await;
        for replica in &world.replicas {
            replica.start().await;
        }
        world
    }

    /// Makes the world, and starts no replica.
    ///
    /// # Panics
    /// If there is no database for it.
    pub async fn build(self) -> World {
        let directory = TempDir::new().expect("a directory");
        let database = match &self.options.admin_url {
            Some(url) => Some(self.backend.fresh_database_at(url.clone()).await),
            None => self.backend.fresh_database().await,
        };
        let sqlite_url = format!(
            "sqlite://{}/countersign.db?mode=rwc",
            directory.path().display()
        );
        let database_url = database.as_ref().map_or(sqlite_url, FreshDatabase::url);
        let mut database_lines = BTreeMap::new();
        if let Some(database) = &database {
            let first = self.has_lines.then_some(0);
            for replica in first.into_iter().chain(self.options.lines_at.clone()) {
                let line = Proxy::to(database.address()).await;
                database_lines.insert(replica, line);
            }
        }
        let redis_line = match &self.redis_url {
            Some(url) if self.has_lines => Some(Proxy::to(address_in(url)).await),
            _ => None,
        };
        let master_key = new_master_key();
        let log = Log::new();
        let mut replicas = Vec::new();
        for number in 0..self.replicas {
            let mut settings = self.settings.clone();
            let data_dir = directory.path().join(format!("data-{number}"));
            settings.set("data_dir", data_dir.display().to_string());
            let mut url = database_url.clone();
            if let (Some(database), Some(line)) = (&database, database_lines.get(&number)) {
                url = database.url_by_way_of(line.address());
            }
            settings.set("database.url", self.options.for_the_service(url));
            if let Some(url) = &self.redis_url {
                settings.set("redis.url", url.clone());
            }
            if number == 0
                && let Some(line) = &redis_line
            {
                settings.set("redis.url", format!("redis://{}", line.address()));
            }
            for (_, path, value) in self.settings_at.iter().filter(|(at, ..)| *at == number) {
                settings.set(path, value.clone());
            }
            let config = write_config(directory.path(), number, &settings);
            let mut variables = self.options.variables_of(number);
            if self.backend != Backend::Sqlite {
                // On SQLite the one server makes and keeps its own.
                variables.push(("COUNTERSIGN__KEYS__MASTER_KEY".into(), master_key.clone()));
            }
            let launch = Launch {
                directory: directory.path().into(),
                config: Some(config),
                variables,
                bears_full_files: self.options.bears_full_files,
                descriptors: self.options.descriptors,
            };
            replicas.push(Replica::new(number, launch, log.clone()));
        }
        World {
            backend: self.backend,
            replicas,
            log,
            read_secrets: Mutex::default(),
            database_lines,
            redis_line,
            database_url,
            database,
            directory,
        }
    }
}

/// A name that nobody has: it is a user name and a label of a domain.
fn new_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("person{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The configuration file of a replica.
pub(crate) fn config_path(directory: &Path, number: usize) -> PathBuf {
    directory.join(format!("countersign-{number}.toml"))
}

fn write_config(directory: &Path, number: usize, settings: &Settings) -> PathBuf {
    let path = config_path(directory, number);
    fs::write(&path, settings.to_toml()).expect("the configuration is written");
    path
}

#[expect(
    clippy::disallowed_methods,
    reason = "the names in a shared Redis hang on the master key: no two runs may have the same"
)]
fn new_master_key() -> String {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).expect("randomness");
    STANDARD.encode(key)
}
