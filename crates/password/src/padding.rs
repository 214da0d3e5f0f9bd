//! What a comparison with a cheaper hash lacks to the cost of a new one, so that
//! the time of an answer does not tell how old a hash is.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};

use crate::kind::Kind;
use crate::parameters::Argon2Parameters;

/// How many kinds of cheaper hashes are remembered: a deployment has as many as
/// it ever had settings.
const MAX_KINDS: usize = 32;

/// For how many jobs a full hash tells how fast the machine is.
const REFERENCE_JOBS: u32 = 16;

/// Of how many measurements a correction is the moving mean.
const MEAN_OVER: i64 = 16;

/// One thread's knowledge of the work that is missing.
///
/// The missing work is counted in blocks times passes; of a hash by another
/// function it is known by the time that it took. Blocks are not all alike:
/// in little memory, and in the first pass, one takes up to a sixth less time,
/// and how much less is the machine's affair. So the thread compares the time of
/// a padded comparison with that of a full hash shortly before it, and corrects
/// what it adds to hashes of this kind.
pub(crate) struct Padding {
    today: Kind,
    reference: Option<Reference>,
    corrections: Vec<Correction>,
}

/// The last full hash.
struct Reference {
    time: Duration,
    jobs_since: u32,
    /// The kinds that were compared with it: each once, lest one disturbed time
    /// count many times.
    compared: Vec<Kind>,
}

struct Correction {
    kind: Kind,
    /// Blocks to be added to what is missing.
    blocks: i64,
    measured: i64,
}

impl Padding {
    pub(crate) fn new(parameters: Argon2Parameters) -> Self {
        Self {
            today: Kind::of(parameters),
            reference: None,
            corrections: Vec::new(),
        }
    }

    /// How long the last full hash took, if it is not long ago.
    pub(crate) fn full(&self) -> Option<Duration> {
        self.reference.as_ref().map(|reference| reference.time)
    }

    /// What is to be computed besides a hash of this kind that lacks so many
    /// blocks, in no more memory than a new hash takes. `None` if next to nothing
    /// is missing.
    pub(crate) fn fill(&self, kind: Kind, missing: i64) -> Option<Argon2<'static>> {
        if missing <= 0 {
            return None;
        }
        let correction = self.corrections.iter().find(|known| known.kind == kind);
        let work = missing + correction.map_or(0, |known| known.blocks);
        let work = u64::try_from(work).ok()?;
        let passes = work.div_ceil(self.today.memory_kib()).max(1);
        let blocks = u32::try_from(work / passes).ok()?;
        let params = Params::new(blocks, u32::try_from(passes).ok()?, 1, None).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// Takes the time of a job into account that lacked so many blocks, and that
    /// of what was filled in. `None` if the time is not to be compared with that
    /// of others.
    pub(crate) fn note(&mut self, kind: Kind, missing: i64, time: Option<Duration>) {
        if kind == self.today {
            self.reference = time.map(Reference::new);
            return;
        }
        let Some(reference) = &mut self.reference else {
            return;
        };
        reference.jobs_since += 1;
        if reference.jobs_since > REFERENCE_JOBS {
            self.reference = None;
            return;
        }
        if let Some(time) = time
            && missing > 0
            && !reference.compared.contains(&kind)
        {
            reference.compared.push(kind);
            let reference = reference.time;
            self.correct(kind, missing, reference, time);
        }
    }

    /// How many blocks a hash of this kind lacks that took `spent`, where a new
    /// one takes `full`; negative if it is dearer.
    pub(crate) fn missing(&self, kind: Kind, spent: Duration, full: Duration) -> i64 {
        let today = self.today.work().cast_signed();
        let done = match kind {
            // Memory besides what the thread owns is had anew, which takes time.
            Kind::Argon2 { blocks, .. } if blocks <= self.today.memory_kib() => {
                kind.work().cast_signed()
            }
            _ => nanos(spent).saturating_mul(today) / nanos(full).max(1),
        };
        today - done
    }

