//! Collecting metrics, so that they can be rendered as Prometheus reads them.

use std::time::Duration;

use metrics::gauge;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use super::{deliveries, descriptions};

/// The upper bounds of histograms, in seconds.
pub(super) const BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
];
/// Between two clearances of what histograms have gathered. Without them it
/// would grow for as long as nobody asks for metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// Collects metrics from now on. What was counted before is lost, and so are the
/// counters that others hold since then.
///
/// # Errors
/// If something collects them already.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS)?;
    let handle = builder.install_recorder()?;
    descriptions::describe();
    metrics_process::Collector::default().describe();
    deliveries::register();
    gauge!("countersign_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let kept = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            kept.run_upkeep();
        }
    });
    Ok(handle)
}
