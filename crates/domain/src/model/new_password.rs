//! A password to be set that was found hard enough to guess.

use crate::model::Password;
use crate::ports::PasswordHasher;

/// A password that may be set.
#[derive(Clone, Debug)]
pub struct NewPassword(Password);

impl NewPassword {
    /// Assesses a password to be set. `known` is what an attacker knows of the
    /// person: the identifiers.
    ///
    /// # Errors
    /// What would be right, as the rule of a field.
    pub fn assess(
        password: Password,
        known: &[&str],
        hasher: &dyn PasswordHasher,
    ) -> Result<Self, String> {
        hasher.assess(&password, known)?;
        Ok(Self(password))
    }

    /// The password, to be looked at.
    #[must_use]
    pub fn password(&self) -> &Password {
        &self.0
    }

    /// The password.
    #[must_use]
    pub fn into_password(self) -> Password {
        self.0
    }
}
