//! The laws of the ephemeral store: one list, which every adapter keeps.
//!
//! An adapter's test gives the macro [`ephemeral_laws!`](crate::ephemeral_laws)
//! a function that sets a store up, and each law becomes a test of its own.
//! Laws name their own keys, so that they can share a server.

mod comparisons;
mod counts;
mod values;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

pub use comparisons::*;
pub use counts::*;
pub use values::*;

use super::HandClock;
use crate::ports::EphemeralStore;

/// A time to live that no law waits for.
const LONG: Duration = Duration::from_secs(60);
/// One that laws wait for.
const SHORT: Duration = Duration::from_millis(300);
/// Enough to be sure that [`SHORT`] has passed.
const PAST_SHORT: Duration = Duration::from_millis(350);
/// A part of [`SHORT`], and what is missing to [`PAST_SHORT`] after it: shorter
/// than [`SHORT`] itself, so that time which began anew in between goes on.
const EARLY: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_millis(250);

/// A store and the time that it goes by.
pub struct EphemeralSubject {
    store: Arc<dyn EphemeralStore>,
    clock: Option<Arc<HandClock>>,
    run: u64,
}

impl EphemeralSubject {
    /// A store that goes by a clock turned by hand.
    #[must_use]
    pub fn by_hand(store: Arc<dyn EphemeralStore>, clock: Arc<HandClock>) -> Self {
        Self::new(store, Some(clock))
    }

    /// A store that goes by a clock of its own.
    #[must_use]
    pub fn in_real_time(store: Arc<dyn EphemeralStore>) -> Self {
        Self::new(store, None)
    }

    fn new(store: Arc<dyn EphemeralStore>, clock: Option<Arc<HandClock>>) -> Self {
        Self {
            store,
            clock,
            run: RandomState::new().hash_one("run"),
        }
    }

    /// Lets time pass.
    async fn advance(&self, duration: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(duration),
            None => tokio::time::sleep(duration).await,
        }
    }

    /// A key that no other law and no other run uses.
    fn key(&self, name: &str) -> String {
        format!("law:{:016x}:{name}", self.run)
    }

    /// What `ask` answers to `callers` who ask at once.
    async fn at_once<T, F>(
        &self,
        callers: usize,
        ask: impl Fn(Arc<dyn EphemeralStore>, usize) -> F,
    ) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let start = Arc::new(tokio::sync::Barrier::new(callers));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..callers {
            let answer = ask(Arc::clone(&self.store), number);
            let start = Arc::clone(&start);
            tasks.spawn(async move {
                start.wait().await;
                answer.await
            });
        }
        tasks.join_all().await
    }
}

/// Makes each law a test. The function that is given returns a future of
/// `Option<EphemeralSubject>`; without a subject the tests pass, so it has to
/// say why there is none.
#[macro_export]
macro_rules! ephemeral_laws {
    ($set_up:path) => {
        $crate::ephemeral_laws! { $set_up =>
            what_is_put_is_got
            what_was_not_put_is_not_got
            a_value_expires
            a_value_is_taken_once
            of_64_takers_at_once_one_gets_the_value
            put_replaces_the_value_and_its_time
            put_if_absent_leaves_a_value_alone
            put_if_absent_sees_that_a_value_has_expired
            of_64_who_put_if_absent_at_once_one_does
            empty_and_binary_values_are_kept
            keys_are_told_apart_to_the_last_byte
            a_working_store_answers_a_ping
            events_are_counted_up_to_the_limit
            of_64_events_at_once_the_limit_is_counted
            the_first_event_opens_the_window
            take_resets_a_count
            put_takes_the_place_of_a_count
            a_count_occupies_its_key
            a_limit_of_zero_counts_nothing
            the_right_guess_takes_the_value
            wrong_guesses_use_up_the_tries
            of_64_right_guesses_at_once_one_matches
            of_1000_wrong_guesses_at_once_as_many_as_tries_are_compared
            a_right_guess_among_many_wrong_ones_is_compared_within_the_tries
            a_guess_finds_nothing_after_the_expiry
            a_wrong_guess_does_not_renew_the_time
            put_renews_the_tries
            tries_are_told
            a_guess_is_compared_in_full
            without_tries_nothing_is_compared
        }
    };
    ($set_up:path => $($law:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                if let Some(subject) = $set_up().await {
                    $crate::testing::ephemeral_laws::$law(&subject).await;
                }
            }
        )+
    };
}
