//! What a browser is asked (Web Authentication, 5.4 and 5.5, as JSON by 5.1.8
//! and 5.1.9).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::challenge::Challenge;
use super::public_key::ALGORITHMS;
use super::relying_party::RelyingParty;
use crate::model::UserId;

/// Options with which a browser makes a passkey. One that can be found without a
/// name, and that verifies the person, is preferred: others are second factors
/// alone.
#[derive(Debug)]
pub struct CreationOptions<'a> {
    /// The site.
    pub relying_party: &'a RelyingParty,
    /// What is to be answered.
    pub challenge: &'a Challenge,
    /// Whose it will be.
    pub user: UserId,
    /// The name of the account, which the person is shown.
    pub account: &'a str,
    /// The credentials that the user has: an authenticator with one of them makes
    /// no second one.
    pub exclude: &'a [Vec<u8>],
    /// How long the person has.
    pub timeout: Duration,
}

/// Options with which a browser asks for a passkey.
#[derive(Debug)]
pub struct RequestOptions<'a> {
    /// The site.
    pub relying_party: &'a RelyingParty,
    /// What is to be answered.
    pub challenge: &'a Challenge,
    /// The credentials that may answer; any one if there are none.
    pub allow: &'a [Vec<u8>],
    /// Whether the authenticator must make sure who it is.
    pub is_verification_required: bool,
    /// How long the person has.
    pub timeout: Duration,
}

impl CreationOptions<'_> {
    /// A PublicKeyCredentialCreationOptionsJSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let parameters = ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg}));
        let options = json!({
            "rp": {"id": self.relying_party.id(), "name": self.relying_party.name()},
            "user": {
                "id": encoded(self.user.as_bytes()),
                "name": self.account,
                "displayName": self.account,
            },
            "challenge": encoded(self.challenge.as_bytes()),
            "pubKeyCredParams": parameters,
            "timeout": millis(self.timeout),
            "excludeCredentials": descriptors(self.exclude),
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": false,
                "userVerification": "preferred",
            },
            "attestation": "none",
        });
        options.to_string()
    }
}

impl RequestOptions<'_> {
    /// A PublicKeyCredentialRequestOptionsJSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let verification = match self.is_verification_required {
            true => "required",
            false => "preferred",
        };
        let options = json!({
            "challenge": encoded(self.challenge.as_bytes()),
            "timeout": millis(self.timeout),
            "rpId": self.relying_party.id(),
            "allowCredentials": descriptors(self.allow),
            "userVerification": verification,
        });
        options.to_string()
    }
}

fn descriptors(ids: &[Vec<u8>]) -> Vec<Value> {
    ids.iter()
        .map(|id| json!({"type": "public-key", "id": encoded(id)}))
        .collect()
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
