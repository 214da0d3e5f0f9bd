//! Certificates as openssl makes them: one that no client believes is told of by
//! the server and by the commands that call it, with what makes it right.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

const SUBJECT_ALT_NAME: [&str; 2] = ["-addext", "subjectAltName=DNS:localhost"];
const NO_AUTHORITY: [&str; 2] = ["-addext", "basicConstraints=critical,CA:FALSE"];

/// Makes `tls.crt` and `tls.key`; `false` if openssl is not installed.
fn make_certificate(directory: &Path, options: &[&str]) -> bool {
    let command =
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout tls.key -out tls.crt";
    openssl(directory, command.split(' ').chain(options.iter().copied()))
}

/// Runs openssl; `false` if it is not installed.
fn openssl<'a>(directory: &Path, arguments: impl Iterator<Item = &'a str>) -> bool {
    let made = Command::new("openssl")
        .current_dir(directory)
        .args(arguments)
        .output();
    match made {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            true
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(!is_required(), "openssl is not installed");
            writeln!(io::stderr(), "skipped: openssl is not installed").ok();
            false
        }
        Err(error) => panic!("openssl: {error}"),
    }
}

/// Whether a tool that is not there fails the test.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment whether this is CI"
)]
fn is_required() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

fn countersign(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.current_dir(directory).env_clear();
    command
}

/// A server with that certificate.
struct Server {
    child: Child,
    address: String,
    log: Option<JoinHandle<Vec<String>>>,
}

impl Server {
    fn start(directory: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let mut child = countersign(directory)
            .env("COUNTERSIGN__METRICS__LISTEN", "")
            .env("COUNTERSIGN__SERVER__TLS_CERTIFICATE", "tls.crt")
            .env("COUNTERSIGN__SERVER__TLS_PRIVATE_KEY", "tls.key")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut lines = errors.lines().map(|line| line.expect("text"));
        let listens = lines.any(|line| line.contains("listening"));
        assert!(listens, "the server has ended before it listened");
        Self {
            child,
            address: format!("localhost:{port}"),
            log: Some(std::thread::spawn(move || lines.collect())),
        }
    }

