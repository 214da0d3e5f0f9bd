//! What a proxy asks about a request (Envoy's external authorization), and what it is
//! told.

use std::collections::BTreeMap;

use countersign_proto::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use countersign_proto::envoy::config::core::v3::{HeaderMap, HeaderValue};
use countersign_proto::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use countersign_proto::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use countersign_proto::envoy::service::auth::v3::check_response::HttpResponse;
use countersign_proto::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use tonic::{Code, Status};

use crate::gateway::Gateway;

/// The headers that tell an application who is asking.
pub const IDENTITY_HEADERS: [&str; 6] = [
    "x-auth-client",
    "x-auth-group",
    "x-auth-roles",
    "x-auth-scopes",
    "x-auth-session",
    "x-auth-user",
];

/// A request to an application, as a proxy tells of it.
#[derive(Debug, Clone, Default)]
pub struct ProxiedRequest {
    headers: Vec<(String, String)>,
    extensions: Vec<(String, String)>,
    sends_raw_headers: bool,
}

impl ProxiedRequest {
    /// One without headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that shows an access token.
    #[must_use]
    pub fn with_token(token: &str) -> Self {
        Self::new().header("authorization", &format!("Bearer {token}"))
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same, of which the proxy's configuration says this.
    #[must_use]
    pub fn extension(mut self, key: &str, value: &str) -> Self {
        self.extensions.push((key.into(), value.into()));
        self
    }

    /// The same, by a proxy with `encode_raw_headers`.
    #[must_use]
    pub fn raw(mut self) -> Self {
        self.sends_raw_headers = true;
        self
    }

    /// The question. Headers that come twice are joined, as Envoy does it, unless they
    /// are raw.
    #[must_use]
    pub fn question(&self) -> CheckRequest {
        let mut http = HttpRequest {
            method: "GET".into(),
            path: "/orders".into(),
            host: "shop.example".into(),
            scheme: "https".into(),
            protocol: "HTTP/1.1".into(),
            ..Default::default()
        };
        if self.sends_raw_headers {
            let raw = |(name, value): &(String, String)| HeaderValue {
                key: name.clone(),
                value: String::new(),
                raw_value: value.clone().into_bytes(),
            };
            let headers = self.headers.iter().map(raw).collect();
            http.header_map = Some(HeaderMap { headers });
        } else {
            for (name, value) in &self.headers {
                let joined = http.headers.entry(name.clone());
                let joined = joined.and_modify(|before| *before = format!("{before},{value}"));
                joined.or_insert_with(|| value.clone());
            }
        }
        CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(Request { http: Some(http) }),
                context_extensions: self.extensions.iter().cloned().collect(),
            }),
        }
    }
}

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it passes.
    pub passes: bool,
    /// The status and the challenge of a denial.
    pub denial: Option<(i32, String)>,
    /// The headers that the application gets.
    pub set: BTreeMap<String, String>,
    /// The headers that it does not get.
    pub removed: Vec<String>,
}

impl Decision {
    /// Reads an answer, as strictly as can be.
    ///
    /// # Panics
    /// If it contradicts itself, or would let a header of the request pass.
    #[must_use]
    pub fn of(answer: CheckResponse) -> Self {
        let code = answer.status.expect("a status").code;
        match answer.http_response.expect("what to do") {
            HttpResponse::OkResponse(ok) => {
                assert_eq!(code, i32::from(Code::Ok));
                let mut set = BTreeMap::new();
                for option in ok.headers {
                    let action = option.append_action();
                    assert_eq!(action, HeaderAppendAction::OverwriteIfExistsOrAdd);
                    let header = option.header.expect("a header");
                    let is_safe = |byte: u8| matches!(byte, 0x20..=0x7e);
                    assert!(header.value.bytes().all(is_safe), "{}", header.key);
                    let before = set.insert(header.key, header.value);
                    assert_eq!(before, None, "a header is set twice");
                }
                Self {
                    passes: true,
                    denial: None,
                    set,
                    removed: ok.headers_to_remove,
                }
            }
            HttpResponse::DeniedResponse(denied) => {
                let status = denied.status.expect("a status").code;
                let expected = match status {
                    403 => Code::PermissionDenied,
                    _ => Code::Unauthenticated,
                };
                assert_eq!(code, i32::from(expected));
                let mut headers = denied.headers.into_iter();
                let header = headers.next().and_then(|option| option.header);
                let header = header.expect("a challenge");
                assert_eq!(header.key, "www-authenticate");
                assert!(headers.next().is_none());
                Self {
                    passes: false,
                    denial: Some((status, header.value)),
                    set: BTreeMap::new(),
                    removed: Vec::new(),
                }
            }
        }
    }

    /// It in one line: `OK`, or `401 Bearer error="invalid_token"`.
    #[must_use]
    pub fn in_a_line(&self) -> String {
        match &self.denial {
            None => "OK".into(),
            Some((status, challenge)) => format!("{status} {challenge}"),
        }
    }

    /// The names of all headers that do not come through from the request.
    #[must_use]
    pub fn closed(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.set.keys().chain(&self.removed).collect();
        names.sort_unstable();
        names.into_iter().map(String::as_str).collect()
    }
}

impl Gateway {
    /// Asks whether a request may pass.
    ///
    /// # Errors
    /// The server's, if the question could not be answered.
    pub async fn check(&self, request: &ProxiedRequest) -> Result<Decision, Status> {
        let mut client = AuthorizationClient::new(self.line());
        let answer = client.check(request.question()).await?;
        Ok(Decision::of(answer.into_inner()))
    }
}
