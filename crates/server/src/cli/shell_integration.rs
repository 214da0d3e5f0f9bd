//! `countersign completions` and `countersign man`: what shells and `man` are to
//! know of the commands, made from the words of `--help`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::arguments::Arguments;

const PROGRAM: &str = "countersign";

/// The manual pages cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write manual pages to the directory {}: {source}", path.display())]
pub(super) struct ManualError {
    path: PathBuf,
    source: io::Error,
}

/// Writes the completions of a shell.
pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    // In one piece: the generator panics where its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), PROGRAM, &mut script);
    out.write_all(&script)
}

/// Writes the manual page of the command itself.
pub(super) fn manual_page(out: &mut dyn Write) -> io::Result<()> {
    clap_mangen::Man::new(Arguments::command()).render(out)
}

/// Writes the manual pages of the command and of each of its commands to a
/// directory, which is made if it is not there.
pub(super) fn manual_pages(directory: &Path) -> Result<(), ManualError> {
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory))
        .map_err(|source| ManualError {
            path: directory.into(),
            source,
        })
}
