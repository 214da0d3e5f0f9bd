//! Operators look for users.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{PageSize, UserCursor, UserId, UserQuery};
use crate::ports::{ListedUser, UserPage};

/// An operator looks at a user.
#[derive(Debug)]
pub struct GetUser {
    /// At whom.
    pub id: UserId,
}

/// An operator lists users.
#[derive(Debug)]
pub struct ListUsers {
    /// Which.
    pub query: UserQuery,
    /// How many at once.
    pub size: PageSize,
    /// From where on.
    pub after: Option<UserCursor>,
}

/// A page of users.
#[derive(Debug)]
pub struct ListedUsers {
    /// The users.
    pub users: Vec<ListedUser>,
    /// The token of the next page; empty if there is none.
    pub next_page_token: String,
}

impl GetUser {
    /// Shows the user.
    ///
    /// # Errors
    /// No such user.
    pub async fn execute(self, app: &Application) -> Result<ListedUser, Error> {
        let user = app.store.listed_user(self.id).await?;
        Ok(user.ok_or(Refusal::User)?)
    }
}

impl ListUsers {
    /// Lists a page of users.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn execute(self, app: &Application) -> Result<ListedUsers, Error> {
        let page = app
            .store
            .list_users(&self.query, self.size, self.after.as_ref());
        let UserPage { users, next } = page.await?;
        let token = next.map(|cursor| self.query.page_token(&cursor));
        Ok(ListedUsers {
            users,
            next_page_token: token.unwrap_or_default(),
        })
    }
}
