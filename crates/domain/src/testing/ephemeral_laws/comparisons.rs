//! Laws of guesses: a wrong one is charged before it is answered, the right one
//! costs nothing, and where nothing is compared nothing is charged.

use std::time::Duration;

use super::subject::{
    EARLY, EphemeralSubject, LATE, LONG, PAST_SHORT, SHORT, UNTIL, exchange, guess, secret_under,
};
use crate::ports::{Comparison, Guess, Secret, Spending};

/// The right guess matches once.
pub async fn the_right_guess_takes_the_secret(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("right"), subject.ample());
    subject.keep_secret(&key, "123", LONG).await;
    let first = subject.guess(&key, "123", &budget).await;
    assert_eq!(first, Comparison::Matches);
    let second = subject.guess(&key, "123", &budget).await;
    assert_eq!(second, Comparison::Absent);
    assert_eq!(subject.got(&key).await, None);
}

/// Wrong guesses leave 4, 3, 2, 1, 0 tries; then the secret is gone, for the
/// right guess as well.
pub async fn wrong_guesses_use_up_the_tries(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("wrong"), subject.ample());
    subject.keep_secret(&key, "123", LONG).await;
    for remaining in (0..5).rev() {
        let wrong = subject.guess(&key, "0", &budget).await;
        assert_eq!(wrong, Comparison::Differs { remaining });
    }
    assert_eq!(subject.got(&key).await, None);
    let late = subject.guess(&key, "123", &budget).await;
    assert_eq!(late, Comparison::Absent);
}

/// The value of a secret is not what guesses are compared with.
pub async fn the_value_is_no_guess(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("value"), subject.ample());
    subject.keep_secret(&key, "123", LONG).await;
    let value = subject.guess(&key, "of 123", &budget).await;
    assert_eq!(value, Comparison::Differs { remaining: 4 });
}

/// A guess that begins right is wrong; nothing equals nothing.
pub async fn a_guess_is_compared_in_full(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("in full"), subject.ample());
    let store = &subject.store;
    let guess_text = |text: &'static [u8]| store.compare(&key, guess(text, 9, &budget), None);
    for (secret, wrong) in [
        (
            &b"12\x003"[..],
            vec![&b""[..], b"12", b"12\x00", b"12\x0034", b"12\x004"],
        ),
        (b"", vec![&b"\0"[..], b"0"]),
    ] {
        let kept = Secret {
            secret,
            ..secret_under(&budget, "", "")
        };
        let superseded = store.supersede(&[], &key, &key, kept, LONG).await;
        superseded.expect("supersede");
        for text in wrong {
            let differs = guess_text(text).await.expect("compare");
            assert!(matches!(differs, Comparison::Differs { .. }), "{text:?}");
        }
        let right = guess_text(secret).await.expect("compare");
        assert_eq!(right, Comparison::Matches);
    }
}

/// The tries that were used are told.
pub async fn tries_are_told(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("told"), subject.ample());
    assert_eq!(subject.tries(&key).await, 0);
    subject.keep_secret(&key, "123", LONG).await;
    for used in 0..3 {
        assert_eq!(subject.tries(&key).await, used);
        subject.guess(&key, "0", &budget).await;
    }
}

/// Where no try is left the right guess does not match either: the secret is
/// gone, and nothing was charged.
pub async fn without_tries_nothing_is_compared(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("no tries"));
    let budget = subject.guesses(3, LONG);
    subject.keep_secret(&key, "123", LONG).await;
    let none = store.compare(&key, guess(b"123", 0, &budget), None).await;
    assert_eq!(none.expect("compare"), Comparison::Absent);
    assert_eq!(subject.got(&key).await, None);

    subject.keep_secret(&key, "123", LONG).await;
    subject.guess(&key, "0", &budget).await;
    let fewer = store.compare(&key, guess(b"123", 1, &budget), None).await;
    assert_eq!(fewer.expect("compare"), Comparison::Absent);
    assert_eq!(subject.use_up(&budget).await, 2);
}

/// A guess does not make the secret live longer.
pub async fn a_wrong_guess_does_not_renew_the_time(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("not renewed"), subject.ample());
    subject.keep_secret(&key, "123", SHORT).await;
    subject.advance(EARLY).await;
    subject.guess(&key, "0", &budget).await;
    subject.advance(LATE).await;
    assert_eq!(subject.got(&key).await, None);
}

