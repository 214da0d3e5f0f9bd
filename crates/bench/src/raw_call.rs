//! Calls whose bytes are made before the round: the generator shares the cores
//! with the server, and costs both sides of a comparison the same.

use std::sync::Arc;

use crate::closed_loop::{Client, Step};
use crate::connections::{Connection, Connections};
use crate::corpus::Corpus;
use crate::failure::{Context as _, Failure};

/// Which questions a caller asks.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    /// Each of these once.
    Each(std::ops::Range<usize>),
    /// Any, drawn evenly, for as long as the round lasts.
    Random(SplitMix),
}

/// Asks the questions of a corpus.
pub(crate) struct RawCaller {
    corpus: Arc<Corpus>,
    order: Order,
    connection: Option<Connection>,
}

/// A small generator of even draws (Steele, Lea and Flood 2014). Every run
/// draws alike.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix(u64);

impl RawCaller {
    pub(crate) fn new(corpus: &Arc<Corpus>, order: Order) -> Self {
        Self {
            corpus: Arc::clone(corpus),
            order,
            connection: None,
        }
    }

    /// As many callers as there are calls in flight, which draw differently.
    pub(crate) fn crowd(corpus: &Arc<Corpus>, size: usize) -> Vec<Self> {
        let caller = |seed| Self::new(corpus, Order::Random(SplitMix(seed)));
        (0..size as u64).map(caller).collect()
    }

    /// Callers who together ask each question once.
    pub(crate) fn once_each(corpus: &Arc<Corpus>, size: usize) -> Vec<Self> {
        let count = corpus.len();
        let share = count.div_ceil(size);
        (0..count)
            .step_by(share)
            .map(|first| Self::new(corpus, Order::Each(first..(first + share).min(count))))
            .collect()
    }
}

impl Client for RawCaller {
    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(connections.next().await?);
        Ok(())
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let next = match &mut self.order {
            Order::Each(left) => left.next(),
            Order::Random(draw) => Some(draw.below(self.corpus.len())),
        };
        let Some(index) = next else {
            return Ok(Step::Done);
        };
        let connection = self.connection.as_mut().expect("it was opened");
        ask(&self.corpus, connection, index).await?;
        Ok(Step::Answered)
    }
}

/// Asks one question and checks the answer.
pub(crate) async fn ask(
    corpus: &Corpus,
    connection: &mut Connection,
    index: usize,
) -> Result<(), Failure> {
    let answer = connection
        .exchange(corpus.path(), corpus.authorization(), corpus.request(index))
        .await
        .context("a call")?;
    corpus.check(index, &answer)
}

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_reach_every_question() {
        let mut draw = SplitMix(7);
        let mut seen = [0; 10];
        for _ in 0..10_000 {
            seen[draw.below(10)] += 1;
        }
        assert!(
            seen.iter().all(|count| (900..1_100).contains(count)),
            "{seen:?}"
        );
    }
}
