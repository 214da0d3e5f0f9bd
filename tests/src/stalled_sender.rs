//! A sender of messages that stalls: a library, loaded before the server's own
//! ones, that holds up what the `log` sender writes.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::shim;
use crate::world::WorldBuilder;

/// The sender of one server process: what is handed to it goes out, or waits.
#[derive(Debug)]
pub struct StalledSender {
    shim: PathBuf,
    directory: TempDir,
}

impl StalledSender {
    /// One that does not stall yet. `None`, said once, if there is no C compiler.
    ///
    /// # Panics
    /// If there is none where one is required.
    #[must_use]
    pub fn new() -> Option<Self> {
        static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
        let shim = SHIM.get_or_init(|| shim::build("src/stalled_sender.c"));
        Some(Self {
            shim: shim.clone()?,
            directory: TempDir::new().expect("a directory"),
        })
    }

    /// From now on nothing that is handed to it goes out.
    ///
    /// # Panics
    /// If its file cannot be made.
    pub fn stall(&self) {
        File::create(self.file()).expect("the file is made");
    }

    /// What waits goes out.
    ///
    /// # Panics
    /// If its file cannot be removed.
    pub fn go_on(&self) {
        fs::remove_file(self.file()).expect("the file is removed");
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("stalls")
    }
}

impl WorldBuilder {
    /// With a sender in one replica that can be made to stall.
    #[must_use]
    pub fn sender_at(self, replica: usize, sender: &StalledSender) -> Self {
        self.variable_at(replica, "LD_PRELOAD", sender.shim.display().to_string())
            .variable_at(
                replica,
                "SENDER_SHIM_FILE",
                sender.file().display().to_string(),
            )
    }
}
