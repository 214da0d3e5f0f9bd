//! A provider that keeps the rules until it is told to break one: discovery, codes bound to PKCE and
//! good once, tokens, keys, userinfo.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::certificates::{HOSTS, Shown};
use crate::http_server::{Answer, Asked, HttpServer};
use crate::signer::{RSA, Signer, token};

/// What the clock shows.
pub(crate) const NOW: i64 = 1_790_000_000;

/// A place at which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    Discovery,
    Token,
    Keys,
    Userinfo,
    Revocation,
    Events,
}

/// The provider.
pub(crate) struct Fake {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

/// Makes a whole token of a header and claims.
pub(crate) type MakeToken = Box<dyn Fn(&Value, &str) -> String + Send>;

/// How it behaves; tests change it.
pub(crate) struct State {
    /// Answers that are not its own.
    pub(crate) instead: HashMap<Place, Answer>,
    /// What was asked.
    pub(crate) asked: Vec<(Place, Asked)>,
    /// Changes the discovery document.
    pub(crate) discovery: fn(&mut Value),
    /// Changes the claims of ID tokens.
    pub(crate) claims: Box<dyn Fn(&mut Value) + Send>,
    /// The header of ID tokens.
    pub(crate) header: Value,
    /// What signs them.
    pub(crate) signer: &'static Signer,
    /// Makes the whole token of header and claims.
    pub(crate) id_token: Option<MakeToken>,
    /// Changes the answer of the token endpoint.
    pub(crate) tokens: fn(&mut Value),
    /// The key set.
    pub(crate) keys: Value,
    /// What userinfo tells.
    pub(crate) userinfo: Value,
    /// The last ID token.
    pub(crate) last: String,
    codes: BTreeMap<String, BTreeMap<String, String>>,
    issued: u32,
}

impl Fake {
    /// An honest one.
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            instead: HashMap::new(),
            asked: Vec::new(),
            discovery: |_| (),
            claims: Box::new(|_| ()),
            header: json!({"alg": "RS256", "kid": "one", "typ": "JWT"}),
            signer: &RSA,
            id_token: None,
            tokens: |_| (),
            keys: json!({"keys": [RSA.jwk("one")]}),
            userinfo: json!({"sub": "person-1", "email": "told@x.example", "email_verified": true}),
            last: String::new(),
            codes: BTreeMap::new(),
            issued: 0,
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::start(Arc::new(move |asked: &Asked| {
            shared
                .lock()
                .expect("no test panics while it holds it")
                .answer(asked)
        }));
        Self {
            server: server.await,
            state,
        }
    }

    /// Where all its hosts are.
    pub(crate) fn hosts(&self) -> HashMap<String, SocketAddr> {
        let hosts = HOSTS.iter().map(|&host| host.to_owned());
        hosts.map(|host| (host, self.server.address)).collect()
    }

