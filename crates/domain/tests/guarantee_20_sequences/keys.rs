//! The passkeys of the people of a sequence.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use countersign_domain::model::{Assertion, Registration, RelyingParty};
use countersign_domain::testing::reference::FactorCode;

use crate::software_authenticator::{
    Algorithm, Ceremony, SoftwareAuthenticator, USER_PRESENT, USER_VERIFIED,
};

const ORIGIN: &str = "https://id.example.com";

/// The passkeys, by the numbers that the model gives them.
#[derive(Default)]
pub(crate) struct Keys(Mutex<HashMap<usize, SoftwareAuthenticator>>);

/// The site that takes them.
pub(crate) fn relying_party() -> RelyingParty {
    RelyingParty::new("example.com", "Shop", &[ORIGIN.to_owned()]).expect("a site")
}

impl Keys {
    /// Makes a passkey, and the answer for its enrolment.
    pub(crate) fn make(&self, key: usize, options: &str) -> Registration {
        let (made, answer) = SoftwareAuthenticator::create(Algorithm::EdDsa, options, ORIGIN);
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key, made);
        Registration::parse(&answer).expect("an answer")
    }

    /// What a passkey signs.
    pub(crate) fn assertion(&self, shown: &FactorCode) -> Assertion {
        let FactorCode::Passkey {
            key,
            options,
            is_verified,
        } = shown
        else {
            panic!("{shown:?} is no passkey");
        };
        let mut ceremony = Ceremony::of(options, ORIGIN);
        ceremony.flags = match is_verified {
            true => USER_PRESENT | USER_VERIFIED,
            false => USER_PRESENT,
        };
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = keys[key].assert(&ceremony).to_string();
        Assertion::parse(&answer).expect("an answer")
    }
}
