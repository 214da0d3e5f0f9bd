//! Completions and manual pages: all are made, and the programs that read them
//! accept them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// What the program says on standard output. Its settings are wrong, which is
/// of no concern here.
fn countersign(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.current_dir(directory).env_clear().args(arguments);
    command.env("COUNTERSIGN_COLOUR", "red");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program runs");
    assert!(
        status.success() && stderr.is_empty(),
        "{arguments:?}: {status}: {}",
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8(stdout).expect("text")
}

/// Runs a program that reads what was made; `None` if it is not installed.
fn reader(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .output()
    {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            writeln!(io::stderr(), "skipped: {program} is not installed").ok();
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

/// The lines of `--help` that name a command, under `Commands:`.
fn commands(directory: &Path, path: &[&str]) -> Vec<String> {
    let help = countersign(directory, &[path, &["--help"]].concat());
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        return Vec::new();
    };
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// The names of the program and of each of its commands: `countersign-keys-list`.
fn names(directory: &Path, path: &[&str], name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([name.to_owned()]);
    for command in commands(directory, path) {
        let path = [path, &[&*command]].concat();
        all.extend(names(directory, &path, &format!("{name}-{command}")));
    }
    all
}

#[test]
fn each_shell_is_given_completions_that_it_accepts() {
    let directory = TempDir::new().expect("a temporary directory");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = countersign(directory.path(), &["completions", shell]);
        for word in ["healthcheck", "rotate", "--data-dir", "backup"] {
            let word = word.trim_start_matches(if shell == "fish" { "--" } else { "" });
            assert!(script.contains(word), "{shell} is not told of {word}");
        }
        let file = directory.path().join(shell);
        fs::write(&file, script).expect("it is written");
        if !["bash", "fish", "zsh"].contains(&shell) {
            continue;
        }
        if let Some(read) = reader(shell, &["-n", &file.to_string_lossy()]) {
            assert!(read.status.success(), "{shell}: {read:?}");
            assert!(read.stderr.is_empty(), "{shell}: {read:?}");
        }
    }
}

#[test]
fn bash_completes_a_command_and_a_flag() {
    let directory = TempDir::new().expect("a temporary directory");
    let script = directory.path().join("countersign.bash");
    let text = countersign(directory.path(), &["completions", "bash"]);
    fs::write(&script, text).expect("it is written");
    for (words, cword, completed) in [
        ("countersign health", 1, "healthcheck"),
        ("countersign keys re", 2, "revoke"),
        ("countersign caller new --ro", 3, "--role"),
        (
            "countersign caller new --role ''",
            4,
            "service\ngateway\noperator",
        ),
        ("countersign caller new --role g", 4, "gateway"),
        ("countersign caller add-s", 2, "add-san"),
    ] {
        let mut last = words.rsplit(' ').map(|word| word.trim_matches('\''));
        let (current, before) = (last.next().expect("a word"), last.next().expect("two"));
        let ask = format!(
            "source '{}'; COMP_WORDS=({words}); COMP_CWORD={cword}; \
             _countersign countersign '{current}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        let Some(answer) = reader("bash", &["-c", &ask]) else {
            return;
        };
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert_eq!(answer.trim_end(), completed, "{words}");
    }
}

#[test]
fn each_command_has_a_manual_page_that_man_accepts() {
    let directory = TempDir::new().expect("a temporary directory");
    let pages = directory.path().join("share/man/man1");
    let said = countersign(
        directory.path(),
        &["man", "--dir", &pages.to_string_lossy()],
    );
    assert_eq!(said, "");
    let names = names(directory.path(), &[], "countersign");
    assert!(names.contains("countersign-keys-revoke"), "{names:?}");
    let made: BTreeSet<_> = fs::read_dir(&pages)
        .expect("it is made")
        .map(|entry| entry.expect("it is read").file_name())
        .collect();
    let expected = names.iter().map(|name| format!("{name}.1").into());
    assert_eq!(made, expected.collect());
    for name in &names {
        let file = pages.join(format!("{name}.1"));
        let page = fs::read_to_string(&file).expect("it is read");
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"] {
            assert!(page.contains(section), "{name} has no {section}");
        }
        if let Some(read) = reader("man", &["--warnings", "-l", &file.to_string_lossy()]) {
            assert!(read.status.success(), "{name}: {read:?}");
            assert!(read.stderr.is_empty(), "{name}: {read:?}");
            let shown = String::from_utf8_lossy(&read.stdout).into_owned();
            assert!(shown.contains(&name.replace('-', " ")) || shown.contains(name));
        }
    }
    let alone = countersign(directory.path(), &["man"]);
    let written = fs::read_to_string(pages.join("countersign.1")).expect("it is read");
    assert_eq!(alone, written);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("it is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.args(["man", "--dir"]).arg(&file).output();
    let output = output.expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!(
        "countersign: cannot write manual pages to the directory {}: ",
        file.display()
    );
    assert!(said.starts_with(&expected), "{said}");
}
