//! Running a command of the program to its end.

use std::path::Path;

use crate::launch::Launch;
use crate::wait::PATIENCE;

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

/// Runs a command in a directory, with these environment variables only.
///
/// # Panics
/// If it cannot be started or does not end.
pub async fn run(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
    let mut launch = Launch::in_directory(directory);
    launch.variables = variables
        .iter()
        .map(|&(name, value)| (name.into(), value.into()))
        .collect();
    finish(&launch, arguments).await
}

pub(crate) async fn finish(launch: &Launch, arguments: &[&str]) -> Finished {
    let output = tokio::time::timeout(PATIENCE, launch.command(arguments).output())
        .await
        .unwrap_or_else(|_| panic!("{arguments:?} did not end"))
        .expect("the program starts");
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
