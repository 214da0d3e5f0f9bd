//! The fake of the domain's tests keeps the laws that the real stores keep.

use std::sync::Arc;

use countersign_domain::testing::store_laws::{StoreSubject, Tenancy};
use countersign_domain::testing::{HandClock, MemoryStore};

async fn set_up(_: Tenancy) -> Option<StoreSubject> {
    let store = MemoryStore::new(Arc::new(HandClock::new()));
    Some(StoreSubject::new(Arc::new(store), ()))
}

countersign_domain::store_laws!(set_up);
