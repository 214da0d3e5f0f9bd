//! The passkeys of the people of a sequence.

use std::collections::HashMap;

use countersign_domain::testing::reference::FactorCode;
use countersign_tests::software_authenticator::{USER_PRESENT, USER_VERIFIED};
use countersign_tests::{Algorithm, Ceremony, SoftwareAuthenticator};

/// The pages where they are shown.
pub(crate) const ORIGIN: &str = "https://example.com";

/// The passkeys, by the numbers that the model gives them.
#[derive(Default)]
pub(crate) struct Keys(HashMap<usize, SoftwareAuthenticator>);

impl Keys {
    /// Makes a passkey, and the answer for its enrolment.
    pub(crate) fn make(&mut self, key: usize, options: &str) -> String {
        let (made, answer) = SoftwareAuthenticator::create(Algorithm::EdDsa, options, ORIGIN);
        self.0.insert(key, made);
        answer
    }

    /// What a passkey signs. `None`: it is a code.
    pub(crate) fn signed(&self, shown: &FactorCode) -> Option<String> {
        let FactorCode::Passkey {
            key,
            options,
            is_verified,
        } = shown
        else {
            return None;
        };
        let mut ceremony = Ceremony::of(options, ORIGIN);
        ceremony.flags = match is_verified {
            true => USER_PRESENT | USER_VERIFIED,
            false => USER_PRESENT,
        };
        Some(self.0[key].assert(&ceremony).to_string())
    }
}
