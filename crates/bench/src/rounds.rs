//! Measuring in turn: A B A B …, so that what moves the machine moves all sides.

use crate::failure::Failure;
use crate::sample::Sample;

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
