//! What was measured, as a table for people and as JSON for machines.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::arguments::Arguments;
use crate::failure::{Context as _, Failure};
use crate::sample::Sample;
use crate::statistics::Spread;
use crate::system::Machine;

/// All that one run measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    rounds: u32,
    seconds_per_round: f64,
    figures: Vec<Figure>,
}

/// One line of the report.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Rates, and what a call costs.
    Rates(Rates),
    /// A quantity of which less is better.
    Quantity(Quantity),
    /// Latencies from the time at which each call was due, in microseconds.
    Latencies(Latencies),
}

/// Ours beside a floor.
#[derive(Debug, Serialize)]
pub(crate) struct Rates {
    pub(crate) name: String,
    /// What the floor is; empty if there is none.
    pub(crate) floor_name: String,
    pub(crate) floor: Vec<Sample>,
    pub(crate) ours: Vec<Sample>,
    pub(crate) gate: Option<Gate>,
}

/// What a comparison of rates must show.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gate {
    /// The least ratio of our rate to the floor's.
    Ratio(f64),
    /// How many times as long as on the floor a call may take at the most.
    Growth(f64),
}

/// Of which less is better.
#[derive(Debug, Serialize)]
pub(crate) struct Quantity {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) values: Vec<f64>,
    /// The most.
    pub(crate) gate: Option<f64>,
}

/// Of one side, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Latencies {
    pub(crate) name: String,
    pub(crate) calls: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Report {
    pub(crate) fn begin(arguments: &Arguments) -> Result<Self, Failure> {
        Ok(Self {
            machine: Machine::this()?,
            rounds: arguments.rounds,
            seconds_per_round: arguments.round().as_secs_f64(),
            figures: Vec::new(),
        })
    }

    pub(crate) fn extend(&mut self, figures: Vec<Figure>) {
        self.figures.extend(figures);
    }

    pub(crate) fn write_json(&self, path: &Path) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(self).context("the report")?;
        fs::write(path, json + "\n").context(&path.display().to_string())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            cores,
            cpu,
            kernel,
            load,
        } = &self.machine;
        writeln!(
            f,
            "\n{cores} cores, {cpu}, Linux {kernel}, load {load:.2} before the start"
        )?;
        // Half a core's worth: what moves the rates this much hardly moves the CPU of a call.
        if *load > 0.5 {
            writeln!(
                f,
                "others are at work on this machine: trust the CPU of a call more than the rates"
            )?;
        }
        writeln!(
            f,
            "medians of {} rounds of {} s in turn (least to most); a ratio is ours : floor, \
             a share of CPU is floor : ours",
            self.rounds, self.seconds_per_round
        )?;
        self.figures.iter().try_for_each(|figure| figure.fmt(f))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rates(rates) => rates.fmt(f),
            Self::Quantity(quantity) => quantity.fmt(f),
            Self::Latencies(latencies) => latencies.fmt(f),
        }
    }
}

impl Rates {
    /// Ours to the floor, or the growth of a call's time, round by round.
    fn write_ratio(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ours, floor) = (rates(&self.ours), rates(&self.floor));
        let (name, ratio) = match self.gate {
            Some(Gate::Growth(_)) => ("growth of a call's time", Spread::of_ratios(&floor, &ours)),
            Some(Gate::Ratio(_)) | None => ("ratio", Spread::of_ratios(&ours, &floor)),
        };
        let Some(ratio) = ratio else {
            return Ok(());
        };
        write!(f, "  {name:<44}{}", spread(ratio, 3))?;
        match self.gate {
            Some(Gate::Growth(most)) => {
                verdict(f, "at most", Some(most), |most| ratio.median <= most)
            }
            Some(Gate::Ratio(least)) => {
                verdict(f, "at least", Some(least), |least| ratio.median >= least)
            }
            None => writeln!(f),
        }
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.name)?;
        let machine = |samples: &[Sample]| samples.iter().map(Sample::machine_micros).collect();
        if !self.floor.is_empty() {
            line(
                f,
                &format!("floor: {}", self.floor_name),
                &rates(&self.floor),
                0,
                "/s",
            )?;
        }
        line(f, "ours", &rates(&self.ours), 0, "/s")?;
        self.write_ratio(f)?;
        let (floor, ours) = (server_micros(&self.floor), server_micros(&self.ours));
        if let Some(floor) = &floor {
            line(f, "server CPU a call: floor", floor, 2, " µs")?;
        }
        if let Some(ours) = &ours {
            line(f, "server CPU a call: ours", ours, 2, " µs")?;
        }
        if let (Some(floor), Some(ours)) = (floor, ours)
            && let Some(share) = Spread::of_ratios(&floor, &ours)
        {
            writeln!(f, "  {:<44}{}", "share of server CPU", spread(share, 3))?;
        }
        let floor: Vec<f64> = machine(&self.floor);
        if !floor.is_empty() {
            line(
                f,
                "CPU of the whole machine a call: floor",
                &floor,
                1,
                " µs",
            )?;
        }
        let ours: Vec<f64> = machine(&self.ours);
        line(f, "CPU of the whole machine a call: ours", &ours, 1, " µs")
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(values) = Spread::of(self.values.iter().copied()) else {
            return Ok(());
        };
        write!(f, "\n{:<46}{} {}", self.name, spread(values, 1), self.unit)?;
        verdict(f, "at most", self.gate, |gate| values.median <= gate)
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<46}p50 {:.0}, p99 {:.0}, p99.9 {:.0}, max {:.0} µs of {} calls",
            self.name, self.p50, self.p99, self.p999, self.max, self.calls
        )
    }
}

