//! An open database: its connections, and the workers that commit in groups.
//! The files of the tables implement the ports on it.

use countersign_domain::model::{QueuedMessage, Rotation, Session, SessionId, User};

use super::connection::{Db, Pools};
use super::damaged_rows::DamagedRows;
use super::group_commit::GroupCommit;

/// A [`Store`](countersign_domain::ports::Store) in a SQL database.
pub struct Database {
    pub(super) pools: Pools,
    pub(super) session_reads: GroupCommit<SessionId, Option<(Session, User)>>,
    pub(super) rotations: GroupCommit<(SessionId, Rotation), bool>,
    pub(super) messages: GroupCommit<QueuedMessage, ()>,
    /// The rows that were skipped and reported.
    pub(super) damaged: DamagedRows,
}

impl Database {
    /// Where statements run that only read.
    pub(super) fn reader(&self) -> Db<'_> {
        Db::pool(&self.pools.reader)
    }

    /// Where statements run that write.
    pub(super) fn writer(&self) -> Db<'_> {
        Db::pool(&self.pools.writer)
    }
}
