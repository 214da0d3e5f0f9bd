//! The fake of the domain's tests keeps the laws that the real stores keep.

use std::sync::Arc;

use countersign_domain::testing::MemoryStore;
use countersign_domain::testing::store_laws::StoreSubject;

async fn set_up() -> Option<StoreSubject> {
    Some(StoreSubject::new(Arc::new(MemoryStore::new()), ()))
}

countersign_domain::store_laws!(set_up);
