//! The role of keeping what must last: users, credentials, sessions, keys.
//!
//! [`Store`] reads, and makes the changes that are one statement each.
//! [`UnitOfWork`] makes changes that belong together; dropped without
//! [`commit`](UnitOfWork::commit) it leaves no trace. The laws that every
//! adapter keeps are in `testing::store_laws`.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::{
    Address, Caller, CallerName, GroupId, Identifier, KeyState, PageSize, PageToken,
    PasswordCredential, PasswordHash, Revocation, Rotation, SealedSigningKey, Session, SessionId,
    Timestamp, User, UserId,
};

/// A user and its password, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// Its password.
    pub credential: Option<PasswordCredential>,
}

/// What has outlived its use, and since when.
#[derive(Debug, Clone, Copy)]
pub struct Horizon {
    /// Now: revocations and keys that expire before are deleted.
    pub now: Timestamp,
    /// Sessions that ended or expired before are deleted.
    pub sessions_before: Timestamp,
    /// Pending users created before are deleted.
    pub pending_before: Timestamp,
}

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or it is not certain what it did.
    #[error("{0}")]
    Unavailable(String),
    /// A value that exists once is taken: nothing was changed.
    #[error("taken already")]
    Taken,
    /// Another unit of work was faster: nothing was changed, and it may be tried
    /// again.
    #[error("changed at the same time")]
    Conflict,
    /// A row cannot be read.
    #[error("{0}")]
    Corrupt(String),
}

/// Reads, and changes of one statement. All of them are durable when they
/// return. Every method fails with [`StoreError`], never with a wrong answer.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a unit of work.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// A user.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// A user and its password.
    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The user who holds an identifier, verified or not, and its password.
    async fn account_by_identifier(
        &self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<Account>, StoreError>;

    /// The user who holds an address that is verified.
    async fn user_by_verified_address(
        &self,
        group: &GroupId,
        address: &Address,
    ) -> Result<Option<User>, StoreError>;

    /// The verified addresses of a user.
    async fn verified_addresses(&self, id: UserId) -> Result<Vec<Address>, StoreError>;

    /// A session.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// A session and its user.
    async fn session_with_user(&self, id: SessionId)
    -> Result<Option<(Session, User)>, StoreError>;

    /// The sessions of a user that are live at `now`, newest first, one more
    /// than the page has room for if there are more.
    async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        size: PageSize,
        after: Option<PageToken>,
    ) -> Result<Vec<Session>, StoreError>;

    /// The revocations written at or after `since` that are needed at `now`.
    async fn revocations(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError>;

    /// All signing keys.
    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError>;

    /// All callers.
    async fn callers(&self) -> Result<Vec<Caller>, StoreError>;

    /// Counts an attempt at a password before it is compared, unless `cap`
    /// attempts have failed in a row. Tells whether it was counted: if not, the
    /// password must not be compared.
    async fn count_attempt(&self, user: UserId, cap: u32) -> Result<bool, StoreError>;

    /// Changes the generation of a session that is not ended and still has the
    /// generation that the rotation starts from. Tells whether it did: of many
    /// at once, one does.
    async fn rotate(&self, session: SessionId, rotation: Rotation) -> Result<bool, StoreError>;

    /// Deletes at most about `limit` rows of each kind that have outlived their
    /// use, and tells how many.
    async fn delete_expired(&self, horizon: Horizon, limit: u32) -> Result<u64, StoreError>;
}

/// Changes that belong together. Every method fails with [`StoreError`]; after
/// a failure only dropping is sensible.
#[async_trait]
pub trait UnitOfWork: Send {
    /// Makes all changes durable. On [`StoreError::Unavailable`] it is not
    /// certain whether they were.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// A user, which nobody else changes until the end of this unit of work.
    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user who holds an identifier, locked likewise.
    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError>;

    /// Adds a user.
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// Makes a pending user active and all its addresses verified.
    async fn activate_user(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError>;

    /// Deletes a user with all that is its own.
    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError>;

    /// Gives a user an identifier; [`StoreError::Taken`] if it is held in
    /// the group already.
    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
        verified_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// The password of a user, locked.
    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError>;

    /// Sets the password of a user, in place of an earlier one.
    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError>;

    /// After a good attempt: no failures in a row any more and, if `rehashed`
    /// is given, the same password under today's parameters.
    async fn clear_failures(
        &mut self,
        user: UserId,
        rehashed: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Adds a session.
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Ends a session and enters it in the revocation feed, until `needed_for`
    /// after `now`. Tells whether it was alive; if not, nothing changes.
    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<bool, StoreError>;

    /// Ends all live sessions of a user but `keep`, likewise, and returns their
    /// ids.
    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Adds a signing key; [`StoreError::Taken`] if there is one of its
    /// state already (`next` and `active` exist once).
    async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError>;

    /// Moves a signing key from one state to another; tells whether it was in
    /// the first. `expires_at` is written when it retires.
    async fn move_signing_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Deletes a signing key; tells whether it was there.
    async fn delete_signing_key(&mut self, kid: &str) -> Result<bool, StoreError>;

    /// Adds a caller; [`StoreError::Taken`] if the name is taken.
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError>;

    /// Deletes a caller; tells whether it was there.
    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError>;
}
