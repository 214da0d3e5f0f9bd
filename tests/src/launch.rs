//! Starting the server's program, with nothing of this process's environment.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::services;

/// How the program is started: its configuration file and its variables.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) directory: PathBuf,
    pub(crate) config: Option<PathBuf>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Launch {
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.into(),
            config: None,
            variables: Vec::new(),
        }
    }

    /// The program with these arguments, killed when its handle is dropped.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(services::server_binary());
        command
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .env("PATH", services::search_path())
            .env("RUST_BACKTRACE", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(config) = &self.config {
            command.env("COUNTERSIGN_CONFIG", config);
        }
        command
    }
}
