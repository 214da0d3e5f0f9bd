//! ValidateToken's own way in, past the router and the generated stub: it is
//! asked on every request of every service, and its answers are encoded already.

use std::convert::identity;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tower::Service;

use crate::grpc::check_headers::{self, HeaderCheck};
use crate::grpc::gzip_body::GzipBody;
use crate::grpc::protocol::Encoding;
use crate::grpc::rpc::Rpc;
use crate::grpc::unary;
use crate::grpc::validate_token::ValidateTokenService;

/// Answers ValidateToken itself, and hands everything else on.
#[derive(Clone)]
pub(crate) struct FastPath<S> {
    pub(crate) service: Arc<ValidateTokenService>,
    pub(crate) check: Arc<HeaderCheck>,
    pub(crate) rpc: &'static Rpc,
    pub(crate) rest: S,
}

/// Where ValidateToken is called.
pub(crate) const PATH: &str = "/countersign.v1.AuthService/ValidateToken";

impl<S> Service<http::Request<Body>> for FastPath<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = check_headers::Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(self.rest.call(request));
        }
        if let Some(refusal) = self.check.refuse_foreign(&request) {
            return check_headers::answer_at_once(refusal, request);
        }
        let rpc = self.rpc;
        let (call, encoding) = match self.check.admit(rpc, &request) {
            Ok(admitted) => admitted,
            Err(refusal) => return check_headers::answer_at_once(refusal, request),
        };
        let limit = check_headers::limit(rpc.timeout, request.headers());
        let most = rpc.max_message;
        let body = request.into_body();
        let body = self.check.bodies.of_one_message(body, most);
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let work = pin!(async {
                let question = match encoding {
                    Encoding::Identity => unary::read(body).await?,
                    Encoding::Gzip => {
                        unary::read(GzipBody::new(Body::new(body), encoding, most)).await?
                    }
                };
                Ok(service.answer(&question).await?)
            });
            let done = call.within(limit, work).await;
            Ok(match done.and_then(identity) {
                Ok(answer) => call.answered(unary::response(answer.into_bytes())),
                Err(failure) => call.refuse(&failure).into_http(),
            })
        })
    }
}
