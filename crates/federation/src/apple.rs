//! What Apple has of its own: a client secret that is a JWT signed by the client's key, and the name
//! of a person, which comes once and beside the ID token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

use crate::json::Members;

/// For how many seconds a client secret is good; Apple allows six months.
const LIFETIME: i64 = 300;
/// The most bytes of `user` that are read.
const LONGEST_USER: usize = 8 * 1024;

/// The key of a client of Apple's.
pub(crate) struct AppleKey {
    pub(crate) team_id: String,
    pub(crate) key_id: String,
    key: EncodingKey,
}

impl AppleKey {
    /// Reads a `.p8` file's text. `None` unless it is a P-256 key in PKCS#8.
    pub(crate) fn read(team_id: &str, key_id: &str, pem: &str) -> Option<Self> {
        let key = Self {
            team_id: team_id.to_owned(),
            key_id: key_id.to_owned(),
            key: EncodingKey::from_ec_pem(pem.as_bytes()).ok()?,
        };
        key.sign(b"").is_some().then_some(key)
    }

    /// A client secret for one request. `now` is in seconds since 1970.
    pub(crate) fn client_secret(&self, client_id: &str, issuer: &str, now: i64) -> Option<String> {
        let header = serde_json::json!({ "alg": "ES256", "kid": self.key_id, "typ": "JWT" });
        let claims = serde_json::json!({
            "iss": self.team_id,
            "iat": now,
            "exp": now.saturating_add(LIFETIME),
            "aud": issuer,
            "sub": client_id,
        });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(input.as_bytes())?);
        Some(format!("{input}.{signature}"))
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signer = (DEFAULT_PROVIDER.signer_factory)(&jsonwebtoken::Algorithm::ES256, &self.key);
        signer.ok()?.try_sign(message).ok()
    }
}

/// The name in `user`: nothing proves it, as nothing proves a name that a person types. The address
/// in it is passed over: the ID token has it, too.
pub(crate) fn name(user: &str) -> Option<String> {
    if user.len() > LONGEST_USER {
        return None;
    }
    let name = Members::read(user.as_bytes()).ok()?.object("name").ok()??;
    let given = name.text_or_nothing("firstName").unwrap_or_default();
    let family = name.text_or_nothing("lastName").unwrap_or_default();
    // Koreans write the family name first, and no space.
    let is_korean = |text: &str| text.chars().all(|letter| ('가'..='힣').contains(&letter));
    match is_korean(&given) && is_korean(&family) {
        true => Some(format!("{family}{given}")),
        false => Some(format!("{given} {family}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_read_of_a_text_that_has_one() {
        let read = |given: &str, family: &str| {
            let text = serde_json::json!({ "name": { "firstName": given, "lastName": family } });
            name(&text.to_string())
        };
        assert_eq!(read("Ada", "Lovelace").as_deref(), Some("Ada Lovelace"));
        assert_eq!(read("길동", "홍").as_deref(), Some("홍길동"));
        for text in [
            "",
            "{}",
            r#"{"name":"Ada"}"#,
            r#"{"name":{},"name":{}}"#,
            "<html>",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
        assert_eq!(name(&format!(r#"{{"x":"{}"}}"#, "x".repeat(9000))), None);
    }

    #[test]
    fn a_key_that_cannot_sign_with_es256_is_refused() {
        assert!(AppleKey::read("team", "key", "").is_none());
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(AppleKey::read("team", "key", pem).is_none());
    }
}
