//! A machine whose clock is wrong: a library, loaded before the server's own
//! ones, that shifts what it reads of the wall clock.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::NamedTempFile;

use crate::services;

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
        let shim = SHIM.get_or_init(build).clone()?;
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

/// Compiles the library beside the other things that tests make.
fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clock_shim/clock_shim.c");
    let directory = services::build_directory().join("tmp");
    fs::create_dir_all(&directory).expect("a directory for what tests make");
    // Several test programs may compile it at once: each moves its own into place.
    let (made, place) = (
        directory.join(format!("clock_shim.{}.so", std::process::id())),
        directory.join("clock_shim.so"),
    );
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .args([&made, &source])
        .arg("-ldl")
        .output();
    let missing = match compiled {
        Ok(output) if output.status.success() => {
            fs::rename(&made, &place).expect("the library is moved into place");
            return Some(place);
        }
        Ok(output) => panic!(
            "the clock shim does not compile: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => format!("no C compiler `cc` for the clock shim: {error}"),
    };
    services::missing(&missing);
    None
}
