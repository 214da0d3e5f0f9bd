//! Libraries in C that are loaded before the server's own, and change what the
//! operating system tells it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::services;

/// Compiles a library beside the other things that tests make. `None`, said
/// once, if there is no C compiler.
///
/// # Panics
/// If there is none where one is required, or the source does not compile.
pub(crate) fn build(source: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let name = source.file_stem().expect("a file's name").display();
    let directory = services::build_directory().join("tmp");
    fs::create_dir_all(&directory).expect("a directory for what tests make");
    // Several test programs may compile it at once: each moves its own into place.
    let (made, place) = (
        directory.join(format!("{name}.{}.so", std::process::id())),
        directory.join(format!("{name}.so")),
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
            "{name} does not compile: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => format!("no C compiler `cc` for {name}: {error}"),
    };
    services::missing(&missing);
    None
}
