//! What the browser says of the page that asked (Web Authentication, 5.8.1).

use serde::Deserialize;

use super::challenge::Challenge;
use super::fault::PasskeyFault;
use super::json::{Base64Url, Object};
use super::relying_party::RelyingParty;

/// The client data, with the bytes that are signed.
pub(super) struct ClientData {
    pub(super) bytes: Vec<u8>,
    fields: Fields,
}

/// What was asked for.
#[derive(Clone, Copy)]
pub(super) enum Ceremony {
    Registration,
    Assertion,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    challenge: Base64Url,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

impl ClientData {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, &'static str> {
        let fields: Object<Fields> = serde_json::from_slice(&bytes)
            .map_err(|_| "must have a response whose clientDataJSON is CollectedClientData")?;
        Ok(Self {
            bytes,
            fields: fields.0,
        })
    }

    /// The challenge, if it may be one of this service.
    pub(super) fn challenge(&self) -> Option<Challenge> {
        Challenge::from_bytes(&self.fields.challenge.0)
    }

    pub(super) fn check(
        &self,
        ceremony: Ceremony,
        challenge: &Challenge,
        relying_party: &RelyingParty,
    ) -> Result<(), PasskeyFault> {
        let kind = match ceremony {
            Ceremony::Registration => "webauthn.create",
            Ceremony::Assertion => "webauthn.get",
        };
        let fields = &self.fields;
        if fields.kind != kind {
            return Err(PasskeyFault::Type);
        }
        if self.challenge() != Some(*challenge) {
            return Err(PasskeyFault::Challenge);
        }
        if !relying_party.admits(&fields.origin) {
            return Err(PasskeyFault::Origin);
        }
        if fields.cross_origin || fields.top_origin.is_some() {
            return Err(PasskeyFault::CrossOrigin);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(text: &str) -> bool {
        ClientData::parse(text.as_bytes().to_vec()).is_ok()
    }

    #[test]
    fn client_data_is_an_object_with_each_name_once() {
        let good = r#"{"type":"webauthn.get","challenge":"AA","origin":"https://a.example"}"#;
        assert!(is_read(good));
        assert!(is_read(
            &good.replace('}', r#","later":{"a":[1,{"a":2}]}}"#)
        ));
        for wrong in [
            r#"["webauthn.get","AA","https://a.example"]"#.to_owned(),
            r#"["webauthn.get","AA","https://a.example",false,null]"#.to_owned(),
            good.replace('}', r#","origin":"https://b.example"}"#),
            good.replace('}', r#","crossOrigin":true,"crossOrigin":false}"#),
            good.replace('}', r#","later":1,"later":1}"#),
            good.replace('}', r#","\u006frigin":"https://b.example"}"#),
            format!("[{good}]"),
            format!("{good}{good}"),
            "null".to_owned(),
            "{}".to_owned(),
        ] {
            assert!(!is_read(&wrong), "{wrong}");
        }
    }
}
