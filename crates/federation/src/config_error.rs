//! What is wrong with the configuration of a provider: which one, and which of its settings.

use countersign_domain::model::ProviderId;

/// A setting of a provider that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("provider {provider}: {setting} {problem}")]
pub struct ConfigError {
    /// The provider.
    pub provider: ProviderId,
    /// The setting: `client_secret`.
    pub setting: &'static str,
    /// What is wrong, without the value of a secret.
    pub problem: String,
}
