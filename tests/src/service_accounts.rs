//! Service accounts, made by an operator, and what they sign in with.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_proto::v1::service_account_grant::Credential;
use countersign_token::{Algorithm, Jwk, SigningKey};
use serde_json::{Value, json};
use tonic::Status;

use crate::gateway::Gateway;

/// The issuer of the servers under test.
pub const ISSUER: &str = "countersign";

/// The private key of a service account.
#[derive(Debug)]
pub struct AssertionKey(SigningKey);

impl AssertionKey {
    /// A new key.
    ///
    /// # Panics
    /// If none can be made.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        Self(SigningKey::generate(algorithm).expect("a key"))
    }

    /// The public half.
    ///
    /// # Panics
    /// Never: it has one.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        self.0.verifying_key().to_jwk().expect("a public key")
    }

    /// The header of an assertion.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({"alg": self.0.algorithm().as_str(), "typ": "JWT", "kid": self.0.kid()})
    }

    /// Signs a JWT with this header and these claims.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let input = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self.signature(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the crypto library asks for its own generator"
    )]
    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let (secret, random) = (self.0.secret(), SystemRandom::new());
        match self.0.algorithm() {
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(secret).expect("a key");
                pair.sign(message).as_ref().to_vec()
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret);
                let signature = pair.expect("a key").sign(&random, message);
                signature.expect("signed").as_ref().to_vec()
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(secret).expect("a key");
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("signed");
                signature
            }
            Algorithm::Hs256 => unreachable!("service accounts have no symmetric keys"),
        }
    }

    /// A good assertion of an account, whose `jti` is this.
    #[must_use]
    pub fn assertion(&self, id: &str, jti: &str) -> String {
        self.sign(&self.header(), &assertion_claims(id, jti))
    }
}

/// The claims of a good assertion.
#[must_use]
pub fn assertion_claims(id: &str, jti: &str) -> Value {
    let now = seconds_now();
    json!({"iss": id, "sub": id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti})
}

/// The time by the machine's clock.
///
/// # Panics
/// If the clock is before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "assertions are made by the clock of a client"
)]
#[must_use]
pub fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.expect("after 1970").as_secs();
    i64::try_from(seconds).expect("before the end of time")
}

impl Gateway {
    /// Makes a service account with these roles and scopes.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn make_service_account(
        &self,
        group: &str,
        roles: &[&str],
        scopes: &[&str],
    ) -> v1::ServiceAccount {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let request = v1::CreateServiceAccountRequest {
            group_id: group.into(),
            display_name: "settlement".into(),
            roles: texts(roles),
            scopes: texts(scopes),
            ..Default::default()
        };
        let made = self
            .service_accounts()
            .create_service_account(request)
            .await;
        let made = made.expect("a new account").into_inner();
        made.service_account.expect("an account")
    }

    /// A new secret of an account, and the id of it.
    ///
    /// # Panics
    /// If there is none.
    pub async fn new_secret(&self, account: &v1::ServiceAccount) -> (String, String) {
        let request = v1::CreateServiceAccountSecretRequest {
            service_account_id: account.service_account_id.clone(),
            expire_time: None,
        };
        let mut accounts = self.service_accounts();
        let made = accounts.create_service_account_secret(request).await;
        let made = made.expect("a secret").into_inner();
        let credential = made.credential.expect("what is kept of it");
        (made.secret, credential.credential_id)
    }

    /// A new key of an account, and the id of it.
    ///
    /// # Panics
    /// If there is none.
    pub async fn new_assertion_key(
        &self,
        account: &v1::ServiceAccount,
        algorithm: Algorithm,
    ) -> (AssertionKey, String) {
        let key = AssertionKey::generate(algorithm);
        let request = v1::AddServiceAccountKeyRequest {
            service_account_id: account.service_account_id.clone(),
            key: Some(v1::add_service_account_key_request::Key::Jwk(
                key.jwk().to_string(),
            )),
            expire_time: None,
        };
        let added = self
            .service_accounts()
            .add_service_account_key(request)
            .await;
        let added = added.expect("a key").into_inner();
        let credential = added.credential.expect("what is kept of it");
        (key, credential.credential_id)
    }

    /// Signs an account in by what it shows.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_in_service_account(
        &self,
        account: &v1::ServiceAccount,
        shown: Credential,
        scopes: &[&str],
    ) -> Result<v1::ServiceAccountToken, Status> {
        let request = v1::IssueTokensRequest {
            group_id: account.group_id.clone(),
            grant: Some(Grant::ServiceAccount(v1::ServiceAccountGrant {
                service_account_id: account.service_account_id.clone(),
                credential: Some(shown),
            })),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        self.issue_to_service_account(request).await
    }

    /// Asks for the token of a service account.
    ///
    /// # Errors
    /// The server's.
    pub async fn issue_to_service_account(
        &self,
        request: v1::IssueTokensRequest,
    ) -> Result<v1::ServiceAccountToken, Status> {
        let issued = self.auth().issue_tokens(request).await?;
        match issued.into_inner().outcome {
            Some(Outcome::ServiceAccountToken(token)) => Ok(token),
            _ => Err(Status::internal("no token of a service account")),
        }
    }
}

/// A secret, as it is shown.
#[must_use]
pub fn by_secret(secret: &str) -> Credential {
    Credential::Secret(secret.into())
}

/// An assertion, as it is shown.
#[must_use]
pub fn by_assertion(assertion: &str) -> Credential {
    Credential::ClientAssertion(assertion.into())
}
