//! Measuring in turn: A B A B …, so that what moves the machine moves all sides.

use crate::failure::Failure;
use crate::report::{Figure, Gate, Rates};
use crate::sample::Sample;
use crate::statistics::Spread;

/// One of the things that are compared.
pub(crate) struct Side<'a> {
    pub(crate) name: &'a str,
    /// Measures one round.
    pub(crate) round: Box<dyn FnMut() -> Result<Sample, Failure> + 'a>,
}

impl<'a> Side<'a> {
    pub(crate) fn new(name: &'a str, round: impl FnMut() -> Result<Sample, Failure> + 'a) -> Self {
        Self {
            name,
            round: Box::new(round),
        }
    }
}

/// The samples of each side, in the order of the sides.
pub(crate) fn alternate(
    rounds: u32,
    mut sides: Vec<Side<'_>>,
) -> Result<Vec<Vec<Sample>>, Failure> {
    let mut samples: Vec<Vec<Sample>> = sides.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (side, samples) in sides.iter_mut().zip(&mut samples) {
            let sample = (side.round)()?;
            eprintln!("  round {round}, {}: {:.0}/s", side.name, sample.rate());
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// Measures the first side beside the others, which are floors. The best floor
/// comes first, and only it decides.
pub(crate) fn beside_floors(
    name: &str,
    rounds: u32,
    least: f64,
    sides: Vec<Side<'_>>,
) -> Result<Vec<Figure>, Failure> {
    let names: Vec<String> = sides.iter().map(|side| side.name.into()).collect();
    let mut measured = names.into_iter().zip(alternate(rounds, sides)?);
    let (_, ours) = measured.next().unwrap_or_default();
    let mut floors: Vec<(String, Vec<Sample>)> = measured.collect();
    floors.sort_by(|(_, a), (_, b)| median_rate(b).total_cmp(&median_rate(a)));
    let figure = |(index, (floor_name, floor)): (usize, (String, Vec<Sample>))| {
        Figure::Rates(Rates {
            name: name.into(),
            floor_name,
            floor,
            ours: ours.clone(),
            gate: Some(Gate::Ratio(least)).filter(|_| index == 0),
        })
    };
    Ok(floors.into_iter().enumerate().map(figure).collect())
}

/// Measures how much longer a call takes on the second side than on the first.
pub(crate) fn growth(
    name: String,
    rounds: u32,
    most: f64,
    small: Side<'_>,
    large: Side<'_>,
) -> Result<Figure, Failure> {
    let floor_name = small.name.to_owned();
    let mut samples = alternate(rounds, vec![small, large])?.into_iter();
    Ok(Figure::Rates(Rates {
        name,
        floor_name,
        floor: samples.next().unwrap_or_default(),
        ours: samples.next().unwrap_or_default(),
        gate: Some(Gate::Growth(most)),
    }))
}

fn median_rate(samples: &[Sample]) -> f64 {
    let rates = samples.iter().map(Sample::rate);
    Spread::of(rates).map_or(0.0, |rates| rates.median)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn sides_are_measured_in_turn() {
        let order = RefCell::new(String::new());
        let side = |name| {
            let order = &order;
            Side::new(name, move || {
                order.borrow_mut().push_str(name);
                Ok(Sample {
                    calls: 1,
                    seconds: 1.0,
                    server_cpu_seconds: None,
                    machine_cpu_seconds: 1.0,
                })
            })
        };
        let samples = alternate(3, vec![side("a"), side("b")]).unwrap();
        assert_eq!(*order.borrow(), "ababab");
        assert!(samples.iter().all(|samples| samples.len() == 3));
    }
}
