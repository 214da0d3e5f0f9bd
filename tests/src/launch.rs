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
    /// It is told of files that may not grow, as of a full disk, and not ended.
    pub(crate) bears_full_files: bool,
    /// How many file descriptors it may have at the most.
    pub(crate) descriptors: Option<u32>,
}

impl Launch {
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.into(),
            config: None,
            variables: Vec::new(),
            bears_full_files: false,
            descriptors: None,
        }
    }

    /// The program with these arguments, killed when its handle is dropped.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let server = services::server_binary();
        let mut command = if self.bears_full_files {
            let mut shell = Command::new("sh");
            let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
            shell.args(["-c", script]).arg(server);
            shell
        } else if let Some(most) = self.descriptors {
            let mut limited = Command::new("prlimit");
            limited.arg(format!("--nofile={most}:{most}")).arg(server);
            limited
        } else {
            Command::new(server)
        };
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
