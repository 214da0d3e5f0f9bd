//! Where the databases and Redis are that the tests use, and what happens if
//! they are not there: skipped on a laptop, failed in CI.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpListener;

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where services are, and by cargo where the server is"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The URL of a service.
pub(crate) fn url(name: &str, default: &str) -> String {
    variable(name)
        .and_then(|url| url.into_string().ok())
        .unwrap_or_else(|| default.into())
}

/// Whether a service that is not there fails the test.
pub(crate) fn are_required() -> bool {
    variable("CI").is_some_and(|value| value == "true")
        || variable("COUNTERSIGN_TEST_REQUIRE_SERVICES").is_some_and(|value| value == "1")
}

/// Says what is skipped, each reason once.
pub(crate) fn skip(reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(reason.to_owned()) {
        crate::say!("skipped: {reason}");
    }
}

/// What a test needs is not there: that fails where it is required, and is
/// said elsewhere.
///
/// # Panics
/// If it is required.
pub fn missing(what: &str) {
    assert!(!are_required(), "{what}");
    skip(what);
}

/// An address on which nothing listens yet.
pub(crate) async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address")
}

/// The server as cargo built it for these tests.
pub(crate) fn server_binary() -> PathBuf {
    variable("CARGO_BIN_EXE_countersign-under-test").map_or_else(beside_the_tests, PathBuf::from)
}

/// Where it is if a test is started without cargo.
fn beside_the_tests() -> PathBuf {
    build_directory().join("countersign-under-test")
}

/// Where cargo puts what it builds: `target/debug`.
pub(crate) fn build_directory() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let build = test.ancestors().nth(2);
    build.expect("tests run in target/debug/deps").to_path_buf()
}

/// A search path, so that the server finds what it starts.
pub(crate) fn search_path() -> OsString {
    variable("PATH").unwrap_or_default()
}