/// A wrong guess costs a try and one of the budget, the right one neither. It is
/// the budget that is spent, too.
pub async fn only_wrong_guesses_are_charged(subject: &EphemeralSubject) {
    let budget = subject.guesses(6, LONG);
    for (number, secret) in ["111", "222", "333"].into_iter().enumerate() {
        let key = subject.key(secret);
        subject.keep_secret(&key, secret, LONG).await;
        for _ in 0..number {
            let wrong = subject.guess(&key, "0", &budget).await;
            assert!(matches!(wrong, Comparison::Differs { .. }), "{wrong:?}");
        }
        let right = subject.guess(&key, secret, &budget).await;
        assert_eq!(right, Comparison::Matches);
    }
    assert_eq!(subject.spend(&[&budget]).await, Spending::Spent);
    assert_eq!(subject.use_up(&budget).await, 2);
}

/// The right guess opens no window either.
pub async fn the_right_guess_opens_no_window(subject: &EphemeralSubject) {
    let key = subject.key("right");
    subject.keep_secret(&key, "123", LONG).await;
    let short = subject.guesses(1, SHORT);
    let right = subject.guess(&key, "123", &short).await;
    assert_eq!(right, Comparison::Matches);
    let long = subject.guesses(1, LONG);
    assert_eq!(subject.spend(&[&long]).await, Spending::Spent);
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.use_up(&long).await, 0);
}

/// 500 guesses at what is not there, or is no secret, leave the budget whole.
pub async fn guesses_at_nothing_cost_nothing(subject: &EphemeralSubject) {
    let budget = subject.guesses(2, LONG);
    let (dead, plain) = (subject.key("dead"), subject.key("plain"));
    subject.keep_secret(&dead, "123", LONG).await;
    subject.guess(&dead, "123", &budget).await;
    let put = subject.store.put(&plain, b"123", LONG).await;
    put.expect("put");
    for number in 0..250 {
        for key in [&dead, &plain] {
            let absent = subject.guess(key, &number.to_string(), &budget).await;
            assert_eq!(absent, Comparison::Absent);
        }
    }
    assert_eq!(subject.use_up(&budget).await, 2);
}

