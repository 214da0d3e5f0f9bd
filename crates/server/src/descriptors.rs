//! File descriptors: the process may have as many as it is allowed to take, and
//! connections leave room for databases and files.

use countersign_transport::TransportConfig;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;
use crate::config::combinations::FEW_DESCRIPTORS;
use crate::metrics_server::MOST_CONNECTIONS;

/// What the process needs besides connections of callers and databases: its
/// runtimes, listeners, signals, Redis, certificates, the log, and those who ask
/// for metrics.
const OWN: u64 = 64 + MOST_CONNECTIONS as u64;

/// What a connection to a database may need: SQLite's have the file and its log.
const FOR_EACH_DATABASE_CONNECTION: u64 = 4;

/// Connections that are served however few descriptors there are.
const FEWEST: u64 = 16;

/// Raises the soft limit of descriptors to the hard one, and fits the most
/// connections into it. A limit that lowers them is told in the log.
pub(crate) fn transport(config: &Config) -> TransportConfig {
    let mut transport = config.server.transport();
    let Some(limit) = raised_limit() else {
        return transport;
    };
    let fitting = fitting(limit, config.database.max_connections);
    if fitting < transport.max_connections {
        tracing::warn!(
            descriptors = limit,
            connections = fitting,
            configured = transport.max_connections,
            "{FEW_DESCRIPTORS}"
        );
        transport.max_connections = fitting;
    }
    transport
}

/// How many connections leave room for everything else.
fn fitting(limit: u64, database_connections: u32) -> usize {
    let others = OWN + FOR_EACH_DATABASE_CONNECTION * u64::from(database_connections);
    usize::try_from(limit.saturating_sub(others).max(FEWEST)).unwrap_or(usize::MAX)
}

/// The limit of descriptors; `None` if there is none.
fn raised_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of file descriptors stays as it is");
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_database() {
        assert_eq!(fitting(1_024, 16), 1_024 - 80 - 64);
        assert_eq!(fitting(65_536, 100), 65_536 - 80 - 400);
        assert_eq!(fitting(100, 16), 16);
    }
}
