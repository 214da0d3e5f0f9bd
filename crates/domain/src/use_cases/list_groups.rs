//! Looking at the groups: one, or page by page.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Group, GroupId, GroupPageToken, PageSize};

/// An operator looks at a group.
#[derive(Debug)]
pub struct GetGroup {
    /// Which.
    pub id: GroupId,
}

/// An operator lists the groups.
#[derive(Debug)]
pub struct ListGroups {
    /// How many at once.
    pub size: PageSize,
    /// From where on.
    pub after: Option<GroupPageToken>,
}

/// One page of groups.
#[derive(Debug)]
pub struct ListedGroups {
    /// The groups, in the order of their ids.
    pub groups: Vec<Group>,
    /// Where the next page starts, if there is one.
    pub next: Option<GroupPageToken>,
}

impl GetGroup {
    /// Reads the group.
    ///
    /// # Errors
    /// There is no such group.
    pub async fn execute(self, app: &Application) -> Result<Group, Error> {
        let group = app.store.group(&self.id).await?;
        Ok(group.ok_or(Refusal::Group)?)
    }
}

impl ListGroups {
    /// Reads a page of groups.
    ///
    /// # Errors
    /// If the database cannot tell.
    pub async fn execute(self, app: &Application) -> Result<ListedGroups, Error> {
        let after = self.after.as_ref().map(|token| token.0.as_str());
        let page = app.store.groups_after(after, self.size).await?;
        Ok(ListedGroups {
            groups: page.groups,
            next: page.next.map(GroupPageToken),
        })
    }
}
