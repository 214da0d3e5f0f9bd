//! Laws of secrets and of the series in which one takes the place of another.

use super::subject::{EphemeralSubject, LONG, PAST_SHORT, SHORT, secret_under};
use crate::ports::Comparison;

/// Get and latest tell the value, again and again, and never the secret.
pub async fn the_value_of_a_secret_is_told(subject: &EphemeralSubject) {
    let (series, key) = (subject.key("series"), subject.key("told"));
    subject.supersede(&series, &key, "123", LONG).await;
    for _ in 0..2 {
        assert_eq!(subject.got(&key).await.as_deref(), Some("of 123"));
        assert_eq!(subject.latest(&series).await.as_deref(), Some("of 123"));
    }
}

/// A series in which nothing was kept has no latest.
pub async fn an_unknown_series_has_no_latest(subject: &EphemeralSubject) {
    assert_eq!(subject.latest(&subject.key("unknown")).await, None);
}

/// After its time a secret is gone, for every verb.
pub async fn a_secret_expires(subject: &EphemeralSubject) {
    let (series, key) = (subject.key("series"), subject.key("expired"));
    let budget = subject.guesses(2, LONG);
    subject.supersede(&series, &key, "123", SHORT).await;
    subject.guess(&key, "0", &subject.ample()).await;
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.latest(&series).await, None);
    assert_eq!(subject.got(&key).await, None);
    assert_eq!(subject.tries(&key).await, 0);
    let late = subject.guess(&key, "123", &budget).await;
    assert_eq!(late, Comparison::Absent);
    assert_eq!(subject.store.take(&key).await.expect("take"), None);
    assert_eq!(subject.use_up(&budget).await, 1);
}

/// Take tells the value and takes secret and tries with it.
pub async fn take_takes_a_secret(subject: &EphemeralSubject) {
    let (series, key) = (subject.key("series"), subject.key("taken"));
    let budget = subject.ample();
    subject.supersede(&series, &key, "123", LONG).await;
    subject.guess(&key, "0", &budget).await;
    let taken = subject.store.take(&key).await.expect("take");
    assert_eq!(taken.as_deref(), Some(&b"of 123"[..]));
    assert_eq!(subject.latest(&series).await, None);
    assert_eq!(subject.tries(&key).await, 0);
    let late = subject.guess(&key, "123", &budget).await;
    assert_eq!(late, Comparison::Absent);
}

/// Put takes the place of a secret too: there is nothing to compare with.
pub async fn put_takes_the_place_of_a_secret(subject: &EphemeralSubject) {
    let (series, key) = (subject.key("series"), subject.key("replaced"));
    let budget = subject.guesses(2, LONG);
    subject.supersede(&series, &key, "123", LONG).await;
    subject.guess(&key, "0", &subject.ample()).await;
    let put = subject.store.put(&key, b"plain", LONG).await;
    put.expect("put");
    assert_eq!(subject.got(&key).await.as_deref(), Some("plain"));
    assert_eq!(subject.latest(&series).await, None);
    assert_eq!(subject.tries(&key).await, 0);
    for guess in ["123", "of 123", "plain", ""] {
        let compared = subject.guess(&key, guess, &budget).await;
        assert_eq!(compared, Comparison::Absent, "{guess:?}");
    }
    assert_eq!(subject.got(&key).await.as_deref(), Some("plain"));
    assert_eq!(subject.use_up(&budget).await, 1);
}

/// Put-if-absent finds that there is a secret.
pub async fn put_if_absent_leaves_a_secret_alone(subject: &EphemeralSubject) {
    let key = subject.key("occupied");
    subject.keep_secret(&key, "123", LONG).await;
    let put = subject.store.put_if_absent(&key, b"plain", LONG).await;
    assert!(!put.expect("put"));
    let right = subject.guess(&key, "123", &subject.ample()).await;
    assert_eq!(right, Comparison::Matches);
}

/// A secret takes the place of a value, with its time.
pub async fn supersede_takes_the_place_of_a_value(subject: &EphemeralSubject) {
    let key = subject.key("value");
    let put = subject.store.put(&key, b"plain", SHORT).await;
    put.expect("put");
    subject.keep_secret(&key, "123", LONG).await;
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.got(&key).await.as_deref(), Some("of 123"));
}

/// The earlier secret of a series is gone, for every verb.
pub async fn the_latest_of_a_series_ends_the_earlier(subject: &EphemeralSubject) {
    let (series, earlier) = (subject.key("series"), subject.key("earlier"));
    let latest = subject.key("latest");
    let budget = subject.ample();
    subject.supersede(&series, &earlier, "111", LONG).await;
    subject.guess(&earlier, "0", &budget).await;
    subject.supersede(&series, &latest, "222", LONG).await;

    assert_eq!(subject.got(&earlier).await, None);
    assert_eq!(subject.tries(&earlier).await, 0);
    let late = subject.guess(&earlier, "111", &budget).await;
    assert_eq!(late, Comparison::Absent);
    assert_eq!(subject.latest(&series).await.as_deref(), Some("of 222"));
    assert_eq!(subject.tries(&latest).await, 0);
    let right = subject.guess(&latest, "222", &budget).await;
    assert_eq!(right, Comparison::Matches);
}

