//! Whether the file of a SQLite database is still the one that was opened. A
//! file that is removed or replaced stays open, and takes writes that nobody
//! will ever read.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::DbErr;

use crate::database::error::no_answer;

/// The file that was opened. Once it has been lost it stays lost: what is in its
/// place belongs to the next start.
pub(super) struct WatchedFile {
    path: PathBuf,
    opened: Identity,
    is_lost: AtomicBool,
}

/// What tells a file from another at the same path.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl WatchedFile {
    /// Watches the file that is at the path now.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.into(),
            opened: Identity::of(path)?,
            is_lost: AtomicBool::new(false),
        })
    }

    /// Makes sure that the file is still the one that was opened.
    pub(super) fn check(&self) -> Result<(), DbErr> {
        let what = match Identity::of(&self.path) {
            Ok(identity) if identity != self.opened => "it was replaced",
            Err(error) if is_gone(&error) => "it was removed",
            _ if self.is_lost.load(Ordering::Relaxed) => "it was lost",
            // Of a file that cannot be looked at nothing is known.
            _ => return Ok(()),
        };
        if !self.is_lost.swap(true, Ordering::Relaxed) {
            tracing::error!(
                file = %self.path.display(),
                "the database file is not the one that was opened: {what}; nothing is read or \
                 written until this server is started again"
            );
        }
        Err(no_answer("the database file was removed or replaced"))
    }
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_file_stays_lost() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        let aside = directory.path().join("aside");
        let start = || {
            fs::write(&path, "one").expect("written");
            WatchedFile::new(&path).expect("it is there")
        };
        for lose in [
            |path: &Path, aside: &Path| fs::rename(path, aside),
            |path: &Path, aside: &Path| {
                fs::write(aside, "two")?;
                fs::rename(aside, path)
            },
        ] {
            let file = start();
            file.check().expect("untouched");
            fs::write(&path, "other content, the same file").expect("written");
            file.check().expect("the same file");
            lose(&path, &aside).expect("lost");
            file.check().expect_err("it is lost");
            if aside.exists() {
                fs::rename(&aside, &path).expect("put back");
            }
            file.check().expect_err("until the next start");
        }
    }

    #[test]
    fn there_must_be_a_file() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(WatchedFile::new(&directory.path().join("file")).is_err());
    }
}
