//! Databases as they fail: with one connection, full, read-only, moved, silent,
//! stopped, lost as a file; and how much reading it takes to delete what has expired. Recovery
//! goes by itself.
//!
//! Servers of the tests' own are started where one has to be stopped or
//! replaced. The longest silence runs by hand:
//!
//! ```text
//! cargo test -p countersign-tests --test database_failures -- --ignored
//! ```

mod calls;
mod cleaning;
mod clients;
mod few_connections;
mod full;
mod hanging;
mod lost_file;
mod moved;
mod read_only;
mod silent;
mod stopped;

use std::time::Duration;

use countersign_tests::Backend;

const SERVERS: [Backend; 2] = [Backend::Postgres, Backend::MariaDb];

/// Within which the first refresh succeeds once the database is back.
const FIRST_WITHIN: Duration = Duration::from_secs(3);
/// Within which everybody is served again.
const ALL_WITHIN: Duration = Duration::from_secs(10);
/// Within which no dead connection is held any more.
const RELEASED_WITHIN: Duration = Duration::from_secs(15);
