//! One tower layer that lets only requests with a good access token through,
//! for tonic and axum alike.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::{BoxError, Layer, Service};

use crate::acr::Acr;
use crate::answer::Denial;
use crate::claims::Identity;
use crate::deadline::Bytes;
use crate::verify::{Requirement, VerifyToken};

/// Requires `Authorization: Bearer …` with an access token that is good for
/// this service, and puts the [`Identity`] into the
/// extensions of the request.
///
/// What is not let through is answered in the caller's protocol: gRPC callers
/// get UNAUTHENTICATED, PERMISSION_DENIED (a scope is missing) or UNAVAILABLE
/// (nobody could tell); the others 401 and 403 with the challenge of RFC 6750 or
/// RFC 9470, or 503 with `Retry-After`, and a problem (RFC 9457).
///
/// Wraps a whole server, an axum route, or a single tonic service:
/// `layer.layer(OrdersServer::new(…))` can be given to `add_service`.
pub struct ProtectLayer<V> {
    verifier: Arc<V>,
    requirement: Arc<Requirement>,
    allows_anonymous: bool,
}

/// In the extensions of a request that was let through without a token.
#[derive(Clone, Copy)]
pub(crate) struct Anonymous;

/// A service behind a [`ProtectLayer`].
pub struct Protect<S, V> {
    inner: S,
    layer: ProtectLayer<V>,
}

impl<V: VerifyToken> ProtectLayer<V> {
    /// Lets any token through that the verifier accepts.
    #[must_use]
    pub fn new(verifier: V) -> Self {
        Self {
            verifier: Arc::new(verifier),
            requirement: Arc::default(),
            allows_anonymous: false,
        }
    }

    /// Requires tokens for this audience. Name it: otherwise the first of the
    /// service's configured audiences counts.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.with(|requirement| requirement.with_audience(audience))
    }

    /// Requires a scope, in addition to those required before.
    #[must_use]
    pub fn require_scope(self, scope: impl Into<String>) -> Self {
        self.with(|requirement| requirement.with_scope(scope))
    }

    /// Requires that the person was authenticated at most so long ago (RFC 9470): 1
    /// second to 365 days. Others are answered with the challenge
    /// `insufficient_user_authentication`, upon which the gateway lets the person show
    /// the password or a factor again (StepUpSession).
    #[must_use]
    pub fn require_authentication_within(self, age: Duration) -> Self {
        self.with(|requirement| requirement.with_max_authentication_age(age))
    }

    /// Requires that the person was authenticated at least so well, likewise.
    #[must_use]
    pub fn require_acr(self, acr: Acr) -> Self {
        self.with(|requirement| requirement.with_acr(acr))
    }

    /// Lets requests through that have no `Authorization` header: they carry no
    /// identity, and handlers ask for an `Option` of one.
    ///
    /// All others are judged as ever. A token that is rejected, or that could
    /// not be checked, is never taken for none; nor are credentials of another
    /// scheme.
    #[must_use]
    pub fn allow_anonymous(mut self) -> Self {
        self.allows_anonymous = true;
        self
    }

    fn with(mut self, change: impl FnOnce(Requirement) -> Requirement) -> Self {
        self.requirement = Arc::new(change(Arc::unwrap_or_clone(self.requirement)));
        self
    }

    /// The person whose token a request carries, or `None` if it may do
    /// without.
    async fn identify(&self, headers: &HeaderMap) -> Result<Option<Identity>, Denial> {
        let Some(token) = bearer_token(headers) else {
            let is_anonymous = !headers.contains_key(AUTHORIZATION);
            return if is_anonymous && self.allows_anonymous {
                Ok(None)
            } else {
                Err(Denial::NoToken)
            };
        };
        let verdict = self.verifier.verify(token, &self.requirement).await;
        verdict
            .map(Some)
            .map_err(|error| Denial::of(error, self.requirement.scopes()))
    }
}

impl<V> Clone for ProtectLayer<V> {
    fn clone(&self) -> Self {
        Self {
            verifier: Arc::clone(&self.verifier),
            requirement: Arc::clone(&self.requirement),
            allows_anonymous: self.allows_anonymous,
        }
    }
}

impl<V> fmt::Debug for ProtectLayer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectLayer")
            .field("requirement", &self.requirement)
            .field("allows_anonymous", &self.allows_anonymous)
            .finish_non_exhaustive()
    }
}

impl<S, V> Layer<S> for ProtectLayer<V> {
    type Service = Protect<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        Protect {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S: Clone, V> Clone for Protect<S, V> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, V> fmt::Debug for Protect<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

impl<S: NamedService, V> NamedService for Protect<S, V> {
    const NAME: &'static str = S::NAME;
}

impl<S, V, B, R> Service<Request<B>> for Protect<S, V>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    V: VerifyToken,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that was polled ready is the one to call.
        let unpolled = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, unpolled);
        let layer = self.layer.clone();
        Box::pin(async move {
            match layer.identify(request.headers()).await {
                Ok(Some(identity)) => request.extensions_mut().insert(identity).map(drop),
                Ok(None) => request.extensions_mut().insert(Anonymous).map(drop),
                Err(denial) => return Ok(denial.answer(request.headers())),
            };
            Ok(inner.call(request).await?.map(Body::new))
        })
    }
}

/// The token of the one `Authorization: Bearer …` header (RFC 6750 §2.1). Two
/// such headers are none: nobody can say which one was meant.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn token_of(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer_token(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            assert_eq!(token_of(&[value]).as_deref(), Some("a.b.c"));
        }
    }

    #[test]
    fn what_is_no_single_bearer_token_is_none() {
        for values in [
            &[][..],
            &["a.b.c"],
            &["Bearer"],
            &["Bearer "],
            &["Basic a.b.c"],
            &["Bearera.b.c"],
            &["Bearer a.b.c", "Bearer a.b.c"],
        ] {
            assert_eq!(token_of(values), None, "{values:?}");
        }
    }
}
