//! Where the tests find the services that they need, and whether they may do
//! without.

/// Whether a service that cannot be reached is a failure: in CI, or with
/// `COUNTERSIGN_REQUIRE_SERVICES=1`.
pub(crate) fn services_required() -> bool {
    variable("CI").as_deref() == Some("true")
        || variable("COUNTERSIGN_REQUIRE_SERVICES").as_deref() == Some("1")
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
