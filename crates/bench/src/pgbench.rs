//! Rounds of PostgreSQL's own load generator.

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::failure::{Context as _, Failure};
use crate::system;

/// What pgbench says of a round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) transactions: u64,
    /// How long they took, without the time that connecting took.
    pub(crate) seconds: f64,
}

/// Whether there is a pgbench.
pub(crate) fn is_there() -> Result<bool, Failure> {
    match Command::new("pgbench").arg("--version").output() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("  there is no pgbench; the floor is that of the driver");
            Ok(false)
        }
        Err(error) => Err(Failure::new(format!("pgbench: {error}"))),
    }
}

/// Runs a script over and over, in as many clients. The variable `generation`
/// is 0 at first.
pub(crate) fn run(
    url: &str,
    script: &str,
    clients: usize,
    length: Duration,
) -> Result<Round, Failure> {
    let mut file = NamedTempFile::new().context("pgbench's script")?;
    file.write_all(script.as_bytes())
        .context("pgbench's script")?;
    let output = Command::new("pgbench")
        .args([
            "--no-vacuum",
            "--protocol=prepared",
            "--define=generation=0",
        ])
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", system::cores().get().min(clients)))
        .arg(format!("--time={:.0}", length.as_secs_f64().ceil()))
        .arg(format!("--file={}", file.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .context("pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match round(&text).filter(|_| output.status.success()) {
        Some(round) => Ok(round),
        None => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(Failure::new(format!("pgbench: {text}{errors}")))
        }
    }
}

fn round(text: &str) -> Option<Round> {
    let transactions = number(text, "number of transactions actually processed: ")?;
    let rate = number(text, "tps = ")?;
    Some(Round {
        transactions: transactions as u64,
        seconds: transactions / rate,
    })
}

/// The number that follows these words.
fn number(text: &str, words: &str) -> Option<f64> {
    let (_, rest) = text.split_once(words)?;
    let digits = rest
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let text = "number of transactions actually processed: 25466\n\
                    tps = 12733.0 (without initial connection time)\n";
        let said = round(text).unwrap();
        assert_eq!(said.transactions, 25_466);
        assert!((said.seconds - 2.0).abs() < 1e-9, "{said:?}");
        assert!(round("pgbench: error").is_none());
    }
}
