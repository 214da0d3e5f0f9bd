//! The whole configuration, section by section.

use std::path::PathBuf;

use countersign_storage::database::DatabaseSettings;
use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::{
    AlimTalkConfig, AuditConfig, DatabaseConfig, DeliveryConfig, DevicesConfig, FederationConfig,
    GatewayConfig, IdentifiersConfig, KeysConfig, LegacyConfig, LogConfig, MetricsConfig,
    MfaConfig, PasskeysConfig, PasswordsConfig, RedisConfig, SensConfig, ServerConfig, ServiceUrl,
    SmtpConfig, TokensConfig, TracesConfig, UsersConfig, ValidationConfig, VerificationConfig,
    WebhookConfig,
};

/// All that may be set. Every value has a default: an empty file is a good
/// configuration. [`Config::load`] is the way to one that was checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The directory of what the service keeps in files: the SQLite database
    /// and the master key, unless they come from elsewhere.
    pub data_dir: PathBuf,
    /// Listening, and what a connection may cost.
    pub server: ServerConfig,
    /// HTTP beside gRPC.
    pub gateway: GatewayConfig,
    /// Prometheus metrics.
    pub metrics: MetricsConfig,
    /// Logs.
    pub log: LogConfig,
    /// Traces.
    pub traces: TracesConfig,
    /// What lasts.
    pub database: DatabaseConfig,
    /// What lasts a while, for more than one replica.
    pub redis: RedisConfig,
    /// The master key and the signing keys.
    pub keys: KeysConfig,
    /// Tokens and sessions.
    pub tokens: TokensConfig,
    /// Codes and proofs.
    pub verification: VerificationConfig,
    /// Second factors.
    pub mfa: MfaConfig,
    /// Known devices.
    pub devices: DevicesConfig,
    /// Passkeys.
    pub passkeys: PasskeysConfig,
    /// Signing in with accounts at providers.
    pub federation: FederationConfig,
    /// Passwords.
    pub passwords: PasswordsConfig,
    /// E-mail addresses, phone numbers and user names.
    pub identifiers: IdentifiersConfig,
    /// People who leave.
    pub users: UsersConfig,
    /// The audit log.
    pub audit: AuditConfig,
    /// The users of an existing database.
    pub legacy: LegacyConfig,
    /// Bringing messages to people.
    pub delivery: DeliveryConfig,
    /// Text messages by Naver Cloud SENS.
    pub sens: SensConfig,
    /// Kakao's AlimTalk, likewise.
    pub alimtalk: AlimTalkConfig,
    /// Mail by a mail server.
    pub smtp: SmtpConfig,
    /// Messages by a signed webhook.
    pub webhook: WebhookConfig,
    /// Answering ValidateToken from memory.
    pub validation: ValidationConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "countersign-data".into(),
            server: ServerConfig::default(),
            gateway: GatewayConfig::default(),
            metrics: MetricsConfig::default(),
            log: LogConfig::default(),
            traces: TracesConfig::default(),
            database: DatabaseConfig::default(),
            redis: RedisConfig::default(),
            keys: KeysConfig::default(),
            tokens: TokensConfig::default(),
            verification: VerificationConfig::default(),
            mfa: MfaConfig::default(),
            devices: DevicesConfig::default(),
            passkeys: PasskeysConfig::default(),
            federation: FederationConfig::default(),
            passwords: PasswordsConfig::default(),
            identifiers: IdentifiersConfig::default(),
            users: UsersConfig::default(),
            audit: AuditConfig::default(),
            legacy: LegacyConfig::default(),
            delivery: DeliveryConfig::default(),
            sens: SensConfig::default(),
            alimtalk: AlimTalkConfig::default(),
            smtp: SmtpConfig::default(),
            webhook: WebhookConfig::default(),
            validation: ValidationConfig::default(),
        }
    }
}

impl Config {
    /// The settings whose values no message shows.
    pub(super) const SECRET: [&str; 15] = [
        "database.url",
        "gateway.api_key",
        "gateway.operator_api_key",
        "keys.master_key",
        "legacy.url",
        "redis.url",
        "sens.access_key",
        "sens.base_url",
        "sens.secret_key",
        "smtp.password",
        "smtp.url",
        "traces.endpoint",
        "webhook.old_secret",
        "webhook.secret",
        "webhook.url",
    ];

    /// The configuration in effect as TOML, which can be read back: the
    /// database that is used is named, and secrets are masked.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut effective = self.clone();
        effective.database.url = Some(self.database_url());
        toml::to_string(&effective).expect("the sections are tables of plain values")
    }

    /// The database that is used: the configured one, or a SQLite file in the
    /// data directory.
    #[must_use]
    pub fn database_url(&self) -> ServiceUrl {
        self.database.url.clone().unwrap_or_else(|| {
            let file = self.data_dir.join("countersign.db");
            let path = file.to_string_lossy();
            let path = path
                .replace('%', "%25")
                .replace('?', "%3F")
                .replace('#', "%23");
            ServiceUrl::new(format!("sqlite://{path}?mode=rwc"))
        })
    }

    /// The settings of the database.
    #[must_use]
    pub fn database_settings(&self) -> DatabaseSettings {
        DatabaseSettings {
            max_connections: self.database.max_connections,
            ..DatabaseSettings::new(self.database_url().expose())
        }
    }

    pub(super) fn check(&self, checks: &mut Checks) {
        checks.that(
            "data_dir",
            !self.data_dir.as_os_str().is_empty(),
            "must name a directory",
        );
        self.server.check(checks);
        self.gateway.check(checks);
        self.traces.check(checks);
        self.database.check(checks);
        self.redis.check(checks);
        self.keys.check(checks);
        self.tokens.check(checks);
        self.verification.check(checks);
        self.mfa.check(checks);
        self.devices.check(checks);
        self.passwords.check(checks);
        self.identifiers.check(checks);
        self.users.check(checks);
        self.audit.check(checks);
        self.legacy.check(checks);
        self.delivery.check(checks);
        self.sens.check(checks);
        self.alimtalk.check(checks);
        self.smtp.check(checks);
        self.webhook.check(checks);
        self.validation.check(checks);
    }
}
