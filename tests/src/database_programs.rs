//! The programs of PostgreSQL and MariaDB, wherever they are installed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::backend::Backend;
use crate::services;

/// Where Debian keeps the programs of PostgreSQL that are not for users.
const POSTGRES_PROGRAMS: &str = "/usr/lib/postgresql";

/// A program, wherever Debian or the search path has it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRES_PROGRAMS).into_iter().flatten();
    let of_postgres = versions.flatten().map(|version| version.path().join("bin"));
    let search_path = services::search_path();
    let usual = [PathBuf::from("/usr/sbin")].into_iter();
    let mut places = of_postgres
        .chain(std::env::split_paths(&search_path))
        .chain(usual);
    places.find_map(|place| {
        let path = place.join(name);
        path.is_file().then_some(path)
    })
}

/// A program of a backend. PostgreSQL's refuse to be run by root, so root runs
/// them as `postgres`.
pub(crate) fn command(backend: Backend, name: &str) -> Command {
    let mut command = Command::new(find(name).unwrap_or_else(|| name.into()));
    if let (Backend::Postgres, Some((user, group))) = (backend, postgres_if_root()) {
        command.uid(user).gid(group);
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// What tells MariaDB's programs that root may run them.
pub(crate) fn as_root() -> Option<&'static str> {
    is_root().then_some("--user=root")
}

/// A directory in which the programs of a backend may write.
pub(crate) fn directory_for(backend: Backend) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    if let (Backend::Postgres, Some((user, group))) = (backend, postgres_if_root()) {
        chown(directory.path(), Some(user), Some(group)).expect("it is given to postgres");
    }
    directory
}

/// What a program that must succeed wrote to its standard output.
///
/// # Panics
/// If it failed.
pub(crate) async fn output_of(what: &str, mut command: Command) -> Vec<u8> {
    let output = command.output().await;
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    output.stdout
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The ids of the user `postgres`, if this is root.
fn postgres_if_root() -> Option<(u32, u32)> {
    if !is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
