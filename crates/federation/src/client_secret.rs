//! How a client proves at a provider that it is the one (RFC 6749, 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::apple::AppleKey;
use crate::failure::Failure;
use crate::metadata::ClientAuthentication;
use crate::url::form;

/// What a client proves itself by.
pub(crate) enum ClientSecret {
    /// Nothing: PKCE alone binds the code to it.
    None,
    /// What the provider has given it.
    Given(SecretString),
    /// A key, of which the provider knows the other half.
    Key(AppleKey),
}

/// What goes with one request.
pub(crate) struct Proof {
    /// `Authorization`.
    pub(crate) authorization: Option<String>,
    /// `client_secret`.
    pub(crate) secret: Option<String>,
}

impl ClientSecret {
    /// The proof for one request. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Misconfigured if the key cannot sign.
    pub(crate) fn prove(
        &self,
        client_id: &str,
        issuer: &str,
        how: ClientAuthentication,
        now: i64,
    ) -> Result<Proof, Failure> {
        let secret = match self {
            Self::None => None,
            Self::Given(secret) => Some(secret.expose_secret().to_owned()),
            Self::Key(key) => {
                let signed = key.client_secret(client_id, issuer, now);
                Some(signed.ok_or_else(|| Failure::misconfigured("the private key cannot sign"))?)
            }
        };
        Ok(match (secret, how) {
            (Some(secret), ClientAuthentication::Basic) => Proof {
                authorization: Some(basic(client_id, &secret)),
                secret: None,
            },
            (secret, ClientAuthentication::Post | ClientAuthentication::Basic) => Proof {
                authorization: None,
                secret,
            },
        })
    }

    /// What must not be seen.
    pub(crate) fn exposed(&self) -> &str {
        match self {
            Self::Given(secret) => secret.expose_secret(),
            Self::None | Self::Key(_) => "",
        }
    }
}

/// Both are written as in a form first.
fn basic(client_id: &str, secret: &str) -> String {
    let written = |text: &str| form(&[("", text)]).trim_start_matches('=').to_owned();
    let pair = format!("{}:{}", written(client_id), written(secret));
    format!("Basic {}", STANDARD.encode(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_with_signs_of_its_own_is_written_as_in_a_form() {
        let decoded = |text: String| {
            let bytes = STANDARD
                .decode(text.strip_prefix("Basic ").unwrap())
                .unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(decoded(basic("app", "a:b c%=")), "app:a%3Ab+c%25%3D");
    }
}
