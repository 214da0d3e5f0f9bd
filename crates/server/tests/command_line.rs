//! The program as a shell sees it: exit codes, what goes to standard output and
//! what to standard error.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Runs the program in a directory of its own, with an empty environment.
fn countersign(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.current_dir(directory).env_clear();
    command
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = countersign(directory).args(arguments).output();
    read(output.expect("the program runs"))
}

fn read(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let code = output.status.code().expect("no signal ended it");
    (code, text(output.stdout), text(output.stderr))
}

fn directory() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

fn free_address() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").to_string()
}

/// A running server, which is killed at the end of the test.
struct Server(Child);

impl Server {
    fn start(directory: &Path, address: &str) -> Self {
        Self::start_with(directory, address, &[])
    }

    fn start_with(directory: &Path, address: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = countersign(directory)
            .env("COUNTERSIGN__METRICS__LISTEN", "")
            .envs(settings.iter().copied())
            .args(["serve", "--listen", address, "--log-format", "json"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut lines = errors.lines();
        let listens = lines.any(|line| line.is_ok_and(|line| line.contains("\"listening\"")));
        assert!(listens, "the server has ended before it listened");
        // Whoever writes to a pipe must be read.
        std::thread::spawn(move || lines.count());
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn where_the_log_is_json_a_failed_start_is_a_line_of_it() {
    let directory = directory();
    let folder = directory.path();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    let config = folder.join("countersign.toml");
    std::fs::write(
        &config,
        "[log]\nformat = \"json\"\n[metrics]\nlisten = \"\"\n",
    )
    .expect("it is written");
    let config = config.to_str().expect("text");
    for (arguments, code, told) in [
        (
            &["--config", config, "serve", "--listen", &*taken][..],
            1,
            "cannot listen",
        ),
        (
            &["serve", "--log-format", "json", "--listen", "nowhere"],
            78,
            "server.listen",
        ),
    ] {
        let (ended, _, errors) = run(folder, arguments);
        let last = errors.lines().last().expect("a line");
        let line: serde_json::Value = serde_json::from_str(last).expect(&errors);
        assert_eq!(line["level"], "ERROR", "{errors}");
        let message = line["message"].as_str().expect("a message");
        assert!(message.contains(told), "{message}");
        assert_eq!(ended, code, "{errors}");
    }
    let (_, _, errors) = run(folder, &["serve", "--listen", "nowhere"]);
    assert!(errors.starts_with("countersign: "), "{errors}");
}

#[test]
fn help_is_a_success_and_goes_to_standard_output() {
    let directory = directory();
    for arguments in [&["--help"][..], &["keys", "--help"], &["healthcheck", "-h"]] {
        let (code, out, errors) = run(directory.path(), arguments);
        assert_eq!((code, errors.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("Usage: countersign"), "{out}");
    }
}

#[test]
fn wrong_usage_is_64_and_for_the_probe_1() {
    let directory = directory();
    for (arguments, expected) in [
        (&["dance"][..], 64),
        (&["caller", "new"], 64),
        (&["--data-dir", "d", "keys"], 64),
        (&["--data-dir", "healthcheck", "dance"], 64),
        (&["helthcheck", "-addr=localhost:1"], 64),
        (&["healthcheck", "-port=1"], 1),
        (&["healthcheck", "-addr=nowhere"], 1),
        (&["--data-dir", "d", "healthcheck", "-port=1"], 1),
        (&["--data-dir=d", "healthcheck", "-addr=nowhere"], 1),
    ] {
        let (code, out, errors) = run(directory.path(), arguments);
        assert_eq!(
            (code, out.as_str()),
            (expected, ""),
            "{arguments:?}: {errors}"
        );
        let is_told = errors.starts_with("error: ") || errors.contains("Usage: ");
        assert!(is_told, "{errors}");
    }
}

#[test]
fn a_wrong_configuration_is_78_and_one_sentence() {
    let directory = directory();
    let (code, out, errors) = run(directory.path(), &["--config", "missing.toml"]);
    assert_eq!((code, out.as_str()), (78, ""));
    assert!(
        errors.starts_with("countersign: the configuration file missing.toml cannot be read: "),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
    let arguments = ["migrate", "--database-url", "postgres://:99999999/auth"];
    let (code, _, errors) = run(directory.path(), &arguments);
    assert_eq!(code, 78, "{errors}");
}

#[test]
fn what_cannot_be_reached_is_69() {
    let directory = directory();
    let database = ["--database-url", "postgres://ann@127.0.0.1:1/auth"];
    for arguments in [
        [&["serve"], &database[..]].concat(),
        [&["migrate"], &database[..]].concat(),
        [&["keys", "list"], &database[..]].concat(),
        vec!["serve", "--redis-url", "redis://127.0.0.1:1"],
        vec!["try", "--addr", "127.0.0.1:1"],
    ] {
        let (code, out, errors) = run(directory.path(), &arguments);
        assert_eq!((code, out.as_str()), (69, ""), "{arguments:?}: {errors}");
        assert!(errors.contains("127.0.0.1:1"), "{errors}");
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let directory = directory();
    for (arguments, expected) in [
        (&["--help"][..], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["config"], 0),
        (&["migrate"], 0),
        (&["migrate", "--check"], 0),
        (&["caller", "new", "--name", "web", "--role", "gateway"], 0),
        (&["caller", "list"], 0),
        (&["caller", "remove", "nobody"], 1),
        (&["--config", "missing.toml"], 78),
        (&["healthcheck", "-addr=127.0.0.1:1"], 2),
    ] {
        let gone = || {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            drop(reader);
            writer
        };
        let mut command = countersign(directory.path());
        let output = command.args(arguments).stdout(gone()).output();
        let (code, _, errors) = read(output.expect("the program runs"));
        assert_eq!(code, expected, "{arguments:?}: {errors}");
        assert!(!errors.to_lowercase().contains("pipe"), "{errors}");

        let mut command = countersign(directory.path());
        command.args(arguments).stdout(gone()).stderr(gone());
        let again = command.status().expect("the program runs").code();
        let is_taken = arguments.contains(&"new");
        let expected = if is_taken { 1 } else { expected };
        assert_eq!(again, Some(expected), "{arguments:?}, without errors");
    }
}

#[test]
fn a_command_makes_no_database_and_says_which_one_is_missing() {
    for arguments in [
        &["caller", "new", "--name", "web", "--role", "gateway"][..],
        &["caller", "list"],
        &["caller", "remove", "web"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["keys", "revoke", "kid"],
        &["backup", "copy.db"],
        &["migrate", "--check"],
    ] {
        let directory = directory();
        let (code, out, errors) = run(directory.path(), arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {errors}");
        let file = directory.path().join("countersign-data/countersign.db");
        let file = file.display();
        let told = format!(
            "database: {file}\ncountersign: there is no database {file}; run countersign migrate, \
             or start the server once, with the same configuration; --data-dir or --config names \
             another\n"
        );
        assert_eq!(errors, told, "{arguments:?}");
        let made = directory.path().read_dir().expect("it is read").count();
        assert_eq!(made, 0, "{arguments:?} makes nothing");
    }
}

#[test]
fn a_command_says_on_standard_error_which_database_it_works_on() {
    let directory = directory();
    let file = directory.path().join("data/countersign.db");
    let told = format!("database: {}\n", file.display());
    for (arguments, said) in [
        (&["migrate"][..], "done: m0001"),
        (&["caller", "list"], "NAME "),
        (&["keys", "list"], "KID "),
    ] {
        let arguments = [&["--data-dir", "data"], arguments].concat();
        let (code, out, errors) = run(directory.path(), &arguments);
        assert_eq!((code, errors.as_str()), (0, told.as_str()), "{arguments:?}");
        assert!(out.starts_with(said), "{arguments:?}: {out}");
    }
    let url = "postgres://ann:s3cret@127.0.0.1:1/auth";
    let (code, out, errors) = run(directory.path(), &["caller", "list", "--database-url", url]);
    assert_ne!((code, out.as_str()), (0, ""));
    let told = "database: postgres://ann:********@127.0.0.1:1/auth\ncountersign: cannot connect";
    assert!(errors.starts_with(told), "{errors}");
}

#[test]
fn the_configuration_is_printed_without_secrets() {
    let directory = directory();
    let output = countersign(directory.path())
        .env(
            "COUNTERSIGN__DATABASE__URL",
            "postgres://ann:s3cret@db/auth",
        )
        .args(["config", "--listen", "127.0.0.1:1"])
        .output();
    let (code, out, errors) = read(output.expect("the program runs"));
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(out.contains("listen = \"127.0.0.1:1\""), "{out}");
    assert!(out.contains("postgres://ann:********@db/auth"), "{out}");
}

#[test]
fn a_configuration_is_checked_without_a_start() {
    let directory = directory();
    let (code, out, errors) = run(directory.path(), &["config", "check"]);
    let told = "the configuration is good\n";
    assert_eq!((code, out.as_str(), errors.as_str()), (0, told, ""));

    let mut command = countersign(directory.path());
    command.env("COUNTERSIGN_DATABASE_URL", "postgres://ann:s3cret@db/auth");
    let arguments = ["config", "check", "--listen", "here"];
    let output = command.args(arguments).output();
    let (code, out, errors) = read(output.expect("the program runs"));
    assert_eq!((code, out.as_str()), (78, ""));
    for mistake in [
        "COUNTERSIGN_DATABASE_URL is not a setting; the nearest is COUNTERSIGN__DATABASE__URL\n",
        "server.listen = \"here\" (the flag --listen) must be",
    ] {
        assert!(errors.contains(mistake), "{errors}");
    }
    assert!(!errors.contains("s3cret"), "{errors}");
    let made = directory.path().read_dir().expect("it is read").count();
    assert_eq!(made, 0, "nothing is made");
}

#[test]
fn where_the_policy_asks_for_less_or_more_try_says_so_and_goes_on() {
    const LESS: &str = "tokens at once: mfa.policy asks for no second factor";
    const MORE: &str = "mfa.policy asks everybody for a second factor, and there is none yet";
    let directory = directory();
    for (policy, told, calls) in [
        ("off", LESS, 16),
        ("required", MORE, 17),
        ("required_for_unknown_devices", MORE, 17),
    ] {
        let address = free_address();
        let settings = [("COUNTERSIGN__MFA__POLICY", policy)];
        let server = Server::start_with(directory.path(), &address, &settings);
        let (code, out, errors) = run(directory.path(), &["try", "--addr", &address]);
        assert_eq!((code, errors.as_str()), (0, ""), "{policy}: {out}");
        assert_eq!(out.matches(told).count(), 1, "{policy}: {out}");
        let end = format!("All {calls} answers are as expected.\n");
        assert!(out.ends_with(&end), "{policy}: {out}");
        drop(server);
    }
}

#[test]
fn where_no_mail_can_be_sent_try_says_that_it_goes_on_by_a_code() {
    let directory = directory();
    let address = free_address();
    let settings = [
        ("COUNTERSIGN__MFA__POLICY", "required"),
        // So there is nothing for mail.
        ("COUNTERSIGN__DELIVERY__SMS", "log"),
    ];
    let _server = Server::start_with(directory.path(), &address, &settings);
    let (code, out, errors) = run(directory.path(), &["try", "--addr", &address]);
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("✗ FailedPrecondition SECOND_FACTOR_UNAVAILABLE\n   → mfa.policy"),
        "{out}"
    );
}

#[test]
fn a_server_is_tried_probed_and_has_its_directory_for_itself() {
    let directory = directory();
    let address = free_address();
    let server = Server::start(directory.path(), &address);

    for _ in 0..2 {
        let (code, out, errors) = run(directory.path(), &["try", "--addr", &address]);
        assert_eq!((code, errors.as_str()), (0, ""), "{out}");
        assert!(out.ends_with("All 17 answers are as expected.\n"), "{out}");
    }

    let probe = format!("-addr={address}");
    let (code, out, _) = run(directory.path(), &["healthcheck", &probe]);
    assert_eq!((code, out.as_str()), (0, "status: SERVING\n"));
    let (code, _, _) = run(
        directory.path(),
        &["healthcheck", &probe, "-service=nobody"],
    );
    assert_eq!(code, 3);

    let (code, _, errors) = run(directory.path(), &["--listen", "127.0.0.1:0"]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("another countersign serves from the data directory"),
        "{errors}"
    );

    let (code, out, _) = run(directory.path(), &["keys", "rotate"]);
    assert_eq!(code, 0);
    assert_eq!(out.lines().count(), 4, "{out}");

    drop(server);
    let (code, _, errors) = run(directory.path(), &["healthcheck", &probe]);
    assert_eq!(code, 2, "{errors}");
}
