//! One round of one side.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::failure::Failure;
use crate::system;

/// What was measured in one round of one side.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    /// Calls whose answers were right.
    pub(crate) calls: u64,
    pub(crate) seconds: f64,
    /// CPU of the process that answers. `None` where that is not one process.
    pub(crate) server_cpu_seconds: Option<f64>,
    /// CPU of everything on the machine, the load generator included.
    pub(crate) machine_cpu_seconds: f64,
}

/// Takes the times at the start of a round.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    watched: Option<u32>,
    started: Instant,
    server: Duration,
    machine: Duration,
}

impl Sample {
    pub(crate) fn rate(&self) -> f64 {
        self.calls() / self.seconds
    }

    pub(crate) fn server_micros(&self) -> Option<f64> {
        self.server_cpu_seconds.map(|cpu| cpu / self.calls() * 1e6)
    }

    pub(crate) fn machine_micros(&self) -> f64 {
        self.machine_cpu_seconds / self.calls() * 1e6
    }

    fn calls(&self) -> f64 {
        self.calls as f64
    }
}

impl Stopwatch {
    /// Starts, watching the CPU of a process if there is one.
    pub(crate) fn start(watched: Option<u32>) -> Result<Self, Failure> {
        Ok(Self {
            watched,
            server: watched.map_or(Ok(Duration::ZERO), system::cpu_of)?,
            machine: system::busy()?,
            started: system::now(),
        })
    }

    /// Ends the round in which `calls` were answered rightly.
    pub(crate) fn stop(self, calls: u64) -> Result<Sample, Failure> {
        let seconds = self.started.elapsed().as_secs_f64();
        if calls == 0 {
            return Err(Failure::new("a round went by without an answer"));
        }
        let server = self.watched.map(system::cpu_of).transpose()?;
        Ok(Sample {
            calls,
            seconds,
            server_cpu_seconds: server.map(|cpu| cpu.saturating_sub(self.server).as_secs_f64()),
            machine_cpu_seconds: system::busy()?.saturating_sub(self.machine).as_secs_f64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_costs_are_per_call() {
        let sample = Sample {
            calls: 1_000,
            seconds: 2.0,
            server_cpu_seconds: Some(0.01),
            machine_cpu_seconds: 0.04,
        };
        assert!((sample.rate() - 500.0).abs() < 1e-9);
        assert!((sample.server_micros().unwrap() - 10.0).abs() < 1e-9);
        assert!((sample.machine_micros() - 40.0).abs() < 1e-9);
    }

    #[test]
    fn a_round_without_answers_is_no_sample() {
        assert!(Stopwatch::start(None).unwrap().stop(0).is_err());
    }
}
