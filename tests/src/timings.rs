//! How long calls take, by what they are made for, and whether that tells it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// Durations by a name, taken in rounds: the first ones of all names belong
/// together, the second ones, and so on.
#[derive(Debug, Clone, Default)]
pub struct Timings(BTreeMap<String, Vec<Duration>>);

impl Timings {
    /// Notes one duration.
    pub fn add(&mut self, name: &str, took: Duration) {
        self.0.entry(name.into()).or_default().push(took);
    }

    /// Measures one call.
    pub async fn measure<T>(&mut self, name: &str, call: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let outcome = call.await;
        self.add(name, began.elapsed());
        outcome
    }

    /// The median of each name.
    #[must_use]
    pub fn medians(&self) -> BTreeMap<&str, Duration> {
        let medians = self
            .0
            .iter()
            .map(|(name, all)| (name.as_str(), median(all)));
        medians.collect()
    }

    /// The difference between the longest and the shortest median.
    #[must_use]
    pub fn gap(&self) -> Duration {
        let medians = self.medians();
        let longest = medians.values().max().copied().unwrap_or_default();
        longest - medians.values().min().copied().unwrap_or_default()
    }

    /// Whether the durations tell the names apart: by more than `limit`, and not
    /// by an accident that a busy machine brings about.
    ///
    /// A permutation test: where the names tell nothing, mixing the durations of
    /// each round makes a gap of this size as often as not.
    #[must_use]
    pub fn tell_apart(&self, limit: Duration) -> bool {
        const SHUFFLES: usize = 400;
        let gap = self.gap();
        if gap <= limit {
            return false;
        }
        let mut mixed = self.clone();
        let mut random = SmallRandom(0x9e37_79b9_7f4a_7c15);
        let by_accident = (0..SHUFFLES).filter(|_| {
            mixed.mix_rounds(&mut random);
            mixed.gap() >= gap
        });
        by_accident.count() < SHUFFLES / 100
    }

    /// Gives the durations of each round to the names at random.
    fn mix_rounds(&mut self, random: &mut SmallRandom) {
        let mut columns: Vec<&mut Vec<Duration>> = self.0.values_mut().collect();
        let rounds = columns.iter().map(|column| column.len()).min();
        for round in 0..rounds.unwrap_or_default() {
            for last in (1..columns.len()).rev() {
                let other = random.below(last + 1);
                let moved = columns[last][round];
                columns[last][round] = columns[other][round];
                columns[other][round] = moved;
            }
        }
    }
}

/// Numbers that are random enough to mix durations (xorshift64).
struct SmallRandom(u64);

impl SmallRandom {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let medians = self.medians();
        let parts = medians.iter().map(|(name, median)| {
            let millis = median.as_secs_f64() * 1_000.0;
            format!("{name} {millis:.2} ms")
        });
        f.write_str(&parts.collect::<Vec<_>>().join(", "))
    }
}

fn median(all: &[Duration]) -> Duration {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_lies_between_the_medians() {
        let mut timings = Timings::default();
        for (name, millis) in [("a", 1), ("a", 2), ("a", 90), ("b", 5), ("b", 5), ("b", 0)] {
            timings.add(name, Duration::from_millis(millis));
        }
        assert_eq!(timings.gap(), Duration::from_millis(3));
        assert_eq!(timings.to_string(), "a 2.00 ms, b 5.00 ms");
    }

    #[test]
    fn a_steady_difference_tells_and_a_noisy_one_does_not() {
        let mut random = SmallRandom(1);
        let (mut steady, mut noisy) = (Timings::default(), Timings::default());
        for _ in 0..20 {
            for (number, name) in ["a", "b", "c"].iter().enumerate() {
                let noise = random.below(40) as u64;
                let more = if number == 0 { 25 } else { 0 };
                steady.add(name, Duration::from_millis(noise + more));
                noisy.add(name, Duration::from_millis(noise));
            }
        }
        assert!(steady.tell_apart(Duration::from_millis(3)), "{steady}");
        assert!(!steady.tell_apart(Duration::from_millis(60)), "{steady}");
        assert!(!noisy.tell_apart(Duration::from_millis(3)), "{noisy}");
    }
}
