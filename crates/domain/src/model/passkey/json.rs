//! Reading what browsers write with `PublicKeyCredential.toJSON`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// How long an answer is at the most, in bytes.
const MOST: usize = 16 * 1024;

/// Bytes in base64url without padding (RFC 4648, 5).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Base64Url(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes());
        bytes
            .map(Self)
            .map_err(|_| serde::de::Error::custom("no base64url without padding"))
    }
}

/// A PublicKeyCredentialJSON. What else browsers may write is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credential<Response> {
    id: Base64Url,
    pub(super) raw_id: Base64Url,
    #[serde(rename = "type")]
    kind: String,
    pub(super) response: Response,
}

/// Reads a credential with its response.
pub(super) fn read<Response: DeserializeOwned>(
    text: &str,
) -> Result<Credential<Response>, &'static str> {
    if text.len() > MOST {
        return Err("must have at most 16 KiB");
    }
    let credential: Credential<Response> = serde_json::from_str(text)
        .map_err(|_| "must be a PublicKeyCredential as its toJSON writes it")?;
    if credential.kind != "public-key" {
        return Err("must be of the type public-key");
    }
    if credential.id != credential.raw_id {
        return Err("must have one id: id and rawId differ");
    }
    Ok(credential)
}