/// A secret that takes the place of itself has a new value, a new time and all
/// its tries.
pub async fn supersede_renews_a_secret_under_its_own_key(subject: &EphemeralSubject) {
    let (series, key) = (subject.key("series"), subject.key("renewed"));
    let budget = subject.ample();
    for wrong_guesses in [2, 5] {
        subject.supersede(&series, &key, "111", SHORT).await;
        for used in 1..=wrong_guesses {
            let remaining = 5 - used;
            let wrong = subject.guess(&key, "0", &budget).await;
            assert_eq!(wrong, Comparison::Differs { remaining });
        }
    }
    subject.supersede(&series, &key, "222", LONG).await;
    assert_eq!(subject.tries(&key).await, 0);
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.latest(&series).await.as_deref(), Some("of 222"));
    let right = subject.guess(&key, "222", &budget).await;
    assert_eq!(right, Comparison::Matches);
}

/// Series do not touch each other, nor a key that is called like them.
pub async fn series_are_told_apart(subject: &EphemeralSubject) {
    let names = ["a", "A", "b", "a:b", "{a}", "*", ""].map(|name| subject.key(name));
    for name in &names {
        let key = format!("{name} secret");
        subject.supersede(name, &key, name, LONG).await;
        let put = subject.store.put(name, b"plain", LONG).await;
        put.expect("put");
    }
    for name in &names {
        let expected = format!("of {name}");
        assert_eq!(subject.latest(name).await, Some(expected));
        assert_eq!(subject.got(name).await.as_deref(), Some("plain"));
    }
}

/// A key that another series, or a value, has taken over is no longer ended by
/// the series that it was in before.
pub async fn a_key_taken_over_is_left_alone(subject: &EphemeralSubject) {
    let (first, second) = (subject.key("first series"), subject.key("second series"));
    let (moved, plain, later) = (
        subject.key("moved"),
        subject.key("plain"),
        subject.key("later"),
    );
    subject.supersede(&first, &moved, "111", LONG).await;
    subject.supersede(&second, &moved, "222", LONG).await;
    assert_eq!(subject.latest(&first).await, None);
    subject.supersede(&first, &plain, "333", LONG).await;
    assert_eq!(subject.latest(&second).await.as_deref(), Some("of 222"));

    let put = subject.store.put(&plain, b"plain", LONG).await;
    put.expect("put");
    subject.supersede(&first, &later, "444", LONG).await;
    assert_eq!(subject.got(&plain).await.as_deref(), Some("plain"));
    assert_eq!(subject.latest(&first).await.as_deref(), Some("of 444"));
    assert_eq!(subject.latest(&second).await.as_deref(), Some("of 222"));
}

/// The latest is gone once it was taken, matched, guessed at too often, or has
/// expired; the one before it does not come back.
pub async fn a_series_has_no_latest_once_that_is_gone(subject: &EphemeralSubject) {
    let budget = subject.ample();
    let ends = ["taken", "matched", "guessed at", "expired"];
    let series = ends.map(|end| subject.key(&format!("{end} series")));
    let keys = ends.map(|end| subject.key(end));
    for (series, key) in series.iter().zip(&keys) {
        let ttl = if key.ends_with("expired") {
            SHORT
        } else {
            LONG
        };
        let earlier = format!("{key} earlier");
        subject.supersede(series, &earlier, "1", LONG).await;
        subject.supersede(series, key, "2", ttl).await;
    }
    subject.store.take(&keys[0]).await.expect("take");
    let right = subject.guess(&keys[1], "2", &budget).await;
    assert_eq!(right, Comparison::Matches);
    for _ in 0..5 {
        subject.guess(&keys[2], "0", &budget).await;
    }
    subject.advance(PAST_SHORT).await;
    for (series, end) in series.iter().zip(ends) {
        assert_eq!(subject.latest(series).await, None, "{end}");
    }
}

/// Of 64 secrets of one series that are kept at once, one is left.
pub async fn of_64_secrets_of_a_series_at_once_one_is_left(subject: &EphemeralSubject) {
    let (series, name) = (subject.key("series"), subject.key("at once"));
    let guesses = subject.ample();
    subject
        .at_once(64, |store, number| {
            let (series, key) = (series.clone(), format!("{name} {number}"));
            let guesses = guesses.clone();
            async move {
                let secret = secret_under(&guesses, &key, "123");
                let kept = store.supersede(&[], &series, &key, secret, LONG).await;
                kept.expect("supersede");
            }
        })
        .await;
    let mut left = Vec::new();
    for number in 0..64 {
        left.extend(subject.got(&format!("{name} {number}")).await);
    }
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(subject.latest(&series).await, left.pop());
}
