//! Changes of addresses that can be undone.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{HeldDigest, IdentifierUndo, Timestamp, UndoDigest, UserId};

/// Reads changes that can be undone.
#[async_trait]
pub trait IdentifierUndos {
    /// The change that the token with this digest undoes, also one whose time is
    /// over.
    async fn identifier_undo(
        &self,
        digest: &UndoDigest,
    ) -> Result<Option<IdentifierUndo>, StoreError>;

    /// The changes of a user, oldest first. One that cannot be read is an error in its
    /// place, and named in the log.
    async fn identifier_undos(
        &self,
        user: UserId,
    ) -> Result<Vec<Result<IdentifierUndo, StoreError>>, StoreError>;
}

/// Changes what can be undone. Who adds to or takes from those of a user has locked
/// the user.
#[async_trait]
pub trait IdentifierUndoChanges {
    /// Adds a change of a user, who must be there, after all others of the user,
    /// whatever its time is.
    async fn insert_identifier_undo(&mut self, undo: &IdentifierUndo) -> Result<(), StoreError>;

    /// Until when the changes of a user can be undone at the most, if there are any.
    async fn last_undo_expiry(&mut self, user: UserId) -> Result<Option<Timestamp>, StoreError>;

    /// Takes the change that a token undoes, if that can be undone at `now`, and all
    /// that the user has made after it. Tells whether it was there: of many who ask
    /// for it at once, one is told yes.
    async fn take_identifier_undo(
        &mut self,
        digest: &UndoDigest,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Whether an address is held at `now` for another user than this one.
    async fn is_identifier_held(
        &mut self,
        held: &HeldDigest,
        besides: UserId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
