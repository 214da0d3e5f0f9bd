//! Why the server does not start, or stopped.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;

use countersign_domain::Error;
use countersign_domain::ports::{EphemeralError, StoreError};
use countersign_domain::validation::KeyringError;
use countersign_legacy::SettingsError;
use countersign_storage::ConnectError;
use countersign_transport::TransportError;
use metrics_exporter_prometheus::BuildError;

use crate::config::combinations::{OPEN_TO_THE_WORLD, UNMIGRATED};
use crate::data_dir::DataDirError;

/// Why the server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory or a file in it.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be reached.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// The database does not answer as it should.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The tables cannot be brought up to date.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[source] StoreError),
    /// The tables are not up to date, and must not be migrated at start.
    #[error(
        "{what}: {why}; run `countersign migrate` ({0} to do), or set database.migrate = true",
        what = UNMIGRATED.what,
        why = UNMIGRATED.why
    )]
    Unmigrated(usize),
    /// The settings of the existing database.
    #[error("[legacy]: {0}")]
    Legacy(#[source] SettingsError),
    /// Redis cannot be used.
    #[error("Redis cannot be used: {0}")]
    Redis(#[source] EphemeralError),
    /// A signing key cannot be used.
    #[error("{0}; is this the master key of this database?")]
    Keyring(#[from] KeyringError),
    /// A token profile cannot be used.
    #[error("a token profile cannot be used: {0}")]
    TokenProfiles(String),
    /// A provider of messages cannot be set up.
    #[error("messages cannot be sent: {0}")]
    Delivery(String),
    /// A provider of sign-ins cannot be set up.
    #[error("[federation]: {0}")]
    Federation(String),
    /// The hashing threads cannot be started.
    #[error("the hashing threads cannot be started: {0}")]
    Hasher(#[source] io::Error),
    /// No caller is known, and others than this machine could call.
    #[error(
        "{what} ({0}): {why}; make one with `countersign caller new --name gateway --role gateway`, \
         or listen on 127.0.0.1",
        what = OPEN_TO_THE_WORLD.what,
        why = OPEN_TO_THE_WORLD.why
    )]
    OpenToTheWorld(SocketAddr),
    /// The gateway's settings cannot work.
    #[error("the gateway: {0}")]
    Gateway(String),
    /// The metrics cannot be served.
    #[error(
        "the metrics cannot be served on {0}: {1}; metrics.listen names another address, or none \
         if it is \"\""
    )]
    Metrics(SocketAddr, #[source] io::Error),
    /// The metrics cannot be collected.
    #[error("the metrics cannot be collected: {0}")]
    Recorder(#[from] BuildError),
    /// Spans cannot be exported.
    #[error(
        "spans cannot be exported to {0}: {1}; traces.endpoint names another collector, or none \
         if it is \"\""
    )]
    Traces(String, #[source] Box<dyn StdError + Send + Sync>),
    /// The calls cannot be served.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signal(#[source] io::Error),
    /// A thread that serves calls has died.
    #[error("the thread {0} has ended: {1}")]
    ThreadEnded(String, String),
    /// The first reading of what the service needs.
    #[error(transparent)]
    Domain(#[from] Error),
}

impl ServeError {
    /// Of settings of token profiles, and what they must be.
    pub(crate) fn profiles(wrong: Vec<(String, String)>) -> Self {
        let each = wrong.into_iter().map(|(key, rule)| format!("{key} {rule}"));
        Self::TokenProfiles(each.collect::<Vec<_>>().join("; "))
    }
}
