//! An OpenID Connect issuer on loopback, for whoever asks it: it authenticates the person whom a
//! test names.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_proto::v1;
use countersign_proto::v1::link_federated_identity_request::Account;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::details::reason;
use crate::gateway::Gateway;
use crate::person::Person;
use crate::service_accounts::seconds_now;

const CLIENT: &str = "countersign";
const APP: &str = "app";
const KEY_ID: &str = "one";

/// An issuer. It ends with the runtime.
pub struct Issuer {
    address: SocketAddr,
    key: EcdsaKeyPair,
    /// How many tokens there are.
    issued: AtomicU64,
}

impl Issuer {
    /// The name under which servers know it.
    pub const PROVIDER: &str = "corp";

    /// Serves on a port of its own.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let issuer = format!("http://{address}");
        let discovery = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
        });
        // 4, x, y.
        let point = key.public_key().as_ref();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": KEY_ID, "alg": "ES256",
            "x": encode(&point[1..33]), "y": encode(&point[33..65]),
        }]});
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, discovery.clone(), keys.clone()));
            }
        });
        Self {
            address,
            key,
            issued: AtomicU64::new(0),
        }
    }

    /// The settings of a server that knows it.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, toml::Value)> {
        let setting = |name: &str, value: toml::Value| {
            (
                format!("federation.providers.{}.{name}", Self::PROVIDER),
                value,
            )
        };
        vec![
            setting("kind", "oidc".into()),
            setting("issuer", format!("http://{}", self.address).into()),
            setting("client_id", CLIENT.into()),
            setting("native_client_ids", vec![toml::Value::from(APP)].into()),
            setting("trust_email", true.into()),
            setting("allow_private_addresses", true.into()),
        ]
    }

    /// The ID token that an app got for this person.
    ///
    /// # Panics
    /// Never: the key signs.
    #[expect(
        clippy::disallowed_methods,
        reason = "an issuer has a generator of its own"
    )]
    #[must_use]
    pub fn id_token(&self, subject: &str) -> String {
        let now = seconds_now();
        let header = json!({"alg": "ES256", "kid": KEY_ID, "typ": "JWT"});
        let claims = json!({
            "iss": format!("http://{}", self.address), "aud": APP, "sub": subject,
            "iat": now, "exp": now + 600, "jti": self.issued.fetch_add(1, Ordering::Relaxed), "email": format!("{subject}@people.example"),
            "email_verified": true,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), input.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.expect("signed"));
        format!("{input}.{signature}")
    }

    /// What stands for the account of this person, which is linked to nobody in the group.
    ///
    /// # Panics
    /// If it is linked.
    pub async fn federation_token(&self, gateway: &Gateway, group: &str, subject: &str) -> String {
        use v1::issue_tokens_response::Outcome;
        let answer = gateway
            .auth()
            .issue_tokens(self.grant(group, subject))
            .await;
        match answer.expect("an answer").into_inner().outcome {
            Some(Outcome::FederatedAccount(account)) => account.federation_token,
            _ => panic!("the account is linked to nobody"),
        }
    }

    /// Links an account that nobody has yet to a person who has just signed in, and tells its id.
    ///
    /// # Panics
    /// If it cannot be linked.
    pub async fn link(&self, person: &Person, tokens: &v1::Tokens, subject: &str) -> String {
        let token = self.federation_token(&person.gateway, "", subject).await;
        let link = v1::LinkFederatedIdentityRequest {
            access_token: tokens.access_token.clone(),
            account: Some(Account::FederationToken(token)),
            ..Default::default()
        };
        let mut federation = person.gateway.federation();
        let linked = federation.link_federated_identity(link).await;
        let linked = linked.expect("linked").into_inner();
        let identity = linked.federated_identity.expect("an account");
        identity.federated_identity_id
    }

    /// What becomes of a sign-in of this person by an app: `signed in`, `nobody's` where the
    /// account is linked to nobody, or the reason of a refusal.
    pub async fn outcome(&self, gateway: &Gateway, subject: &str) -> String {
        use v1::issue_tokens_response::Outcome;
        let answer = gateway.auth().issue_tokens(self.grant("", subject)).await;
        match answer.map(|answer| answer.into_inner().outcome) {
            Ok(Some(Outcome::Tokens(_))) => "signed in".to_owned(),
            Ok(Some(Outcome::FederatedAccount(_))) => "nobody's".to_owned(),
            Ok(_) => "something else".to_owned(),
            Err(status) => reason(&Err::<(), _>(status)),
        }
    }

    /// A sign-in of this person by an app.
    #[must_use]
    pub fn grant(&self, group: &str, subject: &str) -> v1::IssueTokensRequest {
        v1::IssueTokensRequest {
            group_id: group.into(),
            grant: Some(v1::issue_tokens_request::Grant::IdToken(v1::IdTokenGrant {
                provider: Self::PROVIDER.into(),
                id_token: self.id_token(subject),
                ..Default::default()
            })),
            ..Default::default()
        }
    }
}

async fn answer(mut stream: TcpStream, discovery: Value, keys: Value) {
    let mut asked = Vec::new();
    while !asked.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read_buf(&mut asked).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let is_keys = asked.starts_with(b"GET /jwks ");
    let body = if is_keys { keys } else { discovery }.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Whoever has gone away needs no answer.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}
