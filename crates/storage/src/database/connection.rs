//! How a statement gets to the database: connections, the pools that lend them
//! out, the pinned ones that batches use, and what is done when one is lost.

mod driver;
mod lost_connections;
mod managed;
mod pinned;
mod pool;
mod pools;
mod probe;
mod statement;
mod watched_file;

pub(super) use pinned::PinnedConnection;
pub use pool::PoolReading;
pub(super) use pool::{ConnectionPool, Lease};
pub(super) use pools::Pools;
pub(super) use statement::{Db, NamedStatement};
