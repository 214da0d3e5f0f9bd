//! Where the tests find the services that they need, and whether they may do
//! without.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

/// Whether a service that cannot be reached is a failure: in CI, or with
/// `COUNTERSIGN_TEST_REQUIRE_SERVICES=1`.
pub(crate) fn services_required() -> bool {
    variable("CI").as_deref() == Some("true")
        || variable("COUNTERSIGN_TEST_REQUIRE_SERVICES").as_deref() == Some("1")
}

/// Says what is skipped, each reason once. Not by `println!`, which is shown for
/// failing tests only.
pub(crate) fn skip(reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(reason.to_owned()) {
        writeln!(io::stderr(), "skipped: {reason}").ok();
    }
}

/// The URL of a service: that of the environment, or the default.
pub(crate) fn service_url(name: &str, default: &str) -> String {
    variable(name).unwrap_or_else(|| default.into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration but the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
