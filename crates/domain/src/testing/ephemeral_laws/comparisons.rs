//! Laws of guesses: each is counted before it is compared, and none is free.

use super::{EARLY, EphemeralSubject, LATE, LONG, PAST_SHORT, SHORT};
use crate::ports::Comparison;

/// The right guess matches once.
pub async fn the_right_guess_takes_the_value(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("right"));
    store.put(&key, b"value", LONG).await.expect("put");
    let first = store.compare(&key, b"value", 5).await.expect("compare");
    assert_eq!(first, Comparison::Matches);
    let second = store.compare(&key, b"value", 5).await.expect("compare");
    assert_eq!(second, Comparison::Absent);
    assert_eq!(store.get(&key).await.expect("get"), None);
}

/// Wrong guesses leave 4, 3, 2, 1, 0 tries; then the value is gone, for the right
/// guess as well.
pub async fn wrong_guesses_use_up_the_tries(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("wrong"));
    store.put(&key, b"value", LONG).await.expect("put");
    for remaining in (0..5).rev() {
        let wrong = store.compare(&key, b"guess", 5).await.expect("compare");
        assert_eq!(wrong, Comparison::Differs { remaining });
    }
    assert_eq!(store.get(&key).await.expect("get"), None);
    let late = store.compare(&key, b"value", 5).await.expect("compare");
    assert_eq!(late, Comparison::Absent);
}

/// Of 64 right guesses at once, one matches.
pub async fn of_64_right_guesses_at_once_one_matches(subject: &EphemeralSubject) {
    let key = subject.key("right at once");
    subject.store.put(&key, b"value", LONG).await.expect("put");
    let answers = subject
        .at_once(64, |store, _| {
            let key = key.clone();
            async move { store.compare(&key, b"value", 5).await.expect("compare") }
        })
        .await;
    assert_eq!(tally(&answers), (1, 0, 63));
}

/// Of 1,000 wrong guesses at once with five tries, five are compared.
pub async fn of_1000_wrong_guesses_at_once_as_many_as_tries_are_compared(
    subject: &EphemeralSubject,
) {
    let key = subject.key("wrong at once");
    subject.store.put(&key, b"value", LONG).await.expect("put");
    let answers = subject
        .at_once(1000, |store, number| {
            let key = key.clone();
            async move {
                let guess = number.to_string();
                store
                    .compare(&key, guess.as_bytes(), 5)
                    .await
                    .expect("compare")
            }
        })
        .await;
    assert_eq!(tally(&answers), (0, 5, 995));
    let mut remaining: Vec<u32> = answers
        .iter()
        .filter_map(|answer| match answer {
            Comparison::Differs { remaining } => Some(*remaining),
            Comparison::Matches | Comparison::Absent => None,
        })
        .collect();
    remaining.sort_unstable();
    assert_eq!(remaining, [0, 1, 2, 3, 4]);
}

/// However right and wrong guesses race, no more than the tries are compared,
/// and nothing is compared after the match.
pub async fn a_right_guess_among_many_wrong_ones_is_compared_within_the_tries(
    subject: &EphemeralSubject,
) {
    for round in 0..8 {
        let key = subject.key(&format!("race {round}"));
        subject.store.put(&key, b"7", LONG).await.expect("put");
        let answers = subject
            .at_once(16, |store, number| {
                let key = key.clone();
                async move {
                    let guess = number.to_string();
                    store
                        .compare(&key, guess.as_bytes(), 5)
                        .await
                        .expect("compare")
                }
            })
            .await;
        let (matches, differs, _) = tally(&answers);
        assert!(
            (matches == 1 && differs < 5) || (matches == 0 && differs == 5),
            "{matches} matched, {differs} differed"
        );
    }
}

/// An expired value is not compared.
pub async fn a_guess_finds_nothing_after_the_expiry(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("expired"));
    store.put(&key, b"value", SHORT).await.expect("put");
    subject.advance(PAST_SHORT).await;
    let late = store.compare(&key, b"value", 5).await.expect("compare");
    assert_eq!(late, Comparison::Absent);
    assert_eq!(store.tries(&key).await.expect("tries"), 0);
}

/// A guess does not make the value live longer.
pub async fn a_wrong_guess_does_not_renew_the_time(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("not renewed"));
    store.put(&key, b"value", SHORT).await.expect("put");
    subject.advance(EARLY).await;
    store.compare(&key, b"guess", 5).await.expect("compare");
    subject.advance(LATE).await;
    assert_eq!(store.get(&key).await.expect("get"), None);
}

/// A new value has all its tries, whether the old one's were used up or not.
pub async fn put_renews_the_tries(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("renewed"));
    for wrong_guesses in [2, 5] {
        store.put(&key, b"value", LONG).await.expect("put");
        for used in 1..=wrong_guesses {
            let wrong = store.compare(&key, b"guess", 5).await.expect("compare");
            assert_eq!(
                wrong,
                Comparison::Differs {
                    remaining: 5 - used
                }
            );
        }
    }
    store.put(&key, b"value", LONG).await.expect("put");
    assert_eq!(store.tries(&key).await.expect("tries"), 0);
}

/// The tries that were used are told, and forgotten with the value.
pub async fn tries_are_told(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("told"));
    store.put(&key, b"value", LONG).await.expect("put");
    for used in 0..3 {
        assert_eq!(store.tries(&key).await.expect("tries"), used);
        store.compare(&key, b"guess", 5).await.expect("compare");
    }
    store.take(&key).await.expect("take");
    assert_eq!(store.tries(&key).await.expect("tries"), 0);
}

/// A guess that begins right is wrong; nothing equals nothing.
pub async fn a_guess_is_compared_in_full(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("in full"));
    store.put(&key, b"12\x003", LONG).await.expect("put");
    for guess in [&b""[..], b"12", b"12\x00", b"12\x0034", b"12\x004"] {
        let wrong = store.compare(&key, guess, 9).await.expect("compare");
        assert!(matches!(wrong, Comparison::Differs { .. }), "{guess:?}");
    }
    let right = store.compare(&key, b"12\x003", 9).await.expect("compare");
    assert_eq!(right, Comparison::Matches);
    store.put(&key, b"", LONG).await.expect("put");
    let empty = store.compare(&key, b"", 9).await.expect("compare");
    assert_eq!(empty, Comparison::Matches);
}

/// Where no try is left, a right guess does not match.
pub async fn without_tries_nothing_is_compared(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("no tries"));
    store.put(&key, b"value", LONG).await.expect("put");
    let none = store.compare(&key, b"value", 0).await.expect("compare");
    assert_eq!(none, Comparison::Absent);
    store.put(&key, b"value", LONG).await.expect("put");
    store.compare(&key, b"guess", 5).await.expect("compare");
    let fewer = store.compare(&key, b"value", 1).await.expect("compare");
    assert_eq!(fewer, Comparison::Absent);
}

/// How many matched, differed and found nothing.
fn tally(answers: &[Comparison]) -> (usize, usize, usize) {
    let count = |of: fn(&Comparison) -> bool| answers.iter().filter(|answer| of(answer)).count();
    (
        count(|answer| matches!(answer, Comparison::Matches)),
        count(|answer| matches!(answer, Comparison::Differs { .. })),
        count(|answer| matches!(answer, Comparison::Absent)),
    )
}
