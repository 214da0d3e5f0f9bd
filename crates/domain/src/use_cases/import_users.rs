//! Operators import users of another system, many at once.
//!
//! A user is known by its id there. Whoever is here already stays as it is, so that a
//! batch may be sent again: after an answer that was lost, after an interruption, or
//! beside another who imports the same. All of a batch are written in one unit of work;
//! where somebody else gets in its way, it is repeated, and then halved until the one
//! is left alone that cannot be written.

mod batch;
mod candidates;
mod checks;
mod writing;

use self::batch::Batch;
use crate::application::{Application, storable};
use crate::error::Error;
use crate::model::ImportedUser;
use crate::ports::StoreError;

pub use batch::{ImportOutcome, ImportRefusal};

/// An operator imports users.
#[derive(Debug)]
pub struct ImportUsers {
    /// The users, and in the place of those whose fields are wrong what is wrong.
    pub users: Vec<Result<ImportedUser, Error>>,
    /// Whether nothing is written: it is told what would be.
    pub is_dry_run: bool,
}

impl ImportUsers {
    /// How many users a batch has at the most.
    pub const MOST: usize = 500;

    /// Imports those who can be, and tells of each, in their order.
    ///
    /// # Errors
    /// The database does not answer, or too many passwords are to be hashed: what was
    /// written by then stays, and the batch may be sent again.
    pub async fn execute(self, app: &Application) -> Result<Vec<ImportOutcome>, Error> {
        let mut batch = Batch::new(self.users);
        let mut wanted = batch.candidates(app)?;
        batch.settle_known(app, &mut wanted).await?;
        if self.is_dry_run {
            writing::check(app, &mut batch, &mut wanted).await?;
            for candidate in wanted.all() {
                batch.settle(candidate.index, ImportOutcome::Imported(None));
            }
            return Ok(batch.finish());
        }
        for candidate in wanted.all_mut() {
            candidate.hash = match candidate.user.password.take() {
                Some(imported) => Some(storable(&*app.hasher, imported).await?),
                None => None,
            };
        }
        // All at once if that goes, and else in ever smaller parts.
        let mut parts = vec![wanted];
        while let Some(part) = parts.pop() {
            if let Some(left) = writing::write(app, &mut batch, part).await? {
                parts.extend(left.halves().ok_or(StoreError::Conflict)?);
            }
        }
        Ok(batch.finish())
    }
}