    /// Where it really is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Changes how it behaves.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds it")
    }

    /// Answers something else there.
    pub(crate) fn instead(&self, place: Place, answer: Answer) {
        self.state().instead.insert(place, answer);
    }

    /// Changes the claims of ID tokens.
    pub(crate) fn claims(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.state().claims = Box::new(change);
    }

    /// Shows another certificate.
    pub(crate) fn show(&self, shown: Shown) {
        self.server.show(shown);
    }

    /// How often it was asked there.
    pub(crate) fn count(&self, place: Place) -> usize {
        let state = self.state();
        state
            .asked
            .iter()
            .filter(|(asked, _)| *asked == place)
            .count()
    }

    /// The last request there.
    pub(crate) fn last_asked(&self, place: Place) -> Asked {
        let state = self.state();
        let mut there = state
            .asked
            .iter()
            .rev()
            .filter(|(asked, _)| *asked == place);
        there.next().expect("it was asked").1.clone()
    }

    /// A person signs in there: the code for a browser that was sent to this address.
    pub(crate) fn sign_in(&self, url: &str) -> String {
        let (_, query) = url.split_once('?').expect("there is a query");
        let mut state = self.state();
        state.issued += 1;
        let code = format!("code-{}", state.issued);
        let parameters = serde_urlencoded::from_str(query).expect("a query");
        state.codes.insert(code.clone(), parameters);
        code
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let path = asked.path.as_str();
        let place = match path {
            _ if path.ends_with("openid-configuration") => Place::Discovery,
            "/.well-known/risc-configuration" => Place::Events,
            _ if path.ends_with("/token") => Place::Token,
            "/jwks" | "/auth/keys" | "/oauth2/v3/certs" | "/.well-known/jwks.json" => Place::Keys,
            "/auth/revoke" => Place::Revocation,
            _ => Place::Userinfo,
        };
        self.asked.push((place, asked.clone()));
        if let Some(answer) = self.instead.get(&place) {
            return answer.clone();
        }
        match place {
            Place::Discovery => {
                let mut document = document(&asked.host);
                (self.discovery)(&mut document);
                Answer::Json(200, document.to_string())
            }
            Place::Events => Answer::Json(
                200,
                json!({"issuer": "https://accounts.google.com/",
                    "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs"})
                .to_string(),
            ),
            Place::Token => self.exchange(asked),
            Place::Keys => Answer::Json(200, self.keys.to_string()),
            Place::Userinfo => Answer::Json(200, self.userinfo.to_string()),
            Place::Revocation => Answer::Json(200, String::new()),
        }
    }

    fn exchange(&mut self, asked: &Asked) -> Answer {
        let refused = || Answer::Json(400, r#"{"error":"invalid_grant"}"#.into());
        let of_form = |name: &str| asked.form.get(name).cloned().unwrap_or_default();
        let Some(code) = self.codes.remove(&of_form("code")) else {
            return refused();
        };
        let of_code = |name: &str| code.get(name).cloned().unwrap_or_default();
        let hash = crate::world::sha256(&of_form("code_verifier"));
        let is_bound = code.contains_key("code_challenge");
        let is_own = URL_SAFE_NO_PAD.encode(hash) == of_code("code_challenge");
        if is_bound && !is_own {
            return refused();
        }
        let issuer = match asked.host.as_str() {
            "oauth2.googleapis.com" => "https://accounts.google.com".to_owned(),
            host => format!("https://{host}"),
        };
        let mut claims = json!({"iss": issuer, "aud": of_code("client_id"), "sub": "person-1",
            "nonce": of_code("nonce"), "iat": NOW, "exp": NOW + 3600,
            "email": "kim@x.example", "email_verified": true, "name": "Kim"});
        (self.claims)(&mut claims);
        let claims = claims.to_string();
        self.last = match &self.id_token {
            Some(make) => make(&self.header, &claims),
            None => token(self.signer, &self.header, &claims),
        };
        let mut tokens = json!({"access_token": "access", "token_type": "Bearer",
            "expires_in": 3600, "id_token": self.last, "refresh_token": "refresh"});
        (self.tokens)(&mut tokens);
        Answer::Json(200, tokens.to_string())
    }
}

fn document(host: &str) -> Value {
    match host {
        "accounts.google.com" => json!({"issuer": "https://accounts.google.com",
            "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
            "code_challenge_methods_supported": ["plain", "S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]}),
        "kauth.kakao.com" => json!({"issuer": "https://kauth.kakao.com",
            "authorization_endpoint": "https://kauth.kakao.com/oauth/authorize",
            "token_endpoint": "https://kauth.kakao.com/oauth/token",
            "userinfo_endpoint": "https://kapi.kakao.com/v1/oidc/userinfo",
            "jwks_uri": "https://kauth.kakao.com/.well-known/jwks.json",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"]}),
        _ => json!({"issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "userinfo_endpoint": "https://id.example/userinfo",
            "jwks_uri": "https://id.example/jwks"}),
    }
}