/// With a budget that is used up nothing is compared, the right guess neither;
/// the secret and its tries stay for when there is room again, and no exchange
/// is made.
pub async fn an_exhausted_budget_compares_nothing(subject: &EphemeralSubject) {
    let (key, gained) = (subject.key("kept"), subject.key("gained"));
    let (one, zero) = (subject.guesses(1, LONG), subject.guesses(0, LONG));
    subject.keep_secret(&key, "123", LONG).await;
    for (used, budgets) in [(0, vec![&zero]), (1, vec![&zero, &one])] {
        for (budget, text) in budgets.iter().flat_map(|&b| [(b, "0"), (b, "123")]) {
            let guess = guess(text.as_bytes(), 5, budget);
            let exchange = exchange(&gained, LONG);
            let answer = subject.store.compare(&key, guess, Some(exchange)).await;
            match answer.expect("compare") {
                Comparison::Exhausted { retry_after } => {
                    assert!(retry_after > Duration::ZERO && retry_after <= LONG);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(subject.tries(&key).await, used);
        subject.guess(&key, "0", &one).await;
    }
    assert_eq!(subject.tries(&key).await, 1);
    assert_eq!(subject.got(&gained).await, None);
    let right = subject.guess(&key, "123", &subject.guesses(2, LONG)).await;
    assert_eq!(right, Comparison::Matches);
}

/// Wrong guesses are charged to the budget that the secret names, which others
/// share.
pub async fn a_secret_names_the_budget_of_its_guesses(subject: &EphemeralSubject) {
    let [own, shared] = ["own", "shared"].map(|name| subject.budget(name, 2, LONG));
    let keys = ["a", "b", "c"].map(|name| subject.key(name));
    for (key, budget) in keys.iter().zip([&own, &shared, &shared]) {
        subject.keep_secret_under(budget, key, "123").await;
        let wrong = subject.guess(key, "0", budget).await;
        assert_eq!(wrong, Comparison::Differs { remaining: 4 });
    }
    for key in &keys[1..] {
        let refused = subject.guess(key, "123", &shared).await;
        assert!(
            matches!(refused, Comparison::Exhausted { .. }),
            "{refused:?}"
        );
    }
    assert_eq!(subject.use_up(&own).await, 1);
    assert_eq!(subject.use_up(&shared).await, 0);
}

/// From its end on, by the clock of those who guess, no secret is compared,
/// though the store keeps it: that costs neither a try nor anything of the
/// budget.
pub async fn an_expired_secret_is_compared_by_nobody(subject: &EphemeralSubject) {
    let (key, gained) = (subject.key("expired"), subject.key("gained"));
    let budget = subject.guesses(2, LONG);
    subject.keep_secret(&key, "123", LONG).await;
    for at in [UNTIL, UNTIL.plus(LONG)] {
        for text in [&b"0"[..], b"123"] {
            let late = Guess {
                at,
                ..guess(text, 5, &budget)
            };
            let exchange = exchange(&gained, LONG);
            let late = subject.store.compare(&key, late, Some(exchange)).await;
            assert_eq!(late.expect("compare"), Comparison::Absent);
        }
    }
    assert_eq!(subject.tries(&key).await, 0);
    assert_eq!(subject.got(&gained).await, None);
    let just_in_time = Guess {
        at: UNTIL.minus(Duration::from_millis(1)),
        ..guess(b"123", 5, &budget)
    };
    let right = subject.store.compare(&key, just_in_time, None).await;
    assert_eq!(right.expect("compare"), Comparison::Matches);
    assert_eq!(subject.use_up(&budget).await, 2);
}

/// A budget whose window has passed lets guesses be compared again.
pub async fn guesses_are_compared_again_after_the_window(subject: &EphemeralSubject) {
    let (key, budget) = (subject.key("window"), subject.guesses(1, SHORT));
    subject.keep_secret(&key, "123", LONG).await;
    subject.guess(&key, "0", &budget).await;
    subject.advance(PAST_SHORT).await;
    let right = subject.guess(&key, "123", &budget).await;
    assert_eq!(right, Comparison::Matches);
}

/// The exchange is there after the match and not before: the value of the secret
/// behind a head.
pub async fn a_match_leaves_the_exchange(subject: &EphemeralSubject) {
    let (store, key) = (&subject.store, subject.key("exchanged"));
    let (gained, budget) = (subject.key("gained"), subject.ample());
    subject.keep_secret(&key, "123", LONG).await;
    for (text, gain) in [
        (&b"0"[..], None),
        (b"of 123", None),
        (b"123", Some("gained, of 123")),
    ] {
        let exchange = exchange(&gained, SHORT);
        let compared = store.compare(&key, guess(text, 5, &budget), Some(exchange));
        compared.await.expect("compare");
        assert_eq!(subject.got(&gained).await.as_deref(), gain);
    }
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.got(&gained).await, None);
}

/// The exchange takes the place of whatever is under its key, which may be the
/// secret's own.
pub async fn the_exchange_takes_the_place_of_what_was_there(subject: &EphemeralSubject) {
    let (store, budget) = (&subject.store, subject.ample());
    let (plain, secret) = (subject.key("plain"), subject.key("another secret"));
    let own = subject.key("own");
    store.put(&plain, b"old", SHORT).await.expect("put");
    subject.keep_secret(&secret, "9", SHORT).await;
    for place in [&plain, &secret, &own] {
        subject.keep_secret(&own, "123", LONG).await;
        let exchange = exchange(place, LONG);
        let right = store.compare(&own, guess(b"123", 5, &budget), Some(exchange));
        assert_eq!(right.await.expect("compare"), Comparison::Matches);
    }
    assert_eq!(subject.latest(&format!("{own} series")).await, None);
    assert_eq!(subject.latest(&format!("{secret} series")).await, None);
    subject.advance(PAST_SHORT).await;
    for place in [&plain, &secret, &own] {
        assert_eq!(subject.got(place).await.as_deref(), Some("gained, of 123"));
        let compared = subject.guess(place, "9", &budget).await;
        assert_eq!(compared, Comparison::Absent);
    }
}
