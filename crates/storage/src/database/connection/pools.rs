//! Opening a database: its pools, its pinned connections, and the first
//! connection, which tells whether there is anything to open.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::{sleep, timeout};

use super::driver::Driver;
use super::lost_connections::LostConnections;
use super::managed::Opener;
use super::pinned::PinnedConnection;
use super::pool::{ConnectionPool, PoolReading};
use super::probe::Probe;
use super::watched_file::WatchedFile;
use crate::database::dialect::{Dialect, Meaning};
use crate::database::endpoint::Endpoint;
use crate::database::error::{meaning, reason};
use crate::database::settings::{ConnectError, DatabaseSettings};
use crate::database::{mysql, postgres, sqlite};

/// How long to wait for another process that creates the same file.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How long closing waits for the calls in progress.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The names of pools in metrics.
const SHARED: &str = "shared";
const READER: &str = "reader";
const WRITER: &str = "writer";

/// The connections to a database.
pub(in crate::database) struct Pools {
    /// For what only reads.
    pub(in crate::database) reader: ConnectionPool,
    /// For what writes: on SQLite a pool of one, elsewhere that of the reader.
    pub(in crate::database) writer: ConnectionPool,
    /// For the batches of sessions to be read; on PostgreSQL alone.
    pub(in crate::database) pinned_reader: Option<PinnedConnection>,
    /// For the batches of sessions to be rotated.
    pub(in crate::database) pinned_rotator: Option<PinnedConnection>,
    /// For the batches of messages.
    pub(in crate::database) pinned_outbox: Option<PinnedConnection>,
    /// What is known about losses.
    pub(in crate::database) lost: Arc<LostConnections>,
    /// How long one statement is waited for.
    pub(in crate::database) patience: Duration,
    _probe: Option<Probe>,
}

impl Pools {
    /// Opens the database and makes sure that it answers.
    pub(in crate::database) async fn open(
        settings: &DatabaseSettings,
    ) -> Result<Self, ConnectError> {
        match settings.url.expose_secret().split_once(':') {
            Some(("sqlite", _)) => Self::open_file(settings).await,
            Some(("postgres" | "postgresql", _)) => {
                Self::open_server(settings, postgres::endpoint(settings)?).await
            }
            Some(("mysql" | "mariadb", _)) => {
                Self::open_server(settings, mysql::endpoint(settings)?).await
            }
            // Only what surely is a scheme is repeated: anything else may be a
            // secret.
            Some((scheme, rest))
                if rest.starts_with("//")
                    && scheme.len() < 16
                    && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                Err(ConnectError::Scheme(format!(", not {scheme}://")))
            }
            _ => Err(ConnectError::Scheme(String::new())),
        }
    }

    async fn open_server(
        settings: &DatabaseSettings,
        endpoint: Endpoint,
    ) -> Result<Self, ConnectError> {
        open_once(settings, &endpoint).await?;
        let lost = Arc::default();
        let opener = opener(settings, endpoint, &lost, None);
        let pool = ConnectionPool::new(
            SHARED,
            Arc::clone(&opener),
            settings.max_connections,
            settings.acquire_timeout,
        );
        let is_pinned = opener.dialect().pins_connections;
        let pin = || is_pinned.then(|| PinnedConnection::new(Arc::clone(&opener)));
        let (reader, rotator, outbox) = (pin(), pin(), pin());
        let pinned = [&reader, &rotator, &outbox];
        let pinned = pinned.into_iter().flatten().cloned().collect();
        Ok(Self {
            reader: pool.clone(),
            writer: pool.clone(),
            pinned_reader: reader,
            pinned_rotator: rotator,
            pinned_outbox: outbox,
            lost,
            patience: opener.patience(),
            _probe: Some(Probe::start(pool, pinned)),
        })
    }

    async fn open_file(settings: &DatabaseSettings) -> Result<Self, ConnectError> {
        let endpoints = sqlite::endpoints(settings)?;
        let lost = Arc::default();
        let mut file = None;
        if let Some(path) = &endpoints.file {
            if settings.must_exist {
                find(path, &endpoints.creator)?;
            } else if endpoints.is_created {
                create(path);
            }
            open_once(settings, &endpoints.creator).await?;
            let watched = WatchedFile::new(path).map_err(|error| ConnectError::Unreachable {
                place: endpoints.creator.place.clone(),
                reason: error.to_string(),
            })?;
            file = Some(Arc::new(watched));
        }
        let writer = opener(settings, endpoints.writer, &lost, file.clone());
        let patience = writer.patience();
        let name = if file.is_some() { WRITER } else { SHARED };
        let writer = ConnectionPool::new(name, writer, 1, settings.acquire_timeout);
        let reader = if file.is_some() {
            let size = settings.max_connections.clamp(1, sqlite::READERS);
            let reader = opener(settings, endpoints.reader, &lost, file);
            ConnectionPool::new(READER, reader, size, settings.acquire_timeout)
        } else {
            writer.clone()
        };
        Ok(Self {
            reader,
            writer,
            pinned_reader: None,
            pinned_rotator: None,
            pinned_outbox: None,
            lost,
            patience,
            _probe: None,
        })
    }

    pub(in crate::database) fn dialect(&self) -> &'static Dialect {
        self.writer.dialect()
    }

    pub(in crate::database) fn readings(&self) -> Vec<PoolReading> {
        let mut readings = vec![self.writer.reading()];
        if self.reader.name() != self.writer.name() {
            readings.push(self.reader.reading());
        }
        readings
    }

    /// Closes all connections, after the calls in progress. A server that is
    /// gone does not say goodbye, and is not waited for.
    pub(in crate::database) async fn close(&self) {
        let close = async {
            let pinned = [
                &self.pinned_reader,
                &self.pinned_rotator,
                &self.pinned_outbox,
            ];
            for connection in pinned.into_iter().flatten() {
                connection.close().await;
            }
            self.reader.close().await;
            self.writer.close().await;
        };
        timeout(CLOSE_TIMEOUT, close).await.ok();
    }
}

fn opener(
    settings: &DatabaseSettings,
    endpoint: Endpoint,
    lost: &Arc<LostConnections>,
    file: Option<Arc<WatchedFile>>,
) -> Arc<Opener> {
    Arc::new(Opener {
        endpoint,
        statement_limit: settings.statement_limit(),
        lost: Arc::clone(lost),
        file,
    })
}

/// Makes sure that a file is there.
fn find(path: &Path, endpoint: &Endpoint) -> Result<(), ConnectError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(ConnectError::Missing(path.into()))
        }
        Err(error) => Err(ConnectError::Unreachable {
            place: endpoint.place.clone(),
            reason: error.to_string(),
        }),
    }
}

/// Creates a file that its owner alone can read and write. SQLite takes an empty
/// one for a new database, and gives its mode to those that it makes beside it.
/// What is wrong with the path SQLite says.
fn create(path: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).ok();
}

/// Opens a connection and closes it again, to hear at once what is wrong. Only
/// SQLite's answer that it is busy is worth another try: two who create one
/// file do not wait for each other.
async fn open_once(settings: &DatabaseSettings, endpoint: &Endpoint) -> Result<(), ConnectError> {
    let open = async {
        loop {
            match Driver::open(endpoint).await {
                Ok(driver) => return driver.close().await,
                Err(error) if meaning(&error) == Meaning::Conflict => sleep(BUSY_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    };
    let reason = match timeout(settings.connect_timeout, open).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => reason(&error),
        Err(_) => format!("no answer within {} s", settings.connect_timeout.as_secs()),
    };
    let place = endpoint.place.clone();
    Err(ConnectError::Unreachable { place, reason })
}
