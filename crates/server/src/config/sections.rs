//! The sections of the configuration, each in a file by its name: the settings,
//! their defaults, and what is demanded of their values.

mod alimtalk;
mod database;
mod delivery;
mod devices;
mod identifiers;
mod keys;
mod legacy;
mod log;
mod metrics;
mod mfa;
mod passkeys;
mod passwords;
mod redis_section;
mod sens;
mod server;
mod smtp;
mod tokens;
mod traces;
mod users;
mod validation;
mod verification;
mod webhook;

pub use alimtalk::AlimTalkConfig;
pub use database::DatabaseConfig;
pub use delivery::{DeliveryConfig, EmailProvider, SmsProvider};
pub use devices::DevicesConfig;
pub use identifiers::IdentifiersConfig;
pub use keys::KeysConfig;
pub use legacy::LegacyConfig;
pub use log::{LogConfig, LogFormat};
pub use metrics::MetricsConfig;
pub use mfa::{MfaConfig, MfaPolicy};
pub use passkeys::PasskeysConfig;
pub use passwords::PasswordsConfig;
pub use redis_section::RedisConfig;
pub use sens::SensConfig;
pub use server::ServerConfig;
pub use smtp::SmtpConfig;
pub use tokens::TokensConfig;
pub use traces::TracesConfig;
pub use users::UsersConfig;
pub use validation::ValidationConfig;
pub use verification::{AbuseMode, VerificationConfig};
pub use webhook::WebhookConfig;
