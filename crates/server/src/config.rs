//! What an operator may set: read from a file, the environment and the command
//! line, checked as a whole, and written back without secrets.

mod checks;
mod delivery;
mod environment;
mod error;
mod identifiers;
mod layer;
mod load;
mod nearest;
mod passwords;
mod schema;
mod sections;
mod serde_formats;
mod server;
mod settings;
mod storage;
mod tokens;
mod values;
mod verification;

#[cfg(test)]
mod tests;

pub use delivery::{DeliveryConfig, SenderName};
pub use environment::Environment;
pub use error::{ConfigError, Problem};
pub use identifiers::IdentifiersConfig;
pub use load::{Flags, Sources};
pub use passwords::PasswordsConfig;
pub use sections::Config;
pub use server::{LogConfig, LogFormat, MetricsConfig, ServerConfig};
pub use storage::{DatabaseConfig, KeysConfig, RedisConfig};
pub use tokens::{TokensConfig, ValidationConfig};
use values::MASK;
pub use values::{DefaultRegion, LogFilter, Secret, ServiceUrl};
pub use verification::VerificationConfig;
