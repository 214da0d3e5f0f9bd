//! An address that is to be proved before it is added or takes the place of another one.

use serde::Deserialize;

use crate::url::query;

/// An address that is to be proved.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    pub(super) verification_id: String,
    pub(super) identifier: String,
    /// Empty if the address is added.
    pub(super) replaces: String,
}

impl Change {
    /// The page on which the code is typed.
    pub(super) fn path(&self) -> String {
        format!(
            "/profile/addresses/verify?{}&{}&{}",
            query("verification_id", &self.verification_id),
            query("identifier", &self.identifier),
            query("replaces", &self.replaces),
        )
    }
}
