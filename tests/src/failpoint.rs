//! A server that stands still at a step of a change, to be killed there: a library,
//! loaded before the server's own ones, that looks at what goes to the database.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::shim;
use crate::wait::{PATIENCE, eventually};
use crate::world::WorldBuilder;

/// Where a change can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeStep {
    /// Before the statement reaches the database.
    Statement,
    /// Before the commit reaches it.
    Commit,
    /// When it is committed, and nobody knows yet.
    Committed,
}

/// A point at which one server process stands still, once it is set.
#[derive(Debug)]
pub struct Failpoint {
    shim: PathBuf,
    directory: TempDir,
}

impl ChangeStep {
    fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Commit => "commit",
            Self::Committed => "committed",
        }
    }
}

impl Failpoint {
    /// One that is not set. `None`, said once, if there is no C compiler.
    ///
    /// # Panics
    /// If there is none where one is required.
    #[must_use]
    pub fn new() -> Option<Self> {
        static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
        let shim = SHIM.get_or_init(|| shim::build("src/failpoint.c"));
        Some(Self {
            shim: shim.clone()?,
            directory: TempDir::new().expect("a directory"),
        })
    }

    /// The server stands still at this step of the next change whose statement has
    /// this text. `commit` is what commits, if that is a statement of its own.
    ///
    /// # Panics
    /// If its file cannot be written.
    pub fn set(&self, step: ChangeStep, statement: &str, commit: Option<&str>) {
        let lines = [step.name(), statement, commit.unwrap_or_default()];
        let new = self.directory.path().join("new");
        fs::write(&new, lines.join("\n")).expect("the file is written");
        fs::rename(new, self.file()).expect("the file is moved into place");
    }

    /// Waits until the server stands there.
    ///
    /// # Panics
    /// If it does not come there.
    pub async fn reached(&self) {
        let is_there = || async { self.mark().exists().then_some(()) };
        eventually("the server stands at the failpoint", PATIENCE, is_there).await;
    }

    /// The next server goes on.
    ///
    /// # Panics
    /// If it was not reached.
    pub fn clear(&self) {
        fs::remove_file(self.file()).expect("the file is removed");
        fs::remove_file(self.mark()).expect("the failpoint was reached");
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("failpoint")
    }

    fn mark(&self) -> PathBuf {
        self.directory.path().join("failpoint.reached")
    }
}

impl WorldBuilder {
    /// With a failpoint in one replica.
    #[must_use]
    pub fn failpoint_at(self, replica: usize, failpoint: &Failpoint) -> Self {
        let file = failpoint.file().display().to_string();
        self.variable_at(replica, "LD_PRELOAD", failpoint.shim.display().to_string())
            .variable_at(replica, "FAILPOINT_FILE", file)
    }
}
