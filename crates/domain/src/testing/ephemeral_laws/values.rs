//! Laws of values: put, get, take, put-if-absent.

use super::subject::{EphemeralSubject, LONG, PAST_SHORT, SHORT};

/// What was put is got, again and again.
pub async fn what_is_put_is_got(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("got"));
    store.put(&key, b"value", LONG).await.expect("put");
    for _ in 0..2 {
        let got = store.get(&key).await.expect("get");
        assert_eq!(got.as_deref(), Some(&b"value"[..]));
    }
}

/// There is nothing under a key that was not put.
pub async fn what_was_not_put_is_not_got(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("nothing"));
    assert_eq!(store.get(&key).await.expect("get"), None);
    assert_eq!(store.take(&key).await.expect("take"), None);
    assert_eq!(store.tries(&key).await.expect("tries"), 0);
}

/// A value is gone after its time, for every verb.
pub async fn a_value_expires(subject: &EphemeralSubject) {
    let (store, got, taken) = (&subject.store, subject.key("got"), subject.key("taken"));
    store.put(&got, b"value", SHORT).await.expect("put");
    store.put(&taken, b"value", SHORT).await.expect("put");
    subject.advance(PAST_SHORT).await;
    assert_eq!(store.get(&got).await.expect("get"), None);
    assert_eq!(store.take(&taken).await.expect("take"), None);
}

/// A taken value is gone.
pub async fn a_value_is_taken_once(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("once"));
    store.put(&key, b"value", LONG).await.expect("put");
    let first = store.take(&key).await.expect("take");
    assert_eq!(first.as_deref(), Some(&b"value"[..]));
    assert_eq!(store.take(&key).await.expect("take"), None);
    assert_eq!(store.get(&key).await.expect("get"), None);
}

/// Of 64 who take at once, one gets the value.
pub async fn of_64_takers_at_once_one_gets_the_value(subject: &EphemeralSubject) {
    let key = subject.key("takers");
    subject.store.put(&key, b"value", LONG).await.expect("put");
    let taken = subject
        .at_once(64, |store, _| {
            let key = key.clone();
            async move { store.take(&key).await.expect("take") }
        })
        .await;
    assert_eq!(taken.into_iter().flatten().count(), 1);
}

/// The second put counts: its value and its time.
pub async fn put_replaces_the_value_and_its_time(subject: &EphemeralSubject) {
    let store = &subject.store;
    let (longer, shorter) = (subject.key("longer"), subject.key("shorter"));
    store
        .put(&longer, b"first, and long", SHORT)
        .await
        .expect("put");
    store.put(&longer, b"second", LONG).await.expect("put");
    store.put(&shorter, b"first", LONG).await.expect("put");
    store.put(&shorter, b"second", SHORT).await.expect("put");
    subject.advance(PAST_SHORT).await;
    let got = store.get(&longer).await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"second"[..]));
    assert_eq!(store.get(&shorter).await.expect("get"), None);
}

/// Put-if-absent changes neither a value that is there nor its time.
pub async fn put_if_absent_leaves_a_value_alone(subject: &EphemeralSubject) {
    let store = &subject.store;
    let (kept, expired) = (subject.key("kept"), subject.key("expired"));
    let first = store.put_if_absent(&kept, b"first", LONG).await;
    assert!(first.expect("put"));
    let second = store.put_if_absent(&kept, b"second", SHORT).await;
    assert!(!second.expect("put"));
    store.put(&expired, b"first", SHORT).await.expect("put");
    let put = store.put_if_absent(&expired, b"second", LONG).await;
    subject.advance(PAST_SHORT).await;
    let got = store.get(&kept).await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"first"[..]));
    // A slow machine may have let the first value expire before the second came.
    let got = store.get(&expired).await.expect("get");
    assert_eq!(got.is_some(), put.expect("put"));
}

/// An expired value is no value: put-if-absent puts.
pub async fn put_if_absent_sees_that_a_value_has_expired(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("expired"));
    assert!(
        store
            .put_if_absent(&key, b"first", SHORT)
            .await
            .expect("put")
    );
    subject.advance(PAST_SHORT).await;
    assert!(
        store
            .put_if_absent(&key, b"second", LONG)
            .await
            .expect("put")
    );
    let got = store.get(&key).await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"second"[..]));
}

/// Of 64 who put-if-absent at once, one does, and its value is there.
pub async fn of_64_who_put_if_absent_at_once_one_does(subject: &EphemeralSubject) {
    let key = subject.key("putters");
    let put = subject
        .at_once(64, |store, number| {
            let key = key.clone();
            async move {
                let value = number.to_string();
                let put = store.put_if_absent(&key, value.as_bytes(), LONG).await;
                put.expect("put").then_some(value)
            }
        })
        .await;
    let put: Vec<String> = put.into_iter().flatten().collect();
    let got = subject
        .store
        .get(&key)
        .await
        .expect("get")
        .expect("a value");
    assert_eq!(put, [String::from_utf8(got).expect("a number")]);
}

/// Any bytes are a value, none included.
pub async fn empty_and_binary_values_are_kept(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("bytes"));
    let all: Vec<u8> = (0..=255).collect();
    for value in [&b""[..], b"\0", b"\r\n", &all, &all.repeat(64)] {
        store.put(&key, value, LONG).await.expect("put");
        let got = store.get(&key).await.expect("get");
        assert_eq!(got.as_deref(), Some(value));
        let taken = store.take(&key).await.expect("take");
        assert_eq!(taken.as_deref(), Some(value));
    }
}

/// Keys of 200 bytes differ in the last one, in case, and in signs that mean
/// something elsewhere.
pub async fn keys_are_told_apart_to_the_last_byte(subject: &EphemeralSubject) {
    let store = &subject.store;
    let long = format!("{:x<199}", subject.key("long"));
    let keys: Vec<String> = ["a", "A", "b", "*", "}"]
        .iter()
        .map(|end| format!("{long}{end}"))
        .chain(["{}", "{a}", "{b}", "a b", "a:b", "%41"].map(|name| subject.key(name)))
        .collect();
    for key in &keys {
        store.put(key, key.as_bytes(), LONG).await.expect("put");
    }
    for key in &keys {
        let taken = store.take(key).await.expect("take");
        assert_eq!(taken.as_deref(), Some(key.as_bytes()));
    }
}

/// A store that works says so.
pub async fn a_working_store_answers_a_ping(subject: &EphemeralSubject) {
    subject.store.ping().await.expect("ping");
}
