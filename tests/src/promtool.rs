//! Prometheus's own judgement of metrics and rules: `promtool`.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::database_programs::find;
use crate::services;

/// What it said.
#[derive(Debug)]
pub struct Checked {
    /// Whether it found nothing wrong, and nothing to advise.
    pub is_good: bool,
    /// What it wrote.
    pub output: String,
}

/// Runs it in a directory, with something to read. `None` if it is not
/// installed, which fails where it is required.
///
/// # Panics
/// If it cannot be run, or is required and not there.
pub async fn promtool(directory: &Path, arguments: &[&str], input: &str) -> Option<Checked> {
    let Some(program) = find("promtool") else {
        services::missing("promtool is not installed (Debian's package prometheus)");
        return None;
    };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    // What reads nothing closes it at once.
    stdin.write_all(input.as_bytes()).await.ok();
    drop(stdin);
    let output = child.wait_with_output().await.expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    Some(Checked {
        is_good: output.status.success(),
        output: String::from_utf8_lossy(&said).into_owned(),
    })
}
