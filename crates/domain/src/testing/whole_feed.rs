//! The revocation feed as a whole, read in small pages.

use crate::model::{Revocation, Timestamp};
use crate::ports::{FeedPosition, Store, StoreError};

/// So small that what several laws revoke makes several pages.
const PAGE: u32 = 64;

/// What was stamped at or after `since` and is needed at `now`.
///
/// # Errors
/// If a page cannot be read.
pub async fn whole_feed(
    store: &dyn Store,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Revocation>, StoreError> {
    let mut revocations = Vec::new();
    let mut position = Some(FeedPosition::since(since));
    while let Some(from) = position {
        let page = store.revocations(&from, now, PAGE).await?;
        revocations.extend(page.revocations);
        position = page.next;
    }
    Ok(revocations)
}
