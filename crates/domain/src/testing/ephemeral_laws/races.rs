//! Laws of guesses that are made at once.

use super::subject::{EphemeralSubject, LONG, exchange, guess};
use crate::ports::Comparison;

/// Of 64 right guesses at once, one matches, and its exchange is made.
pub async fn of_64_right_guesses_at_once_one_matches(subject: &EphemeralSubject) {
    let (key, gained) = (subject.key("right at once"), subject.key("gained"));
    let budget = subject.guesses(1, LONG);
    subject.keep_secret(&key, "123", LONG).await;
    let answers = subject
        .at_once(64, |store, number| {
            let (key, budget) = (key.clone(), budget.clone());
            let gained = format!("{gained} {number}");
            async move {
                let exchange = exchange(&gained, LONG);
                let compared = store.compare(&key, guess(b"123", 5, &budget), Some(exchange));
                (compared.await.expect("compare"), gained)
            }
        })
        .await;
    let mut exchanges = 0;
    for (answer, gained) in &answers {
        let made = subject.got(gained).await.is_some();
        assert_eq!(made, *answer == Comparison::Matches);
        exchanges += usize::from(made);
    }
    assert_eq!(exchanges, 1);
    let answers: Vec<Comparison> = answers.into_iter().map(|(answer, _)| answer).collect();
    assert_eq!(tally(&answers), [1, 0, 63, 0]);
    assert_eq!(subject.use_up(&budget).await, 1);
}

/// Of 1,000 wrong guesses at once with five tries, five are compared, and the
/// budget is charged with five.
pub async fn of_1000_wrong_guesses_at_once_as_many_as_tries_are_compared(
    subject: &EphemeralSubject,
) {
    let key = subject.key("wrong at once");
    let budget = subject.guesses(12, LONG);
    subject.keep_secret(&key, "right", LONG).await;
    let answers = subject
        .at_once(1000, |store, number| {
            let (key, budget) = (key.clone(), budget.clone());
            async move {
                let text = number.to_string();
                let compared = store.compare(&key, guess(text.as_bytes(), 5, &budget), None);
                compared.await.expect("compare")
            }
        })
        .await;
    assert_eq!(tally(&answers), [0, 5, 995, 0]);
    let mut remaining: Vec<u32> = answers
        .iter()
        .filter_map(|answer| match answer {
            Comparison::Differs { remaining } => Some(*remaining),
            Comparison::Matches | Comparison::Absent | Comparison::Exhausted { .. } => None,
        })
        .collect();
    remaining.sort_unstable();
    assert_eq!(remaining, [0, 1, 2, 3, 4]);
    assert_eq!(subject.use_up(&budget).await, 7);
}

/// Of 400 wrong guesses at once at 100 secrets under one budget, as many as the
/// budget has room for are compared.
pub async fn guesses_at_many_secrets_at_once_share_their_budget(subject: &EphemeralSubject) {
    let (name, budget) = (subject.key("many"), subject.guesses(17, LONG));
    for number in 0..100 {
        let key = format!("{name} {number}");
        subject.keep_secret(&key, "right", LONG).await;
    }
    let answers = subject
        .at_once(400, |store, number| {
            let (key, budget) = (format!("{name} {}", number % 100), budget.clone());
            async move {
                let compared = store.compare(&key, guess(b"wrong", 5, &budget), None);
                compared.await.expect("compare")
            }
        })
        .await;
    assert_eq!(tally(&answers), [0, 17, 0, 383]);
    let mut tries = 0;
    for number in 0..100 {
        tries += subject.tries(&format!("{name} {number}")).await;
    }
    assert_eq!(tries, 17);
}

/// However right and wrong guesses race, no more than the tries are compared,
/// nothing is compared after the match, and each wrong one is charged.
pub async fn a_right_guess_among_many_wrong_ones_is_compared_within_the_tries(
    subject: &EphemeralSubject,
) {
    for round in 0..8 {
        let key = subject.key(&format!("race {round}"));
        let budget = subject.budget(&format!("race budget {round}"), 16, LONG);
        let gained = subject.key(&format!("gained {round}"));
        subject.keep_secret_under(&budget, &key, "7").await;
        let answers = subject
            .at_once(16, |store, number| {
                let (key, budget) = (key.clone(), budget.clone());
                let gained = gained.clone();
                async move {
                    let text = number.to_string();
                    let guess = guess(text.as_bytes(), 5, &budget);
                    let exchange = exchange(&gained, LONG);
                    let compared = store.compare(&key, guess, Some(exchange));
                    compared.await.expect("compare")
                }
            })
            .await;
        let [matches, differs, ..] = tally(&answers);
        assert!(
            (matches == 1 && differs < 5) || (matches == 0 && differs == 5),
            "{matches} matched, {differs} differed"
        );
        assert_eq!(subject.got(&gained).await.is_some(), matches == 1);
        assert_eq!(subject.use_up(&budget).await, 16 - differs);
    }
}

/// How many matched, differed, found nothing and found the budget used up.
fn tally(answers: &[Comparison]) -> [u32; 4] {
    let mut tally = [0; 4];
    for answer in answers {
        let place = match answer {
            Comparison::Matches => 0,
            Comparison::Differs { .. } => 1,
            Comparison::Absent => 2,
            Comparison::Exhausted { .. } => 3,
        };
        tally[place] += 1;
    }
    tally
}
