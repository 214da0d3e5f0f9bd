//! The fake of the domain's tests keeps the laws that the real stores keep.

use std::sync::Arc;

use countersign_domain::ports::EphemeralStore as _;
use countersign_domain::testing::ephemeral_laws::EphemeralSubject;
use countersign_domain::testing::{HandClock, MemoryEphemeral};

async fn set_up() -> Option<EphemeralSubject> {
    let clock = Arc::new(HandClock::new());
    let store = Arc::new(MemoryEphemeral::new(Arc::clone(&clock)));
    Some(EphemeralSubject::by_hand(store, clock))
}

countersign_domain::ephemeral_laws!(set_up);

#[tokio::test]
async fn a_broken_store_fails_until_it_is_mended() {
    let store = MemoryEphemeral::new(Arc::new(HandClock::new()));
    store.set_broken(true);
    assert!(store.ping().await.is_err());
    assert!(store.get("key").await.is_err());
    store.set_broken(false);
    assert!(store.get("key").await.is_ok());
}
