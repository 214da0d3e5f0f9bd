//! A passkey that was made (Web Authentication, 7.1).

use std::fmt;

use aws_lc_rs::digest;
use minicbor::Decoder;
use minicbor::bytes::ByteSlice;
use serde::Deserialize;

use super::authenticator_data::{AuthenticatorData, Made};
use super::cbor::{Malformed, end, map};
use super::challenge::Challenge;
use super::client_data::{Ceremony, ClientData};
use super::credential::Passkey;
use super::fault::PasskeyFault;
use super::json::{self, Base64Url};
use super::relying_party::RelyingParty;

/// What the browser answered to creation options.
pub struct Registration {
    client_data: ClientData,
    data: AuthenticatorData,
    made: Made,
    statement: Statement,
}

/// A passkey that is good to be kept.
#[derive(Debug)]
pub struct Registered {
    /// The passkey.
    pub passkey: Passkey,
    /// Its signature counter; 0 if it counts nothing.
    pub counter: u32,
}

/// What the authenticator says of its own make.
enum Statement {
    /// Nothing.
    None,
    /// The new key has signed, which tells nothing but that it can.
    Itself { algorithm: i64, signature: Vec<u8> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: Base64Url,
    attestation_object: Base64Url,
}

impl Registration {
    /// Reads a RegistrationResponseJSON.
    ///
    /// # Errors
    /// What it must be, if it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (id, response) = json::read::<Response>(text)?.into_parts();
        let client_data = ClientData::parse(response.client_data.0)?;
        let object = response.attestation_object.0;
        let (statement, data) = attestation(&object).map_err(|Malformed| {
            "must have a response whose attestationObject has a key of ES256, Ed25519 or RS256, \
             and no attestation"
        })?;
        let mut data = data;
        let made = data.made.take();
        let made = made.filter(|made| made.id == id);
        Ok(Self {
            client_data,
            data,
            made: made.ok_or("must have the id of the credential in its attestationObject")?,
            statement,
        })
    }

    /// The passkey, if it was made for this challenge by this site.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(
        self,
        relying_party: &RelyingParty,
        challenge: &Challenge,
    ) -> Result<Registered, PasskeyFault> {
        self.client_data
            .check(Ceremony::Registration, challenge, relying_party)?;
        self.data.check(relying_party)?;
        let Made { id, key } = self.made;
        if let Statement::Itself {
            algorithm,
            signature,
        } = self.statement
        {
            let hash = digest::digest(&digest::SHA256, &self.client_data.bytes);
            let message = [&self.data.bytes, hash.as_ref()].concat();
            if algorithm != key.algorithm || !key.verifies(&message, &signature) {
                return Err(PasskeyFault::Signature);
            }
        }
        Ok(Registered {
            passkey: Passkey { id, key },
            counter: self.data.counter,
        })
    }
}

/// Reads an attestation object (Web Authentication, 6.5.4): of the formats, those
/// that browsers leave where no attestation is asked for.
fn attestation(bytes: &[u8]) -> Result<(Statement, AuthenticatorData), Malformed> {
    let mut decoder = Decoder::new(bytes);
    let (mut format, mut statement, mut data) = (None, None, None);
    map(&mut decoder, |key: &&str, value| {
        match *key {
            "fmt" => format = Some(value.str()?),
            "attStmt" => statement = Some(signed(value)?),
            "authData" => data = Some(byte_string(value)?.to_vec()),
            _ => return Err(Malformed),
        }
        Ok(())
    })?;
    end(&decoder)?;
    let statement = match (format, statement) {
        (Some("none"), Some((None, None))) => Statement::None,
        (Some("packed"), Some((Some(algorithm), Some(signature)))) => Statement::Itself {
            algorithm,
            signature,
        },
        _ => return Err(Malformed),
    };
    let data = AuthenticatorData::parse(data.ok_or(Malformed)?)?;
    Ok((statement, data))
}

/// The algorithm and the signature of an attestation statement that has nothing
/// else: no certificates.
fn signed(decoder: &mut Decoder<'_>) -> Result<(Option<i64>, Option<Vec<u8>>), Malformed> {
    let (mut algorithm, mut signature) = (None, None);
    map(decoder, |key: &&str, value| {
        match *key {
            "alg" => algorithm = Some(value.i64()?),
            "sig" => signature = Some(byte_string(value)?.to_vec()),
            _ => return Err(Malformed),
        }
        Ok(())
    })?;
    Ok((algorithm, signature))
}

fn byte_string<'b>(value: &mut Decoder<'b>) -> Result<&'b [u8], Malformed> {
    let bytes: &ByteSlice = value.decode()?;
    Ok(bytes)
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration(..)")
    }
}
