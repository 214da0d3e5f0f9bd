//! What Linux tells about processes and the machine.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Once;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use crate::failure::{Context as _, Failure};

/// The unit of CPU times in `/proc`, whatever the kernel's own is (proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// The machine on which the figures were measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) cpu: String,
    pub(crate) kernel: String,
    /// Processes that ran or wanted to within the last minute, before the start.
    pub(crate) load: f64,
}

/// The memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident, shared pages included.
    pub(crate) resident: u64,
    /// Resident, shared pages divided among those who share them.
    pub(crate) proportional: u64,
}

impl Machine {
    pub(crate) fn this() -> Result<Self, Failure> {
        let value = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let load = read("/proc/loadavg")?;
        let load = load
            .split_whitespace()
            .next()
            .and_then(|load| load.parse().ok());
        Ok(Self {
            cores: cores().get(),
            cpu: value(&read("/proc/cpuinfo")?, "model name"),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load: load.unwrap_or_default(),
        })
    }
}

/// How many threads run at once.
pub(crate) fn cores() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Lets this thread run before all of ordinary priority (`SCHED_FIFO`), and says at
/// the first refusal that it may not.
pub(crate) fn go_first() {
    static SAID: Once = Once::new();
    let first = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, first);
    if let Err(error) = set {
        SAID.call_once(|| {
            eprintln!("  the generator waits for cores like all others: {error:?}");
        });
    }
}

/// The time that a process has had on a CPU, in user and in kernel mode.
pub(crate) fn cpu_of(pid: u32) -> Result<Duration, Failure> {
    let path = format!("/proc/{pid}/stat");
    let text = read(&path)?;
    // The second field, the name in parentheses, may hold anything.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    ticks(fields, &[11, 12]).ok_or_else(|| Failure::new(format!("{path} has no CPU times")))
}

/// The time in which the CPUs of the machine were not idle, together.
pub(crate) fn busy() -> Result<Duration, Failure> {
    let text = read("/proc/stat")?;
    // user, nice, system, irq, softirq; idle, iowait and what others stole are not ours.
    let fields = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("cpu "));
    fields
        .and_then(|fields| ticks(fields, &[0, 1, 2, 5, 6]))
        .ok_or_else(|| Failure::new("/proc/stat has no CPU times"))
}

/// The memory of a process.
pub(crate) fn memory_of(pid: u32) -> Result<Memory, Failure> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = read(&path)?;
    let kib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok())
            .ok_or_else(|| Failure::new(format!("{path} has no {key}")))
    };
    Ok(Memory {
        resident: kib("Rss:")? * 1024,
        proportional: kib("Pss:")? * 1024,
    })
}

/// The present moment, to measure with.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring time is what this program is for"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The seconds since 1970-01-01, as an authenticator app counts them.
#[expect(
    clippy::disallowed_methods,
    reason = "an authenticator app goes by its own clock"
)]
pub(crate) fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

fn ticks(fields: &str, which: &[usize]) -> Option<Duration> {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: Option<Vec<u32>> = which
        .iter()
        .map(|&index| fields.get(index)?.parse().ok())
        .collect();
    Some(TICK * ticks?.into_iter().sum::<u32>())
}

fn read(path: &str) -> Result<String, Failure> {
    fs::read_to_string(path).context(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_of_a_process_is_read_past_a_name_with_parentheses() {
        let line = "42 (a) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 9 9 20 0 1 0 0";
        let fields = line.rsplit_once(')').map_or("", |(_, rest)| rest);
        assert_eq!(ticks(fields, &[11, 12]), Some(Duration::from_secs(2)));
        assert_eq!(ticks("1 2", &[11]), None);
    }

    #[test]
    fn this_process_has_memory_and_this_machine_cores() {
        let memory = memory_of(std::process::id()).unwrap();
        assert!(memory.resident >= memory.proportional && memory.proportional > 0);
        assert!(Machine::this().unwrap().cores > 0);
        assert!(busy().unwrap() > Duration::ZERO);
    }
}
