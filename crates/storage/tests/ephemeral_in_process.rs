//! The in-process store keeps the laws, and its bounds.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Count, EphemeralStore as _};
use countersign_domain::testing::HandClock;
use countersign_domain::testing::ephemeral_laws::EphemeralSubject;
use countersign_storage::InProcess;

const MINUTE: Duration = Duration::from_secs(60);

fn store(max_entries: usize) -> (InProcess, Arc<HandClock>) {
    let clock = Arc::new(HandClock::new());
    (InProcess::new(clock.clone(), max_entries), clock)
}

/// A store in which so much expires first that the laws meet expired entries
/// which were not removed yet.
async fn set_up() -> Option<EphemeralSubject> {
    let (store, clock) = store(10_000);
    for number in 0..1_000 {
        let key = format!("crowd {number}");
        let put = store.put(&key, b"", Duration::from_millis(1)).await;
        put.expect("put");
    }
    Some(EphemeralSubject::by_hand(Arc::new(store), clock))
}

countersign_domain::ephemeral_laws!(set_up);

#[tokio::test]
async fn a_full_store_refuses_new_entries_and_keeps_the_old_ones() {
    let (store, _clock) = store(3);
    for key in ["a", "b"] {
        store.put(key, key.as_bytes(), MINUTE).await.expect("put");
    }
    store.count_within("c", 1, MINUTE).await.expect("count");

    let refused = store.put("d", b"d", MINUTE).await.expect_err("full");
    assert!(
        refused.to_string().contains("at most 3 entries"),
        "{refused}"
    );
    assert!(store.put_if_absent("d", b"d", MINUTE).await.is_err());
    assert!(store.count_within("d", 1, MINUTE).await.is_err());

    let counted = store.count_within("c", 1, MINUTE).await.expect("count");
    assert!(matches!(counted, Count::Exceeded { .. }), "{counted:?}");
    store.put("a", b"again", MINUTE).await.expect("put");
    for (key, value) in [("a", &b"again"[..]), ("b", b"b")] {
        let got = store.get(key).await.expect("get");
        assert_eq!(got.as_deref(), Some(value));
    }
}

#[tokio::test]
async fn what_has_expired_makes_room() {
    let (store, clock) = store(1);
    store.put("a", b"a", MINUTE).await.expect("put");
    assert!(store.put("b", b"b", MINUTE).await.is_err());
    clock.advance(MINUTE);
    store.put("b", b"b", MINUTE).await.expect("put");
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn what_was_taken_makes_room() {
    let (store, _clock) = store(1);
    store.put("a", b"a", MINUTE).await.expect("put");
    store.take("a").await.expect("take");
    assert!(store.is_empty());
    store.put("b", b"b", MINUTE).await.expect("put");
}

#[tokio::test]
async fn expired_entries_are_removed_faster_than_new_ones_come() {
    let (store, clock) = store(10_000);
    for number in 0..1_000 {
        let key = format!("old {number}");
        store.put(&key, b"value", MINUTE).await.expect("put");
        store.put(&key, b"replaced", MINUTE).await.expect("put");
    }
    clock.advance(MINUTE);
    for number in 0..250 {
        let key = format!("new {number}");
        store.put(&key, b"value", MINUTE).await.expect("put");
    }
    assert_eq!(store.len(), 250);
}

#[tokio::test]
async fn the_end_of_what_was_replaced_is_not_the_end_of_what_replaces_it() {
    let (store, clock) = store(10);
    store.put("a", b"first", MINUTE).await.expect("put");
    store.put("a", b"second", 3 * MINUTE).await.expect("put");
    clock.advance(2 * MINUTE);
    store.put("b", b"b", MINUTE).await.expect("put");
    assert!(store.get("a").await.expect("get").is_some());
}

#[tokio::test]
async fn a_jump_of_the_time_of_day_changes_nothing() {
    let (store, clock) = store(10);
    store.put("a", b"a", MINUTE).await.expect("put");
    clock.jump_to(Timestamp::from_seconds(4_000_000_000));
    assert!(store.get("a").await.expect("get").is_some());
    clock.jump_to(Timestamp::from_seconds(0));
    clock.advance(MINUTE);
    assert!(store.get("a").await.expect("get").is_none());
}

#[tokio::test]
async fn a_time_to_live_without_end_is_kept() {
    let (store, _clock) = store(10);
    store.put("a", b"a", Duration::MAX).await.expect("put");
    assert!(store.get("a").await.expect("get").is_some());
}
