//! Medians and spreads of a few rounds.

use serde::Serialize;

/// The middle and the ends of several values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` if there are no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self { median, min, max })
    }

    /// The ratios of values measured side by side, round by round: what moves
    /// the whole machine moves both sides of a round.
    pub(crate) fn of_ratios(above: &[f64], below: &[f64]) -> Option<Self> {
        Self::of(above.iter().zip(below).map(|(above, below)| above / below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 10.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (3.5, 1.0, 10.0));
        assert_eq!(Spread::of([7.0, 5.0, 6.0]).unwrap().median, 6.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_machine_that_slows_down_does_not_change_the_ratio() {
        let floor = [100.0, 50.0, 20.0];
        let ours = [90.0, 45.0, 18.0];
        let ratio = Spread::of_ratios(&ours, &floor).unwrap();
        for value in [ratio.median, ratio.min, ratio.max] {
            assert!((value - 0.9).abs() < 1e-12, "{value}");
        }
    }
}
