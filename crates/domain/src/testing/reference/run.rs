//! Playing a sequence, and finding the shortest part of it that fails.

use std::fmt;

use super::call::Subject;
use super::model::{Asked, Model};
use super::step::{Pick, Step};
use super::tally::Tally;

/// A sequence that was answered otherwise than the model says.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Its steps, of which the last one was answered so.
    pub steps: Vec<Step>,
    /// The call, what it must be answered with, and what it was.
    pub what: String,
}

/// How often a failing sequence is played to shorten it.
const TRIALS: usize = 400;

/// Plays a sequence, and then asks about every token that was issued.
///
/// # Errors
/// The first answer that is not what the model says.
pub async fn play(
    steps: &[Step],
    subject: &mut dyn Subject,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut model = Model::default();
    for (place, step) in steps.iter().enumerate() {
        let played = play_one(&mut model, *step, subject, tally).await;
        played.map_err(|what| Failure {
            steps: steps[..=place].to_vec(),
            what,
        })?;
    }
    for token in 0..model.tokens() {
        let token = Pick(u8::try_from(token).unwrap_or(u8::MAX));
        let validate = |is_aal2| Step::Validate {
            token,
            max_age: None,
            is_aal2,
        };
        for step in [
            validate(false),
            validate(true),
            Step::ListSessions { token },
        ] {
            let played = play_one(&mut model, step, subject, tally).await;
            played.map_err(|what| Failure {
                steps: [steps, &[step]].concat(),
                what,
            })?;
        }
    }
    Ok(())
}

async fn play_one(
    model: &mut Model,
    step: Step,
    subject: &mut dyn Subject,
    tally: &mut Tally,
) -> Result<(), String> {
    if let Step::Pass(span) = step {
        subject.pass(span).await;
        return Ok(());
    }
    model.now.0 = subject.now().await;
    let Some(Asked { call, says }) = model.ask(step) else {
        return Ok(());
    };
    let learnt = match subject.ask(&call).await {
        Ok(answer) => model.learn(&says, &answer),
        Err(fault) => Err(format!("it must be {says:?}, and is a fault: {fault}")),
    };
    tally.add(call.name(), says.word());
    learnt.map_err(|what| format!("{call:?}: {what}"))
}

/// Shortens a failing sequence: parts are left out as long as what is left fails.
pub async fn shrink<S: Subject>(failure: Failure, fresh: impl AsyncFn() -> S) -> Failure {
    let mut shortest = failure;
    let mut trials = 0;
    let mut part = shortest.steps.len() / 2;
    while part > 0 {
        let mut start = 0;
        while start < shortest.steps.len() && trials < TRIALS {
            trials += 1;
            let mut steps = shortest.steps.clone();
            steps.drain(start..(start + part).min(steps.len()));
            let played = play(&steps, &mut fresh().await, &mut Tally::default()).await;
            match played {
                Err(shorter) if shorter.steps.len() < shortest.steps.len() => shortest = shorter,
                _ => start += part,
            }
        }
        part /= 2;
    }
    shortest
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        write!(f, "after")?;
        for step in &self.steps {
            match step {
                Step::Pass(span) => write!(f, "\n  {} s", span.as_secs())?,
                step => write!(f, "\n  {step:?}")?,
            }
        }
        Ok(())
    }
}
