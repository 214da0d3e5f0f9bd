//! A passkey that was used (Web Authentication, 7.2).

use std::fmt;

use aws_lc_rs::digest;
use serde::Deserialize;

use super::authenticator_data::AuthenticatorData;
use super::cbor::Malformed;
use super::challenge::Challenge;
use super::client_data::{Ceremony, ClientData};
use super::credential::{CredentialDigest, Passkey, digest_of};
use super::fault::PasskeyFault;
use super::json::{self, Base64Url};
use super::relying_party::RelyingParty;
use crate::model::UserId;

/// What the browser answered to request options.
pub struct Assertion {
    id: Vec<u8>,
    client_data: ClientData,
    data: AuthenticatorData,
    signature: Vec<u8>,
    user_handle: Option<Vec<u8>>,
}

/// What a good answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// The signature counter; 0 if the authenticator counts nothing.
    pub counter: u32,
    /// Whether the authenticator has made sure who it was, by a PIN or a
    /// biometric.
    pub is_user_verified: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: Base64Url,
    authenticator_data: Base64Url,
    signature: Base64Url,
    #[serde(default)]
    user_handle: Option<Base64Url>,
}

impl Assertion {
    /// Reads an AuthenticationResponseJSON.
    ///
    /// # Errors
    /// What it must be, if it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (id, response) = json::read::<Response>(text)?.into_parts();
        let data = AuthenticatorData::parse(response.authenticator_data.0)
            .map_err(|Malformed| "must have a response whose authenticatorData can be read")?;
        if data.made.is_some() {
            return Err("must have a response whose authenticatorData has no credential in it");
        }
        Ok(Self {
            id,
            client_data: ClientData::parse(response.client_data.0)?,
            data,
            signature: response.signature.0,
            user_handle: response.user_handle.map(|handle| handle.0),
        })
    }

    /// The challenge that it answers, if it may be one of this service.
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge> {
        self.client_data.challenge()
    }

    /// What its credential is found by.
    #[must_use]
    pub fn credential(&self) -> CredentialDigest {
        digest_of(&self.id)
    }

    /// Whether it names this user, or, where that is not `required`, no user.
    #[must_use]
    pub fn is_of(&self, user: UserId, required: bool) -> bool {
        match &self.user_handle {
            Some(handle) => handle == user.as_bytes(),
            None => !required,
        }
    }

    /// What it says, if this passkey has answered this challenge at this site.
    /// The counter is still to be compared.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(
        &self,
        relying_party: &RelyingParty,
        challenge: &Challenge,
        passkey: &Passkey,
    ) -> Result<Asserted, PasskeyFault> {
        self.client_data
            .check(Ceremony::Assertion, challenge, relying_party)?;
        self.data.check(relying_party)?;
        if self.id != passkey.id {
            return Err(PasskeyFault::Credential);
        }
        let hash = digest::digest(&digest::SHA256, &self.client_data.bytes);
        let message = [&self.data.bytes, hash.as_ref()].concat();
        if !passkey.key.verifies(&message, &self.signature) {
            return Err(PasskeyFault::Signature);
        }
        Ok(Asserted {
            counter: self.data.counter,
            is_user_verified: self.data.is_user_verified(),
        })
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion(..)")
    }
}
