//! The store's time.

use super::subject::StoreSubject;

/// However often it is asked for, and by how many.
pub async fn time_does_not_go_back(law: &StoreSubject) {
    let mut last = law.store_now().await;
    for _ in 0..50 {
        let now = law.store_now().await;
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
    }
}
