//! The section `[passkeys]`.

use serde::{Deserialize, Serialize};

/// `[passkeys]`: passkeys and security keys (Web Authentication). None are taken
/// unless it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasskeysConfig {
    /// The domain that passkeys belong to, for good: such as `example.com`.
    pub rp_id: String,
    /// The origins of the pages and apps that ask for them: such as
    /// `https://example.com`.
    pub origins: Vec<String>,
}
