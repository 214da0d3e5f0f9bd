//! What the log says when the server begins to serve: where, on what, and which
//! choices an operator should know to be risky.

use std::fs;
use std::net::SocketAddr;

use countersign_transport::UnfitCertificate;

use crate::config::Config;
use crate::config::combinations::{self, Start};
use crate::wiring::Wired;

/// Says it.
pub(crate) fn announce(config: &Config, wired: &Wired, address: SocketAddr) {
    let metrics = config.metrics.listen.map(tracing::field::display);
    tracing::info!(
        %address,
        tls = config.server.tls_certificate.is_some(),
        database = config.database_url().scheme(),
        ephemeral = if config.redis.url.is_some() { "redis" } else { "in-process" },
        data_dir = %config.data_dir.display(),
        metrics,
        traces = config.traces.collector(),
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    let start = Start {
        config,
        is_open: wired.callers.is_open(),
        has_sender: wired.app.messages.sender().is_some(),
    };
    for combination in combinations::warned(&start) {
        tracing::warn!("{combination}");
    }
    if let Some(unfit) = unfit_certificate(config) {
        tracing::warn!("{unfit}");
    }
}

/// What is wrong with the certificate as it is now.
fn unfit_certificate(config: &Config) -> Option<UnfitCertificate> {
    let pem = fs::read(config.server.tls_certificate.as_ref()?).ok()?;
    UnfitCertificate::of_pem(&pem)
}
