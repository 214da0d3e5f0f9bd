//! What the log says when the server begins to serve: where, on what, and which
//! choices an operator should know to be risky.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use countersign_domain::ports::Clock as _;
use countersign_transport::UnfitCertificate;
use rustls::pki_types::UnixTime;

use crate::config::Config;
use crate::system::SystemClock;
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
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    for risk in risks(config) {
        tracing::warn!("{risk}");
    }
    if wired.app.messages.sender().is_none() {
        tracing::warn!("there is no sender (delivery.sender): what needs a message is refused");
    }
    if wired.callers.is_open() {
        tracing::warn!(
            "no caller is known: everybody on this machine may call everything (see `countersign \
             caller new --help`)"
        );
    }
    if let Some(unfit) = unfit_certificate(config) {
        tracing::warn!("{unfit}");
    }
}

/// What is wrong with the certificate as it is now.
fn unfit_certificate(config: &Config) -> Option<UnfitCertificate> {
    let pem = fs::read(config.server.tls_certificate.as_ref()?).ok()?;
    let now = u64::try_from(SystemClock::new().now().as_seconds()).unwrap_or_default();
    UnfitCertificate::of_pem(&pem, UnixTime::since_unix_epoch(Duration::from_secs(now)))
}

/// What works, and is not what most operators want.
fn risks(config: &Config) -> Vec<&'static str> {
    let mut risks = Vec::new();
    if config.database_url().scheme() != "sqlite" && config.redis.url.is_none() {
        risks.push(
            "there is no Redis (redis.url): codes and limits are this process's own, so a second \
             replica would not know the codes of the first, and limits would be doubled",
        );
    }
    if !config.server.listen.ip().is_loopback() && config.server.tls_certificate.is_none() {
        risks.push(
            "calls come in plaintext from other machines (server.tls_certificate): passwords, \
             tokens and API keys can be read on the way, unless a proxy or the network encrypts",
        );
    }
    risks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Sources};

    fn risks_of(variables: &[(&str, &str)]) -> Vec<&'static str> {
        let variables = variables
            .iter()
            .map(|&(key, value)| (key.into(), value.into()));
        let sources = Sources {
            environment: Environment::from_iter(variables),
            ..Sources::default()
        };
        risks(&Config::load(&sources).expect("a configuration"))
    }

    #[test]
    fn the_embedded_default_is_no_risk() {
        assert_eq!(risks_of(&[]), Vec::<&str>::new());
    }

    #[test]
    fn several_replicas_without_redis_and_plaintext_off_loopback_are() {
        let database = (
            "COUNTERSIGN__DATABASE__URL",
            "postgres://countersign@db/countersign",
        );
        let redis = ("COUNTERSIGN__REDIS__URL", "redis://cache");
        let listen = ("COUNTERSIGN__SERVER__LISTEN", "0.0.0.0:50051");
        assert_eq!(risks_of(&[database]).len(), 1);
        assert_eq!(risks_of(&[database, redis]).len(), 0);
        assert_eq!(risks_of(&[listen]).len(), 1);
        assert_eq!(risks_of(&[database, listen]).len(), 2);
    }
}
