//! The parameters of a message, in the query of its address or in a form.

use std::collections::BTreeMap;

use countersign_domain::model::ProviderNotification;

use crate::failure::Failure;

/// Parameters by name.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Those of the query and of the form.
    ///
    /// # Errors
    /// Rejected if one is there twice.
    pub(super) fn read(notification: &ProviderNotification) -> Result<Self, Failure> {
        let mut parameters = BTreeMap::new();
        for bytes in [notification.query.as_bytes(), notification.body.as_slice()] {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes)
                .map_err(|_| Failure::rejected("it is not a form"))?;
            for (name, value) in pairs {
                if parameters.insert(name, value).is_some() {
                    return Err(Failure::rejected("a parameter is repeated"));
                }
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// Rejected if it is not.
    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.get(name)
            .ok_or_else(|| Failure::rejected(format!("it has no {name}")))
    }
}