fn rates(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(Sample::rate).collect()
}

/// `None` if there is no one process whose CPU it is.
fn server_micros(samples: &[Sample]) -> Option<Vec<f64>> {
    let micros: Option<Vec<f64>> = samples.iter().map(Sample::server_micros).collect();
    micros.filter(|micros| !micros.is_empty())
}

fn line(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    values: &[f64],
    digits: usize,
    unit: &str,
) -> fmt::Result {
    match Spread::of(values.iter().copied()) {
        Some(values) => writeln!(f, "  {name:<44}{}{unit}", spread(values, digits)),
        None => Ok(()),
    }
}

fn spread(Spread { median, min, max }: Spread, digits: usize) -> String {
    format!("{median:.digits$} ({min:.digits$} to {max:.digits$})")
}

fn verdict(
    f: &mut fmt::Formatter<'_>,
    bound: &str,
    gate: Option<f64>,
    holds: impl Fn(f64) -> bool,
) -> fmt::Result {
    match gate {
        Some(gate) if holds(gate) => writeln!(f, ", {bound} {gate}: holds"),
        Some(gate) => writeln!(f, ", {bound} {gate}: MISSED"),
        None => writeln!(f),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(calls: u64, cpu: f64) -> Sample {
        Sample {
            calls,
            seconds: 1.0,
            server_cpu_seconds: Some(cpu),
            machine_cpu_seconds: cpu * 2.0,
        }
    }

    #[test]
    fn a_missed_gate_is_said_loudly() {
        let mut rates = Rates {
            name: "a".into(),
            floor_name: "b".into(),
            floor: vec![sample(100, 0.5); 3],
            ours: vec![sample(90, 0.5); 3],
            gate: Some(Gate::Ratio(0.95)),
        };
        assert!(rates.to_string().contains("MISSED"), "{rates}");
        rates.gate = Some(Gate::Ratio(0.85));
        let text = rates.to_string();
        assert!(text.contains("at least 0.85: holds"), "{text}");
        assert!(text.contains("0.900 (0.900 to 0.900)"), "{text}");
    }

    #[test]
    fn a_call_that_takes_longer_has_grown() {
        let rates = |most| Rates {
            name: "a".into(),
            floor_name: "b".into(),
            floor: vec![sample(100, 0.5); 3],
            ours: vec![sample(80, 0.5); 3],
            gate: Some(Gate::Growth(most)),
        };
        assert!(rates(1.3).to_string().contains("at most 1.3: holds"));
        let text = rates(1.2).to_string();
        assert!(
            text.contains("1.250 (1.250 to 1.250), at most 1.2: MISSED"),
            "{text}"
        );
    }

    #[test]
    fn of_memory_less_is_better() {
        let memory = |most| Quantity {
            name: "memory".into(),
            unit: "MB",
            values: vec![30.0, 40.0, 20.0],
            gate: Some(most),
        };
        assert!(memory(30.0).to_string().contains("at most 30: holds"));
        assert!(memory(29.0).to_string().contains("MISSED"));
    }
}
