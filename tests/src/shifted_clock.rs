//! A machine whose clock is wrong: a library, loaded before the server's own
//! ones, that shifts what it reads of the wall clock.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::NamedTempFile;

use crate::shim;

/// The wall clock of one server process. The monotonic clock is right.
#[derive(Debug)]
pub struct ShiftedClock {
    shim: PathBuf,
    shift: NamedTempFile,
}

impl ShiftedClock {
    /// A clock that is wrong by so many milliseconds from the start on; 0 for
    /// one that is right for now. `None`, said once, if there is no C compiler.
    ///
    /// # Panics
    /// If there is none where one is required.
    #[must_use]
    pub fn shifted_by(millis: i64) -> Option<Self> {
        static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
        let shim = SHIM
            .get_or_init(|| shim::build("clock_shim/clock_shim.c"))
            .clone()?;
        let clock = Self {
            shim,
            shift: NamedTempFile::new().expect("a file"),
        };
        clock.shift_by(millis);
        Some(clock)
    }

    /// Changes by how much it is wrong, from now on.
    ///
    /// # Panics
    /// If its file cannot be written.
    pub fn shift_by(&self, millis: i64) {
        let written = self.shift.as_file().write_all_at(&millis.to_ne_bytes(), 0);
        written.expect("the shift is written");
    }

    /// What the server's environment needs.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let text = |path: &Path| path.display().to_string();
        [
            ("LD_PRELOAD", text(&self.shim)),
            ("CLOCK_SHIM_FILE", text(self.shift.path())),
        ]
    }
}
