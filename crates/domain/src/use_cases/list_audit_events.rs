//! Operators read the audit log.

use crate::application::Application;
use crate::error::Error;
use crate::model::{AuditCursor, AuditEvent, AuditFilter, PageSize};
use crate::ports::AuditPage;

/// An operator reads the audit log.
#[derive(Debug)]
pub struct ListAuditEvents {
    /// Which entries.
    pub filter: AuditFilter,
    /// How many at once.
    pub size: PageSize,
    /// From where on.
    pub after: Option<AuditCursor>,
}

/// A page of the audit log.
#[derive(Debug)]
pub struct ListedAuditEvents {
    /// The entries, newest first.
    pub events: Vec<AuditEvent>,
    /// The token of the next page; empty if there is none.
    pub next_page_token: String,
}

impl ListAuditEvents {
    /// Lists a page of entries.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn execute(self, app: &Application) -> Result<ListedAuditEvents, Error> {
        let page = app
            .store
            .audit_events(&self.filter, self.size, self.after.as_ref());
        let AuditPage { events, next } = page.await?;
        let token = next.map(|cursor| self.filter.page_token(&cursor));
        Ok(ListedAuditEvents {
            events,
            next_page_token: token.unwrap_or_default(),
        })
    }
}
