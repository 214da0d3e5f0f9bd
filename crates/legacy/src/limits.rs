//! How long is waited.

use std::time::Duration;

/// How long the database may work at one statement.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_secs(3);
/// How long a sign-in waits for a lookup, a new connection included.
pub(crate) const LOOKUP_LIMIT: Duration = Duration::from_secs(1);
/// How long a page is waited for.
pub(crate) const PAGE_LIMIT: Duration = Duration::from_secs(10);
