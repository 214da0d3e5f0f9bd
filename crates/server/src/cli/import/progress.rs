//! How far an import is: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_domain::ports::Clock;

use super::report::Counts;

/// How wide the bar is.
const WIDTH: u64 = 30;
/// Between two lines that are kept.
const KEPT: Duration = Duration::from_secs(10);

/// How far an import is.
pub(super) struct Progress {
    clock: Arc<dyn Clock>,
    began: Duration,
    shown: Duration,
    /// How many bytes were read, of how many if that is known.
    read: Arc<AtomicU64>,
    size: Option<u64>,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new(clock: Arc<dyn Clock>, read: Arc<AtomicU64>, size: Option<u64>) -> Self {
        let began = clock.monotonic();
        Self {
            clock,
            began,
            shown: began,
            read,
            size,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    pub(super) fn took(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.began)
    }

    /// Shows it, if it is time.
    pub(super) fn show(&mut self, counts: &Counts, notes: &mut dyn Write) -> io::Result<()> {
        let now = self.clock.monotonic();
        if !self.is_terminal && now.saturating_sub(self.shown) < KEPT {
            return Ok(());
        }
        self.shown = now;
        let line = line(
            counts,
            self.took(),
            self.read.load(Ordering::Relaxed),
            self.size,
        );
        match self.is_terminal {
            true => write!(notes, "\r{line}\u{1b}[K")?,
            false => writeln!(notes, "{line}")?,
        }
        notes.flush()
    }

    /// Takes the bar away.
    pub(super) fn clear(&self, notes: &mut dyn Write) -> io::Result<()> {
        match self.is_terminal {
            true => write!(notes, "\r\u{1b}[K"),
            false => Ok(()),
        }
    }
}

fn line(counts: &Counts, took: Duration, read: u64, size: Option<u64>) -> String {
    let rate = per_second(counts.all(), took);
    let text = format!(
        "{} users, {rate}/s: {} imported, {} already there, {} refused",
        counts.all(),
        counts.imported,
        counts.already_there,
        counts.refused
    );
    let Some(size) = size.filter(|size| *size > 0) else {
        return text;
    };
    let done = (read.min(size) * WIDTH / size).min(WIDTH);
    let percent = read.min(size) * 100 / size;
    let bar = "#".repeat(usize::try_from(done).unwrap_or_default());
    let rest = "-".repeat(usize::try_from(WIDTH - done).unwrap_or_default());
    format!("[{bar}{rest}] {percent} %  {text}")
}

/// How many a second that is.
pub(super) fn per_second(count: u64, took: Duration) -> u64 {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000) / millis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is() {
        let counts = Counts {
            imported: 900,
            already_there: 80,
            refused: 20,
            ..Counts::default()
        };
        let second = Duration::from_secs(2);
        assert_eq!(
            line(&counts, second, 50, Some(200)),
            "[#######-----------------------] 25 %  1000 users, 500/s: 900 imported, 80 already \
             there, 20 refused"
        );
        assert_eq!(
            line(&counts, Duration::ZERO, 0, None),
            "1000 users, 1000000/s: 900 imported, 80 already there, 20 refused"
        );
    }
}
