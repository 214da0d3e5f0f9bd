//! Looking at the addresses of a person.

use crate::application::Application;
use crate::error::Error;
use crate::model::{Address, IdentifierChange, Timestamp};
use crate::ports::Clock as _;

/// Somebody lists the addresses.
#[derive(Debug)]
pub struct ListIdentifiers {
    /// The person's access token.
    pub access_token: String,
}

/// The addresses of a person.
#[derive(Debug)]
pub struct ListedIdentifiers {
    /// The addresses.
    pub addresses: Vec<Address>,
    /// The changes that can be undone, oldest first.
    pub undoable: Vec<UndoableChange>,
}

/// A change that can be undone.
#[derive(Debug)]
pub struct UndoableChange {
    /// What was changed. `None` if that cannot be read.
    pub change: Option<IdentifierChange>,
    /// When.
    pub created_at: Timestamp,
    /// From when on it cannot be undone.
    pub expires_at: Timestamp,
}

impl ListIdentifiers {
    /// Lists the addresses.
    ///
    /// # Errors
    /// An access token that is not good.
    pub async fn execute(self, app: &Application) -> Result<ListedIdentifiers, Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let mut addresses = app.store.addresses(person.user.id).await?;
        addresses.sort();
        let now = app.clock.now();
        let undos = app.store.identifier_undos(person.user.id).await?;
        let undoable = undos.into_iter().filter(|undo| now < undo.expires_at);
        let undoable = undoable.map(|undo| UndoableChange {
            change: app.identifier_undos.open(&person.user, &undo).ok(),
            created_at: undo.created_at,
            expires_at: undo.expires_at,
        });
        Ok(ListedIdentifiers {
            addresses,
            undoable: undoable.collect(),
        })
    }
}
