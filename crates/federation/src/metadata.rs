//! What a provider says of itself (OpenID Connect Discovery 1.0, 3; RFC 8414; RFC 9207).

use crate::failure::Failure;
use crate::json::Members;
use crate::keys::SignatureAlgorithm;
use crate::url::Url;

/// Where a provider is asked, and what it understands.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    /// None of a provider without ID tokens.
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) userinfo_endpoint: Option<Url>,
    pub(crate) revocation_endpoint: Option<Url>,
    /// Whether `iss` has to come back with the browser.
    pub(crate) sends_issuer: bool,
    /// Whether a code is bound to its asker by PKCE.
    pub(crate) has_pkce: bool,
    pub(crate) client_authentication: ClientAuthentication,
    pub(crate) algorithms: Vec<SignatureAlgorithm>,
}

/// How a client shows its secret (Core, 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuthentication {
    Basic,
    Post,
}

impl Metadata {
    /// Reads the document of an issuer.
    ///
    /// # Errors
    /// Rejected if it is of another issuer, or says what cannot be used.
    pub(crate) fn read(body: &[u8], issuer: &str, is_plain_allowed: bool) -> Result<Self, Failure> {
        let of_document = |failure: Failure| failure.during("the discovery document");
        read(body, issuer, is_plain_allowed).map_err(of_document)
    }
}

fn read(body: &[u8], issuer: &str, is_plain_allowed: bool) -> Result<Metadata, Failure> {
    let document = Members::read(body)?;
    if document.required("issuer")? != issuer {
        return Err(Failure::rejected(format!(
            "its issuer is not exactly {issuer}"
        )));
    }
    let url = |name: &str| -> Result<Option<Url>, Failure> {
        let text = document.text(name)?;
        let parse = |text: String| Url::parse(&text, is_plain_allowed);
        let url = text.map(parse).transpose();
        url.map_err(|problem| Failure::rejected(format!("its {name} {problem}")))
    };
    let required =
        |name: &str| url(name)?.ok_or_else(|| Failure::rejected(format!("it has no {name}")));
    let challenges = document.texts("code_challenge_methods_supported")?;
    let algorithms = document.texts("id_token_signing_alg_values_supported")?;
    Ok(Metadata {
        authorization_endpoint: required("authorization_endpoint")?,
        token_endpoint: required("token_endpoint")?,
        jwks_uri: Some(required("jwks_uri")?),
        userinfo_endpoint: url("userinfo_endpoint")?,
        revocation_endpoint: None,
        sends_issuer: document
            .get("authorization_response_iss_parameter_supported")?
            .unwrap_or(false),
        // Who does not know it passes it over (RFC 7636, 5).
        has_pkce: challenges.is_none_or(|methods| methods.iter().any(|method| method == "S256")),
        client_authentication: client_authentication(&document)?,
        algorithms: allowed(&algorithms.unwrap_or_default()),
    })
}

fn client_authentication(document: &Members) -> Result<ClientAuthentication, Failure> {
    let methods = document.texts("token_endpoint_auth_methods_supported")?;
    let Some(methods) = methods else {
        return Ok(ClientAuthentication::Basic);
    };
    let has = |name: &str| methods.iter().any(|method| method == name);
    match has("client_secret_basic") || !has("client_secret_post") {
        true => Ok(ClientAuthentication::Basic),
        false => Ok(ClientAuthentication::Post),
    }
}

/// RS256 and ES256, and of the others those that the provider names.
pub(crate) fn allowed(named: &[String]) -> Vec<SignatureAlgorithm> {
    let usual = [SignatureAlgorithm::Rs256, SignatureAlgorithm::Es256];
    let named = named
        .iter()
        .filter_map(|name| SignatureAlgorithm::named(name));
    let more = named.filter(|algorithm| !usual.contains(algorithm));
    usual.into_iter().chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example";

    fn document(more: &str) -> String {
        format!(
            r#"{{"issuer":"{ISSUER}","authorization_endpoint":"https://id.example/a",
            "token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/j"{more}}}"#
        )
    }

    fn read(text: &str) -> Result<Metadata, Failure> {
        Metadata::read(text.as_bytes(), ISSUER, false)
    }

    #[test]
    fn what_is_not_said_is_as_the_specifications_say() {
        let metadata = read(&document("")).unwrap();
        assert!(metadata.has_pkce && !metadata.sends_issuer);
        assert_eq!(metadata.client_authentication, ClientAuthentication::Basic);
        let usual = [SignatureAlgorithm::Rs256, SignatureAlgorithm::Es256];
        assert_eq!(metadata.algorithms, usual);
        assert!(metadata.userinfo_endpoint.is_none());
    }

    #[test]
    fn what_is_said_counts_but_for_algorithms_that_prove_nothing() {
        let metadata = read(&document(
            r#","authorization_response_iss_parameter_supported":true,
            "code_challenge_methods_supported":["plain"],
            "token_endpoint_auth_methods_supported":["client_secret_post"],
            "id_token_signing_alg_values_supported":["none","HS256","PS256","EdDSA"]"#,
        ))
        .unwrap();
        assert!(!metadata.has_pkce && metadata.sends_issuer);
        assert_eq!(metadata.client_authentication, ClientAuthentication::Post);
        assert_eq!(metadata.algorithms.len(), 4);
    }

    #[test]
    fn another_issuer_and_addresses_without_tls_are_refused() {
        for text in [
            document("").replace("example\"", "example/\""),
            document("").replace("https://id.example\"", "https://ID.example\""),
            document("").replace("https://id.example/t", "http://id.example/t"),
            document("").replace("https://id.example/j", "file:///etc/passwd"),
            document(r#","userinfo_endpoint":"http://127.0.0.1/""#),
            document(r#","issuer":"https://id.example""#),
            document(r#","authorization_response_iss_parameter_supported":"yes""#),
            "{}".into(),
        ] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
