//! The section `[delivery]`.

use serde::{Deserialize, Serialize};

use crate::config::serde_formats::optional;

/// `[delivery]`: bringing messages to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// What messages are handed to. Absent: the log, on a loopback address and
    /// without callers; else nothing, and what needs a message is refused.
    #[serde(deserialize_with = "optional")]
    pub sender: Option<SenderName>,
}

/// The senders that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SenderName {
    /// Writes messages to the log, codes in the clear: for trying out.
    Log,
}
