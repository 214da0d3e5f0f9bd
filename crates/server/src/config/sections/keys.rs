//! The section `[keys]`.

use std::time::Duration;

use countersign_domain::model::MasterKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::{duration, masked};

/// `[keys]`: the master key and the signing keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// 32 bytes in base64; absent: the file `master.key` in the data directory.
    #[serde(serialize_with = "masked")]
    pub master_key: Option<SecretString>,
    /// How long a key signs before the next takes over.
    #[serde(with = "duration")]
    pub rotation: Duration,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            master_key: None,
            rotation: Duration::from_secs(30 * 86_400),
        }
    }
}

impl KeysConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        if let Some(Err(error)) = self
            .master_key
            .as_ref()
            .map(|key| MasterKey::decode(key.expose_secret()))
        {
            checks.refuse("keys.master_key", error.to_string());
        }
        let (least, most) = (Duration::from_secs(60), Duration::from_secs(3_650 * 86_400));
        checks.lasts("keys.rotation", self.rotation, least..=most);
    }
}