    fn correct(&mut self, kind: Kind, missing: i64, reference: Duration, time: Duration) {
        let today = self.today.work().cast_signed();
        let (lowest, highest) = (-missing, today / 2);
        // What one measurement may say is bounded: the machine does other things.
        let most = today / 8;
        let shorter = nanos(reference) - nanos(time);
        let error = (shorter.saturating_mul(today) / nanos(reference).max(1)).clamp(-most, most);

        let known = self.correction(kind);
        known.measured = (known.measured + 1).min(MEAN_OVER);
        known.blocks = (known.blocks + error / known.measured).clamp(lowest, highest);
    }

    fn correction(&mut self, kind: Kind) -> &mut Correction {
        let place = match self.corrections.iter().position(|known| known.kind == kind) {
            Some(place) => place,
            None => {
                if self.corrections.len() == MAX_KINDS {
                    self.corrections.remove(0);
                }
                self.corrections.push(Correction {
                    kind,
                    blocks: 0,
                    measured: 0,
                });
                self.corrections.len() - 1
            }
        };
        &mut self.corrections[place]
    }
}

impl Reference {
    fn new(time: Duration) -> Self {
        Self {
            time,
            jobs_since: 0,
            compared: Vec::new(),
        }
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imported::{Cost, Function};

    const TODAY: u64 = 16_384 * 2;

    fn parameters(memory_kib: u32, passes: u32) -> Argon2Parameters {
        Argon2Parameters::new(memory_kib, passes, 1).expect("parameters")
    }

    fn kind(memory_kib: u32, passes: u32) -> Kind {
        let params = Params::new(memory_kib, passes, 1, None).expect("parameters");
        Kind::new(Algorithm::Argon2id, Version::V0x13, &params)
    }

    fn padding() -> Padding {
        Padding::new(parameters(16_384, 2))
    }

    /// The blocks that a hash of this kind lacks.
    fn missing(padding: &Padding, kind: Kind) -> i64 {
        padding.missing(kind, Duration::ZERO, Duration::ZERO)
    }

    fn note(padding: &mut Padding, kind: Kind, time: Option<Duration>) {
        let missing = missing(padding, kind);
        padding.note(kind, missing, time);
    }

    /// The blocks that are added to a hash of this kind.
    fn added(padding: &Padding, kind: Kind) -> u64 {
        added_to(padding, kind, missing(padding, kind))
    }

    fn added_to(padding: &Padding, kind: Kind, missing: i64) -> u64 {
        padding.fill(kind, missing).map_or(0, |argon2| {
            let params = argon2.params();
            assert!(
                params.block_count() <= 16_384,
                "more memory than a new hash"
            );
            params.block_count() as u64 * u64::from(params.t_cost())
        })
    }

    fn micros(micros: u64) -> Option<Duration> {
        Some(Duration::from_micros(micros))
    }

    #[test]
    fn cheaper_hashes_are_filled_up_to_the_work_of_a_new_one() {
        for (memory_kib, passes) in [
            (8, 1),
            (256, 2),
            (4_096, 3),
            (8_192, 1),
            (12_288, 2),
            (16_384, 1),
        ] {
            let kind = kind(memory_kib, passes);
            let work = kind.work() + added(&padding(), kind);
            assert!(
                (TODAY - 16..=TODAY).contains(&work),
                "m={memory_kib} t={passes}: {work}"
            );
        }
    }

    #[test]
    fn nothing_is_added_to_a_hash_that_costs_as_much_or_more() {
        for (memory_kib, passes) in [(16_384, 2), (8_192, 4), (8_192, 5)] {
            assert_eq!(added(&padding(), kind(memory_kib, passes)), 0);
        }
    }

    #[test]
    fn what_a_thread_measures_corrects_what_it_adds() {
        let (mut padding, today, old) = (padding(), kind(16_384, 2), kind(4_096, 3));
        // A block of the old kind and of what is added takes 0.9 of the time.
        for _ in 0..50 {
            note(&mut padding, today, micros(10_000));
            let work = old.work() + added(&padding, old);
            note(&mut padding, old, micros(work * 9_000 / TODAY));
        }
        let work = old.work() + added(&padding, old);
        let right = TODAY * 10 / 9;
        assert!(right.abs_diff(work) < TODAY / 200, "{work} not {right}");
        // Other kinds have corrections of their own.
        assert!(added(&padding, kind(8_192, 1)) <= TODAY - 8_192);
    }

    #[test]
    fn one_disturbed_measurement_says_little_and_none_says_nothing() {
        let (mut padding, today, old) = (padding(), kind(16_384, 2), kind(4_096, 3));
        let before = added(&padding, old);
        note(&mut padding, old, micros(5_000));
        note(&mut padding, today, None);
        note(&mut padding, old, micros(5_000));
        note(&mut padding, today, micros(10_000));
        for _ in 0..REFERENCE_JOBS {
            note(&mut padding, old, None);
        }
        note(&mut padding, old, micros(5_000));
        assert_eq!(added(&padding, old), before);

        for _ in 0..100 {
            note(&mut padding, today, micros(10_000));
            note(&mut padding, old, micros(10_000));
        }
        note(&mut padding, today, micros(10_000));
        // Once for each full hash.
        note(&mut padding, old, micros(1_000_000));
        note(&mut padding, old, micros(1_000_000));
        let less = before - added(&padding, old);
        assert!((1..=TODAY / 8 / 16).contains(&less), "{less}");
    }

    #[test]
    fn the_corrections_are_bounded_in_size_and_number() {
        let (mut padding, today) = (padding(), kind(16_384, 2));
        for memory_kib in (1_024..).step_by(8).take(3 * MAX_KINDS) {
            let old = kind(memory_kib, 1);
            for took in [1, 1_000_000] {
                for _ in 0..200 {
                    note(&mut padding, today, micros(10_000));
                    note(&mut padding, old, micros(took));
                }
                let work = old.work() + added(&padding, old);
                assert!((old.work()..=TODAY * 3 / 2).contains(&work), "{work}");
            }
            assert!(padding.corrections.len() <= MAX_KINDS);
        }
    }

    #[test]
    fn a_hash_by_another_function_is_filled_up_by_the_time_that_it_took() {
        let (mut padding, today) = (padding(), kind(16_384, 2));
        let imported = Kind::Imported {
            cost: Cost::new(Function::Phpass, 8_192),
            memory_kib: 0,
        };
        let full = Duration::from_millis(10);
        let lacks = |padding: &Padding, millis| {
            padding.missing(imported, Duration::from_millis(millis), full)
        };
        for (millis, missing) in [(0, TODAY), (1, TODAY * 9 / 10), (9, TODAY / 10)] {
            let added = added_to(&padding, imported, lacks(&padding, millis));
            assert!(added.abs_diff(missing) <= 16, "{millis} ms: {added}");
        }
        for millis in [10, 11, 1_000] {
            let missing = lacks(&padding, millis);
            assert!(missing <= 0, "{millis} ms: {missing}");
            assert_eq!(added_to(&padding, imported, missing), 0);
        }
        // So is one by Argon2 in more memory than the thread owns.
        let large = kind(16_388, 1);
        let missing = padding.missing(large, full * 2, full);
        assert!(missing <= 0, "{missing}");
        // What is filled in takes a tenth less than the blocks of a new hash.
        let missing = lacks(&padding, 2);
        for _ in 0..50 {
            note(&mut padding, today, micros(10_000));
            let added = added_to(&padding, imported, missing);
            padding.note(imported, missing, micros(2_000 + added * 9_000 / TODAY));
        }
        let added = added_to(&padding, imported, missing);
        let right = TODAY * 8 / 9;
        assert!(right.abs_diff(added) < TODAY / 200, "{added} not {right}");
    }
}
