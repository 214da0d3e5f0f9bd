//! The tables of the store in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Caller, CallerName, CredentialDigest, DeliveryState, Device, DeviceDigest, Factor, FactorId,
    FederatedIdentity, FederatedIdentityId, Group, GroupId, Identifier, IdentifierUndo, MessageId,
    PasswordCredential, QueuedMessage, Revocation, SealedSigningKey, ServiceAccount,
    ServiceAccountId, Session, SessionId, Timestamp, Tombstone, TombstoneDigest, UndoDigest, User,
    UserId,
};
use crate::ports::StoreError;

/// What has been committed, or the copy on which a unit of work works.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) damaged_users: BTreeSet<UserId>,
    pub(super) identifiers: BTreeMap<(GroupId, Identifier), UserId>,
    pub(super) credentials: BTreeMap<UserId, PasswordCredential>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) revocations: BTreeMap<SessionId, Revocation>,
    pub(super) signing_keys: BTreeMap<String, SealedSigningKey>,
    pub(super) callers: BTreeMap<CallerName, Caller>,
    pub(super) outbox: BTreeMap<MessageId, QueuedRow>,
    pub(super) factors: BTreeMap<FactorId, Factor>,
    pub(super) factor_credentials: BTreeMap<CredentialDigest, FactorId>,
    pub(super) damaged_factors: BTreeSet<FactorId>,
    pub(super) recovery_codes: BTreeSet<(UserId, [u8; 32])>,
    /// With their numbers, which go up for each user.
    pub(super) devices: BTreeMap<DeviceDigest, (u32, Device)>,
    pub(super) groups: BTreeMap<GroupId, Group>,
    pub(super) damaged_groups: BTreeSet<GroupId>,
    pub(super) service_accounts: BTreeMap<ServiceAccountId, ServiceAccount>,
    /// With their numbers, which go up for each user.
    pub(super) identifier_undos: BTreeMap<UndoDigest, (u32, IdentifierUndo)>,
    pub(super) federated_identities: BTreeMap<FederatedIdentityId, FederatedIdentity>,
    pub(super) tombstones: BTreeMap<TombstoneDigest, Tombstone>,
}

/// A message, and where it is.
#[derive(Clone, Debug)]
pub(super) struct QueuedRow {
    pub(super) message: QueuedMessage,
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    /// When it may be claimed: while it is being sent, when the claim ends.
    pub(super) due_at: Timestamp,
}

/// Adds a row whose key must be free.
pub(super) fn insert<K: Ord, V>(
    table: &mut BTreeMap<K, V>,
    key: K,
    row: V,
) -> Result<(), StoreError> {
    if table.contains_key(&key) {
        return Err(StoreError::Taken);
    }
    table.insert(key, row);
    Ok(())
}

/// Deletes at most `limit` of the rows that are over, and tells how many.
pub(super) fn delete_over<K: Clone + Ord, V>(
    table: &mut BTreeMap<K, V>,
    limit: usize,
    is_over: impl Fn(&V) -> bool,
) -> usize {
    let over = table.iter().filter(|(_, row)| is_over(row));
    let keys: Vec<K> = over.map(|(key, _)| key.clone()).take(limit).collect();
    for key in &keys {
        table.remove(key);
    }
    keys.len()
}
