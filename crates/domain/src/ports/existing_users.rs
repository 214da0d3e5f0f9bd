//! The role of an existing database, whose users are adopted one by one. It is
//! never written.

use async_trait::async_trait;

use crate::model::{ExistingUser, Identifier, UnreadableUser};

/// Reads the users of an existing database.
#[async_trait]
pub trait ExistingUsers: Send + Sync {
    /// Who holds an identifier there.
    ///
    /// # Errors
    /// It does not answer, at once or within a short time.
    async fn holder(&self, identifier: &Identifier) -> Result<Holder, ExistingUsersError>;

    /// A user by the id that it has there.
    ///
    /// # Errors
    /// It does not answer.
    async fn by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<ReadUser>, ExistingUsersError>;

    /// Users in the order of their ids: those after an id, as many as `size` or fewer.
    ///
    /// # Errors
    /// It does not answer, or the id is none that it could have.
    async fn page(
        &self,
        after: Option<&str>,
        size: u32,
    ) -> Result<ExistingPage, ExistingUsersError>;
}

/// A row that was read: a user, or why it is none.
pub type ReadUser = Result<ExistingUser, UnreadableUser>;

/// Who holds an identifier in an existing database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// No row has it.
    Nobody,
    /// One user.
    User(Box<ExistingUser>),
    /// Several rows have it, or one that cannot be read: it is held, and by nobody who
    /// could be adopted.
    Unusable,
}

/// Users of an existing database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingPage {
    /// The rows.
    pub rows: Vec<ReadUser>,
    /// The id after which the next page begins; none after the last one.
    pub next: Option<String>,
}

/// Why an existing database gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExistingUsersError {
    /// It cannot be reached, does not answer in time, or refuses.
    #[error("{0}")]
    Unavailable(String),
    /// The table or a column is not there, or not of a kind that can be read.
    #[error("{0}")]
    Mapping(String),
}
