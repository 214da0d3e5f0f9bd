//! The gateway: it takes its address first, and serves its routes on threads of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use countersign_transport::{
    ConnectionInfo, Listener, Protocols, ServerHandle, TransportConfig, TransportError,
};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::timeout;
use tonic::body::Body;
use tower::ServiceExt as _;

use crate::forward_auth::{Nobody, anonymous, judge};
use crate::origin::own_host_only;
use crate::problem::Problem;
use crate::settings::{PublicUrl, Settings};
use crate::state::State;
use crate::{discovery, notifications, oauth, pages, rest, session, token_routes};

/// The most bytes of a body: as the service takes of most messages.
const BODY_LIMIT: usize = 64 * 1024;
/// How long a request may take, its body included. The service has given up long before.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// A gateway that has its address, and does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    listener: Listener,
    settings: Settings,
    public_url: PublicUrl,
}

impl Gateway {
    /// Takes the address.
    ///
    /// # Errors
    /// [`TransportError`] names the address or the file that is wrong.
    pub fn bind(settings: Settings) -> Result<Self, TransportError> {
        let config = TransportConfig {
            protocols: Protocols::Http1AndHttp2,
            // The gateway has a limit of its own, which answers as HTTP does.
            request_timeout: 2 * REQUEST_TIMEOUT,
            ..settings.transport.clone()
        };
        let listener = Listener::bind(&config)?;
        let public_url = settings.public_url.clone().unwrap_or_else(|| {
            let scheme = if config.tls.is_some() {
                "https"
            } else {
                "http"
            };
            let url = format!("{scheme}://{}", listener.local_addr());
            PublicUrl::parse(&url).expect("an address is a host and a port")
        });
        Ok(Self {
            listener,
            settings,
            public_url,
        })
    }

    /// The address in use.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Starts to serve.
    ///
    /// # Errors
    /// [`TransportError`] if a thread cannot be created.
    pub fn serve(self) -> Result<ServerHandle, TransportError> {
        let state = State::new(self.settings, self.public_url);
        self.listener.serve(move || {
            // Each core has its own, down to the counter of references.
            let routes = Arc::new(Routes::new(state.clone()));
            tower::service_fn(move |request| {
                let routes = Arc::clone(&routes);
                async move { Ok::<_, Infallible>(routes.answer(request).await) }
            })
        })
    }
}

/// What answers requests.
struct Routes {
    state: State,
    security: Security,
    /// The headers of an answer of forward authentication to a request that passes as nobody's.
    anonymous: HeaderMap,
    router: Router,
}

impl Routes {
    fn new(state: State) -> Self {
        let security = Security::of(&state);
        let mut anonymous = anonymous();
        security.add_to(&mut anonymous);
        Self {
            security,
            anonymous,
            router: router(state.clone()),
            state,
        }
    }

    /// Proxies ask about each request of their applications, and of hosts of their own: they are answered past the
    /// router.
    async fn answer(&self, request: http::Request<Body>) -> http::Response<Body> {
        if let Some(connection) = request.extensions().get::<ConnectionInfo>() {
            connection.permit_call();
        }
        match Nobody::at(request.uri().path()) {
            Some(nobody) => {
                let (method, uri) = (request.method(), request.uri());
                let headers = request.headers();
                let judged =
                    judge(&self.state, &self.anonymous, nobody, method, uri, headers).await;
                judged.unwrap_or_else(|denied| self.told(denied.map(Body::new)))
            }
            None => self.route(request).await,
        }
    }

    /// Answers in time. Boxed, so that the short way is not as large as this.
    fn route(
        &self,
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send + '_>> {
        Box::pin(async {
            let request = request.map(axum::body::Body::new);
            let answer = self.router.clone().oneshot(request);
            let answer = match timeout(REQUEST_TIMEOUT, answer).await {
                Ok(Ok(answer)) => answer,
                Err(_) => {
                    let detail = "the request took too long";
                    Problem::new(StatusCode::REQUEST_TIMEOUT, "DEADLINE_EXCEEDED", detail)
                        .into_response()
                }
            };
            self.told(answer.map(Body::new))
        })
    }

    /// An answer with the headers that every answer has.
    fn told(&self, mut answer: http::Response<Body>) -> http::Response<Body> {
        self.security.add_to(answer.headers_mut());
        answer
    }
}

/// All other routes, under what holds for each of them.
fn router(state: State) -> Router {
    let own_host = from_fn_with_state(state.clone(), own_host_only);
    Router::new()
        .merge(token_routes::routes())
        .merge(oauth::routes())
        .merge(discovery::routes())
        .merge(rest::routes())
        .merge(session::routes(&state))
        .merge(notifications::routes())
        .merge(pages::routes(&state))
        .layer(own_host)
        .fallback(async || {
            Problem::new(
                StatusCode::NOT_FOUND,
                "PATH_UNKNOWN",
                "there is nothing at this path",
            )
        })
        .method_not_allowed_fallback(async || Problem::unknown_method())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(state)
}

/// What browsers are told with every answer.
#[derive(Debug)]
struct Security {
    policy: HeaderValue,
    is_https: bool,
}

impl Security {
    fn of(state: &State) -> Self {
        // Browsers hold the redirect after a form to the policy of the form's page.
        let places = state.settings.return_hosts.iter().map(|host| {
            let wildcard = host.strip_prefix('.').map(|domain| format!(" *.{domain}"));
            wildcard.unwrap_or_else(|| format!(" {host}"))
        });
        let places: String = places.collect();
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'{places}; frame-ancestors 'none'; base-uri 'none'"
        );
        Self {
            policy: HeaderValue::try_from(policy).expect("hosts were checked"),
            is_https: state.public_url.origin().starts_with("https://"),
        }
    }

    fn add_to(&self, headers: &mut HeaderMap) {
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if self.is_https {
            headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
        }
    }
}