    /// What the two commands that call a server end with, and say of it.
    fn called(&self, directory: &Path) -> [(i32, String); 2] {
        let probe = [
            "healthcheck",
            &format!("-addr={}", self.address),
            "-tls",
            "-tls-ca-cert=tls.crt",
            "-connect-timeout=10s",
            "-rpc-timeout=10s",
        ];
        let walk = ["try", "--addr", &self.address, "--tls-ca", "tls.crt"];
        [&probe[..], &walk[..]].map(|arguments| {
            let output = countersign(directory).args(arguments).output();
            let output = output.expect("the program runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.code().expect("no signal"), said)
        })
    }
}

impl Server {
    /// Ends it, and returns what it warned of, but for having no caller.
    fn warnings(mut self) -> Vec<String> {
        self.child.kill().expect("it runs");
        let log = self.log.take().expect("it is read once");
        let mut lines = log.join().expect("it was read");
        lines.retain(|line| line.contains("WARN") && !line.contains("no caller"));
        lines
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_certificate_that_no_client_believes_is_told_of_with_what_makes_it_right() {
    let both = [SUBJECT_ALT_NAME, NO_AUTHORITY].concat();
    for (options, fault) in [
        (
            &[][..],
            "is that of a certification authority and has no subjectAltName",
        ),
        (
            &SUBJECT_ALT_NAME,
            "is that of a certification authority, so clients refuse it",
        ),
        (&NO_AUTHORITY, "has no subjectAltName, so clients refuse it"),
    ] {
        let directory = TempDir::new().expect("a temporary directory");
        if !make_certificate(directory.path(), options) {
            return;
        }
        let server = Server::start(directory.path());
        let ended = server.called(directory.path());
        let warnings = server.warnings();
        assert_eq!(warnings.len(), 1, "{options:?}: {warnings:#?}");
        assert!(warnings[0].contains(fault), "{options:?}: {warnings:#?}");
        for ((code, said), expected) in ended.iter().zip([2, 69]) {
            assert_eq!(*code, expected, "{said}");
            assert!(said.contains("the server's certificate "), "{said}");
            for option in &both {
                assert!(said.contains(option), "{option}: {said}");
            }
            assert!(!said.contains("OtherError"), "{said}");
            assert!(!said.contains("is the server running"), "{said}");
        }
        for option in &both {
            assert!(warnings[0].contains(option), "{option}: {warnings:#?}");
        }
    }
}

#[test]
fn a_certificate_that_is_made_as_it_is_told_is_good() {
    let directory = TempDir::new().expect("a temporary directory");
    let told = [SUBJECT_ALT_NAME, NO_AUTHORITY].concat();
    if !make_certificate(directory.path(), &told) {
        return;
    }
    let server = Server::start(directory.path());
    for (code, said) in server.called(directory.path()) {
        assert_eq!(code, 0, "{said}");
    }
    let warnings = server.warnings();
    assert!(warnings.is_empty(), "{warnings:#?}");
}

#[test]
fn a_certificate_for_an_address_alone_is_not_warned_of() {
    let directory = TempDir::new().expect("a temporary directory");
    let options = [
        &["-addext", "subjectAltName=IP:127.0.0.1"],
        &NO_AUTHORITY[..],
    ]
    .concat();
    if !make_certificate(directory.path(), &options) {
        return;
    }
    let server = Server::start(directory.path());
    // It serves once it has said all; localhost is not in the certificate.
    for (code, said) in server.called(directory.path()) {
        assert_ne!(code, 0);
        assert!(!said.contains("subjectAltName"), "{said}");
    }
    let warnings = server.warnings();
    assert!(warnings.is_empty(), "{warnings:#?}");
}

#[test]
fn certificates_and_keys_that_the_server_cannot_use_are_told_with_what_to_do() {
    for (commands, told) in [
        (
            [
                "req -new -newkey rsa:2048 -nodes -subj /CN=localhost -keyout tls.key -out tls.csr",
                "x509 -req -in tls.csr -signkey tls.key -out tls.crt",
            ]
            .as_slice(),
            "-copy_extensions copyall",
        ),
        (
            &["req -x509 -newkey rsa:1024 -nodes -subj /CN=localhost -keyout tls.key -out tls.crt"],
            "at least 2,048 bits",
        ),
    ] {
        let directory = TempDir::new().expect("a temporary directory");
        for command in commands {
            if !openssl(directory.path(), command.split(' ')) {
                return;
            }
        }
        let output = countersign(directory.path())
            .env("COUNTERSIGN__METRICS__LISTEN", "")
            .env("COUNTERSIGN__SERVER__TLS_CERTIFICATE", "tls.crt")
            .env("COUNTERSIGN__SERVER__TLS_PRIVATE_KEY", "tls.key")
            .args(["--listen", "127.0.0.1:0"])
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{said}");
    }
}

#[test]
fn the_files_of_tls_are_checked_without_a_start_as_a_start_does() {
    let directory = TempDir::new().expect("a temporary directory");
    let good = [SUBJECT_ALT_NAME, NO_AUTHORITY].concat();
    if !make_certificate(directory.path(), &good) {
        return;
    }
    let path = |name: &str| directory.path().join(name);
    std::fs::copy(path("tls.key"), path("other.key")).expect("copied");
    assert!(make_certificate(directory.path(), &good));
    std::fs::write(path("nothing"), "nothing").expect("written");
    let run = |command: &[&str], [certificate, key, client_ca]: [&str; 3]| {
        let output = countersign(directory.path())
            .env("COUNTERSIGN__METRICS__LISTEN", "")
            .env("COUNTERSIGN__SERVER__TLS_CERTIFICATE", certificate)
            .env("COUNTERSIGN__SERVER__TLS_PRIVATE_KEY", key)
            .env("COUNTERSIGN__SERVER__TLS_CLIENT_CA", client_ca)
            .args(command)
            .output();
        let output = output.expect("the program runs");
        let code = output.status.code().expect("no signal");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (code, text(&output.stdout), text(&output.stderr))
    };
    let check = |files| run(&["config", "check"], files);
    for (files, told) in [
        (["gone.crt", "tls.key", "tls.crt"], "gone.crt"),
        (["tls.crt", "gone.key", "tls.crt"], "gone.key"),
        (["tls.crt", "tls.key", "gone.crt"], "gone.crt"),
        (["nothing", "tls.key", "tls.crt"], "BEGIN CERTIFICATE"),
        (["tls.crt", "other.key", "tls.crt"], "does not belong"),
        (["tls.crt", "tls.key", "nothing"], "BEGIN CERTIFICATE"),
    ] {
        let (code, out, checked) = check(files);
        assert_eq!((code, out.as_str()), (78, ""), "{files:?}: {checked}");
        assert!(checked.contains(told), "{checked}");
        let (_, _, started) = run(&["--listen", "127.0.0.1:0"], files);
        assert!(started.ends_with(&checked), "{started} is not {checked}");
    }
    let (code, out, errors) = check(["tls.crt", "tls.key", "tls.crt"]);
    let told = "the configuration is good\n";
    assert_eq!((code, out.as_str(), errors.as_str()), (0, told, ""));

    assert!(make_certificate(directory.path(), &[]));
    let (code, out, errors) = check(["tls.crt", "tls.key", "tls.crt"]);
    assert_eq!((code, out.as_str()), (0, told));
    assert!(errors.contains("has no subjectAltName"), "{errors}");
}
