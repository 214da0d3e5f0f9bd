//! When a refusal is answered: no sooner than if it had been of the dearest hash
//! that is in use, or of a digest whose owner is adopted, so that its time does not
//! tell of whom there is one. Nothing is computed meanwhile, and no thread waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::kind::Kind;

/// The longest that a refusal is held back. A burst against one account, or a
/// hash that takes longer, is told by the time.
const LONGEST: Duration = Duration::from_secs(3);

/// How many kinds of dear hashes are remembered.
const MAX_KINDS: usize = 32;

/// What is known of hashes that cost more than a new one.
///
/// Such hashes are compared by some of the threads, and those that come at the
/// same time wait for one another. Refusals of all others are as far apart.
pub(crate) struct Refusals(Mutex<State>);

struct State {
    dear: Vec<Dear>,
    /// How long it takes to make what is stored of a digest, if there are any whose
    /// owners are adopted: a moving average.
    digest: Option<Duration>,
    /// From when on each of the threads that compare dear hashes would be free,
    /// had every refusal been of the dearest.
    free_from: Vec<Option<Instant>>,
}

struct Dear {
    kind: Kind,
    /// How long it takes for each of [`Kind::grows`]: a moving average.
    took: Duration,
}

impl Refusals {
    /// With so many threads that compare dear hashes.
    pub(crate) fn new(threads: usize) -> Self {
        Self(Mutex::new(State {
            dear: Vec::new(),
            digest: None,
            free_from: vec![None; threads],
        }))
    }

    /// Says how long a comparison with a dear hash took, for a password of so
    /// many bytes.
    pub(crate) fn note(&self, kind: Kind, password: usize, took: Duration) {
        let parts = u32::try_from(kind.grows(password)).unwrap_or(u32::MAX);
        let took = took / parts.max(1);
        let mut state = self.lock();
        if let Some(known) = state.dear.iter_mut().find(|known| known.kind == kind) {
            known.took = known.took / 8 * 7 + took / 8;
            return;
        }
        if state.dear.len() == MAX_KINDS {
            let cheapest = (0..MAX_KINDS).min_by_key(|at| state.dear[*at].took);
            cheapest.map(|at| state.dear.swap_remove(at));
        }
        state.dear.push(Dear { kind, took });
    }

    /// Says how long it took to make what is stored of a digest.
    pub(crate) fn note_digest(&self, took: Duration) {
        let mut state = self.lock();
        let average = |known: Duration| known / 8 * 7 + took / 8;
        state.digest = Some(state.digest.map_or(took, average));
    }

    /// From when on the comparison that was asked for at `asked`, of a password of
    /// so many bytes, may be answered with a refusal. `None`: at once.
    pub(crate) fn release(&self, asked: Instant, password: usize) -> Option<Instant> {
        let mut state = self.lock();
        let took = state.dear.iter().map(|dear| {
            let parts = u32::try_from(dear.kind.grows(password)).unwrap_or(u32::MAX);
            dear.took.saturating_mul(parts)
        });
        // With headroom: half of them take longer than the average.
        let dearest = took.max().map(|took| took + took / 2);
        // With what is stored of it, its owner is adopted: as long again is left for that.
        let digest = state.digest.map(|took| took * 2);
        let floor = dearest.max(digest)?.min(LONGEST);
        let thread = state.free_from.iter_mut().min()?;
        let begun = thread.map_or(asked, |free| free.max(asked));
        let released = (begun + floor).min(asked + LONGEST);
        *thread = Some(released);
        Some(released)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a time to begin with")]

    use super::*;
    use crate::imported::{Cost, Function};

    fn kind(function: Function, steps: u64) -> Kind {
        Kind::Imported {
            cost: Cost::new(function, steps),
            memory_kib: 0,
        }
    }

    fn bcrypt(log_rounds: u32) -> Kind {
        kind(Function::Bcrypt, 1 << log_rounds)
    }

    const SHORT: usize = 8;
    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn without_dear_hashes_refusals_are_answered_at_once() {
        assert_eq!(Refusals::new(1).release(Instant::now(), SHORT), None);
    }

    #[test]
    fn a_refusal_is_held_back_for_half_as_long_again_as_the_dearest_takes() {
        let refusals = Refusals::new(1);
        refusals.note(bcrypt(12), SHORT, 200 * MILLI);
        refusals.note(bcrypt(10), SHORT, 50 * MILLI);
        let asked = Instant::now();
        assert_eq!(refusals.release(asked, SHORT), Some(asked + 300 * MILLI));
        let later = asked + 500 * MILLI;
        assert_eq!(refusals.release(later, SHORT), Some(later + 300 * MILLI));
    }

    #[test]
    fn where_owners_of_digests_are_adopted_refusals_are_held_back_for_twice_the_hash() {
        let refusals = Refusals::new(1);
        refusals.note_digest(40 * MILLI);
        let asked = Instant::now();
        assert_eq!(refusals.release(asked, SHORT), Some(asked + 80 * MILLI));
        refusals.note_digest(80 * MILLI);
        let later = asked + 500 * MILLI;
        assert_eq!(refusals.release(later, SHORT), Some(later + 90 * MILLI));
        refusals.note(bcrypt(12), SHORT, 200 * MILLI);
        let last = later + 500 * MILLI;
        assert_eq!(refusals.release(last, SHORT), Some(last + 300 * MILLI));
    }

    #[test]
    fn refusals_at_the_same_time_are_as_far_apart_as_dear_comparisons_and_bounded() {
        let refusals = Refusals::new(2);
        refusals.note(bcrypt(12), SHORT, 200 * MILLI);
        let asked = Instant::now();
        let released: Vec<_> = (0..30)
            .filter_map(|_| refusals.release(asked, SHORT))
            .map(|released| (released - asked).as_millis())
            .collect();
        assert_eq!(released[..5], [300, 300, 600, 600, 900]);
        assert_eq!(released.last(), Some(&LONGEST.as_millis()));
        // Nothing is left over of it.
        let later = asked + LONGEST;
        assert_eq!(refusals.release(later, SHORT), Some(later + 300 * MILLI));
    }

    #[test]
    fn a_longer_password_is_held_back_for_longer_where_it_takes_longer() {
        let refusals = Refusals::new(1);
        let sha_crypt = kind(Function::Sha512Crypt, 656_000);
        refusals.note(sha_crypt, 500, 800 * MILLI);
        let asked = Instant::now();
        assert_eq!(sha_crypt.grows(500), 8);
        assert_eq!(refusals.release(asked, SHORT), Some(asked + 150 * MILLI));
        let later = asked + LONGEST;
        assert_eq!(refusals.release(later, 500), Some(later + 1_200 * MILLI));
    }

    #[test]
    fn one_disturbed_comparison_says_little_and_the_dearest_are_remembered() {
        let refusals = Refusals::new(1);
        refusals.note(bcrypt(12), SHORT, 200 * MILLI);
        refusals.note(bcrypt(12), SHORT, 1_000 * MILLI);
        let asked = Instant::now();
        assert_eq!(refusals.release(asked, SHORT), Some(asked + 450 * MILLI));
        for steps in 1..100 {
            refusals.note(kind(Function::Phpass, steps), SHORT, MILLI);
        }
        assert!(refusals.lock().dear.len() <= MAX_KINDS);
        let later = asked + LONGEST;
        assert_eq!(refusals.release(later, SHORT), Some(later + 450 * MILLI));
    }
}
