//! Laws of counts: so many events in a window, and no more.

use std::time::Duration;

use super::{EARLY, EphemeralSubject, LATE, LONG, PAST_SHORT, SHORT};
use crate::ports::Count;

/// Events are numbered up to the limit; then the answer is when the window ends.
pub async fn events_are_counted_up_to_the_limit(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("events"));
    let other = subject.key("other events");
    for number in 1..=3 {
        let count = store.count_within(&key, 3, LONG).await.expect("count");
        assert_eq!(count, Count::Counted(number));
    }
    for _ in 0..2 {
        let count = store.count_within(&key, 3, LONG).await.expect("count");
        assert_exceeded(count, LONG);
    }
    let count = store.count_within(&other, 3, LONG).await.expect("count");
    assert_eq!(count, Count::Counted(1));
    let raised = store.count_within(&key, 4, LONG).await.expect("count");
    assert_eq!(raised, Count::Counted(4));
}

/// Of 64 events at once with a limit of 10, ten are counted, each with a number
/// of its own.
pub async fn of_64_events_at_once_the_limit_is_counted(subject: &EphemeralSubject) {
    let key = subject.key("at once");
    let counts = subject
        .at_once(64, |store, _| {
            let key = key.clone();
            async move { store.count_within(&key, 10, LONG).await.expect("count") }
        })
        .await;
    let mut numbers: Vec<u32> = counts
        .into_iter()
        .filter_map(|count| match count {
            Count::Counted(number) => Some(number),
            Count::Exceeded { .. } => None,
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<u32>>());
}

/// Neither later events nor refused ones move the end of the window, after which
/// events are counted from one again.
pub async fn the_first_event_opens_the_window(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("window"));
    store.count_within(&key, 2, SHORT).await.expect("count");
    subject.advance(EARLY).await;
    for _ in 0..2 {
        store.count_within(&key, 2, SHORT).await.expect("count");
    }
    subject.advance(LATE).await;
    let count = store.count_within(&key, 2, SHORT).await.expect("count");
    assert_eq!(count, Count::Counted(1));
}

/// A count that is taken begins anew. It is not a value, so none is got.
pub async fn take_resets_a_count(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("reset"));
    store.count_within(&key, 1, LONG).await.expect("count");
    assert_eq!(store.get(&key).await.expect("get"), None);
    assert_eq!(store.take(&key).await.expect("take"), None);
    let count = store.count_within(&key, 1, LONG).await.expect("count");
    assert_eq!(count, Count::Counted(1));
}

/// Put replaces a count too, with its time.
pub async fn put_takes_the_place_of_a_count(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("replaced"));
    store.count_within(&key, 9, SHORT).await.expect("count");
    store.put(&key, b"value", LONG).await.expect("put");
    assert_eq!(store.tries(&key).await.expect("tries"), 0);
    subject.advance(PAST_SHORT).await;
    let got = store.get(&key).await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"value"[..]));
}

/// A value and a count are one thing: put-if-absent finds the count.
pub async fn a_count_occupies_its_key(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("occupied"));
    store.count_within(&key, 9, LONG).await.expect("count");
    assert!(
        !store
            .put_if_absent(&key, b"value", LONG)
            .await
            .expect("put")
    );
    let count = store.count_within(&key, 9, LONG).await.expect("count");
    assert_eq!(count, Count::Counted(2));
}

/// With a limit of zero no event is counted, and no window is opened.
pub async fn a_limit_of_zero_counts_nothing(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("zero"));
    let count = store.count_within(&key, 0, LONG).await.expect("count");
    assert_exceeded(count, LONG);
    let count = store.count_within(&key, 1, LONG).await.expect("count");
    assert_eq!(count, Count::Counted(1));
}

fn assert_exceeded(count: Count, window: Duration) {
    match count {
        Count::Exceeded { retry_after } => {
            assert!(
                retry_after > Duration::ZERO && retry_after <= window,
                "{retry_after:?}"
            );
        }
        Count::Counted(number) => panic!("event {number} was counted"),
    }
}
