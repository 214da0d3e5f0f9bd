//! Looking at the addresses of a person.

use tracing::error;

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
    /// The changes that can be undone, oldest first, without those that cannot be read.
    pub undoable: Vec<UndoableChange>,
}

/// A change that can be undone.
#[derive(Debug)]
pub struct UndoableChange {
    /// What was changed.
    pub change: IdentifierChange,
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
        // What is the matter with the others is in the log.
        let undoable = undos.into_iter().filter_map(Result::ok);
        let undoable = undoable.filter(|undo| now < undo.expires_at);
        let undoable = undoable.filter_map(|undo| {
            let change = app.identifier_undos.open(&person.user, &undo);
            let change = change.inspect_err(|error| error!(%error, "a row cannot be read"));
            Some(UndoableChange {
                change: change.ok()?,
                created_at: undo.created_at,
                expires_at: undo.expires_at,
            })
        });
        Ok(ListedIdentifiers {
            addresses,
            undoable: undoable.collect(),
        })
    }
}
