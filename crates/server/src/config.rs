//! What an operator may set: read from a file, the environment and the command
//! line, checked as a whole, and written back without secrets.

mod checks;
pub(crate) mod combinations;
mod configuration;
mod environment;
mod error;
mod layer;
mod load;
mod messages;
mod nearest;
mod schema;
mod sections;
mod serde_formats;
mod settings;
mod values;

#[cfg(test)]
mod tests;

pub use configuration::Config;
pub use environment::Environment;
pub use error::{ConfigError, Problem};
pub use load::{Flags, Sources};
pub use sections::{
    AbuseMode, AlimTalkConfig, AuditConfig, DatabaseConfig, DeliveryConfig, DevicesConfig,
    EmailProvider, FederationConfig, GatewayConfig, GatewayListen, IdentifiersConfig, KeysConfig,
    LegacyConfig, LogConfig, LogFormat, MetricsConfig, MfaConfig, MfaPolicy, PasskeysConfig,
    PasswordsConfig, ProviderSection, RedisConfig, SensConfig, ServerConfig, SmsProvider,
    SmtpConfig, TokenProfileConfig, TokensConfig, TracesConfig, UsersConfig, ValidationConfig,
    VerificationConfig, WebhookConfig,
};
use values::MASK;
pub use values::{Country, Date, LogFilter, ServiceUrl};
