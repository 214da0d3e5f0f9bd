//! The section `[traces]`.

use http::Uri;
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;

/// `[traces]`: a span of each call, for a collector of OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// Where the collector takes OTLP over gRPC; empty: no spans are made.
    pub endpoint: String,
    /// The share of traces that is kept of those that begin here, 0 to 1. A
    /// caller that has decided about its trace is followed.
    pub sample_ratio: f64,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            sample_ratio: 1.0,
        }
    }
}

impl TracesConfig {
    /// Where spans go, if they go anywhere.
    pub(crate) fn collector(&self) -> Option<&str> {
        Some(&*self.endpoint).filter(|endpoint| !endpoint.is_empty())
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let collector = self.collector();
        if cfg!(feature = "otlp") {
            checks.that(
                "traces.endpoint",
                collector.is_none_or(is_address),
                "must be the address of a collector such as http://127.0.0.1:4317 or \
                 https://collector.example:4317, or empty for none",
            );
        } else {
            checks.that(
                "traces.endpoint",
                collector.is_none(),
                "must be empty: this program was built without the feature otlp",
            );
        }
        checks.within("traces.sample_ratio", self.sample_ratio, 0.0..=1.0);
    }
}

/// `http` or `https`, a host and perhaps a port, and nothing else.
fn is_address(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<Uri>() else {
        return false;
    };
    let is_host = uri
        .authority()
        .is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
    let is_alone = uri.path_and_query().is_none_or(|rest| rest == "/");
    matches!(uri.scheme_str(), Some("http" | "https")) && is_host && is_alone
}
