//! The store as a whole: what lasts, and the unit of work that changes it.
//!
//! [`Store`] reads, and makes the changes that are one statement each.
//! [`UnitOfWork`] makes changes that belong together; dropped without
//! [`commit`](UnitOfWork::commit) it leaves no trace. The laws that every
//! adapter keeps are in `testing::store_laws`.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    AuditChanges, AuditLog, CallerChanges, Callers, CredentialChanges, Credentials, DeviceChanges,
    Devices, FactorChanges, Factors, FederatedIdentities, FederatedIdentityChanges, GroupChanges,
    Groups, IdentifierUndoChanges, IdentifierUndos, ManyUserChanges, ManyUsers, Outbox,
    OutboxChanges, RevocationChanges, Revocations, ServiceAccountChanges, ServiceAccounts,
    SessionChanges, Sessions, SigningKeyChanges, SigningKeys, StoreError, TombstoneChanges,
    UserChanges, Users,
};
use crate::model::Timestamp;

/// What lasts. All changes are durable when they return. Every method fails
/// with [`StoreError`], never with a wrong answer.
#[async_trait]
pub trait Store:
    Users
    + ManyUsers
    + Credentials
    + Sessions
    + Revocations
    + SigningKeys
    + Callers
    + Outbox
    + Factors
    + FederatedIdentities
    + Devices
    + IdentifierUndos
    + Groups
    + ServiceAccounts
    + AuditLog
    + Send
    + Sync
{
    /// Begins a unit of work.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// The time by the database's clock, which all replicas share.
    async fn now(&self) -> Result<Timestamp, StoreError>;

    /// Whether the database answers and takes writes.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Deletes at most about `limit` rows of each kind that have outlived their
    /// use, and tells how many.
    async fn delete_expired(&self, retention: Retention, limit: u32) -> Result<u64, StoreError>;
}

/// Changes that belong together. Every method fails with [`StoreError`]; after
/// a failure only dropping is sensible.
#[async_trait]
pub trait UnitOfWork:
    UserChanges
    + ManyUserChanges
    + CredentialChanges
    + SessionChanges
    + SigningKeyChanges
    + CallerChanges
    + OutboxChanges
    + RevocationChanges
    + FactorChanges
    + FederatedIdentityChanges
    + DeviceChanges
    + IdentifierUndoChanges
    + TombstoneChanges
    + GroupChanges
    + ServiceAccountChanges
    + AuditChanges
    + Send
{
    /// Makes all changes durable.
    ///
    /// A unit of work that has become too old for its changes to be readable
    /// within [`LONGEST_UNIT_OF_WORK`] is rolled back, with
    /// [`StoreError::Unavailable`]: readers of the revocation feed look back no
    /// further.
    ///
    /// # Errors
    /// On [`StoreError::Unavailable`] it is not certain whether the changes
    /// were made.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The longest time from the beginning of a unit of work to the moment in which
/// changes that were answered as made can be read by everybody.
pub const LONGEST_UNIT_OF_WORK: Duration = Duration::from_secs(60);

/// Up to when rows are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Revocations, keys, messages, devices, undos and tombstones that expired before are
    /// deleted.
    pub now: Timestamp,
    /// Sessions that ended or expired before are deleted.
    pub sessions_before: Timestamp,
    /// Entries of the audit log of before are deleted.
    pub audit_before: Timestamp,
}
