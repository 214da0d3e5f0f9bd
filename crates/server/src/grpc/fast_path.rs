//! The way of the busiest RPCs, past the router and the generated stubs:
//! ValidateToken and Check, asked on every request of every service, and the two of
//! codes.

use std::convert::identity;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body::Body as HttpBody;
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::grpc::call::Call;
use crate::grpc::check_headers::{self, HeaderCheck};
use crate::grpc::ext_authz::AuthorizationService;
use crate::grpc::gzip_body::GzipBody;
use crate::grpc::protocol::Encoding;
use crate::grpc::unary;
use crate::grpc::validate_token::{VALIDATE_TOKEN, ValidateTokenService};
use crate::grpc::verification::VerificationGrpc;
use crate::status::Failure;

/// Answers the busiest RPCs, and hands everything else on.
#[derive(Clone)]
pub(crate) struct FastPath<S> {
    pub(crate) services: Arc<FastServices>,
    pub(crate) check: Arc<HeaderCheck>,
    pub(crate) rest: S,
}

/// What answers the busiest RPCs.
pub(crate) struct FastServices {
    pub(crate) validate_token: Arc<ValidateTokenService>,
    pub(crate) authorization: AuthorizationService,
    pub(crate) verification: VerificationGrpc,
}

#[derive(Debug, Clone, Copy)]
enum FastRpc {
    ValidateToken,
    Check,
    SendCode,
    CheckCode,
}

impl FastRpc {
    fn at(path: &str) -> Option<Self> {
        match path {
            VALIDATE_TOKEN => Some(Self::ValidateToken),
            "/envoy.service.auth.v3.Authorization/Check" => Some(Self::Check),
            "/countersign.v1.VerificationService/SendCode" => Some(Self::SendCode),
            "/countersign.v1.VerificationService/CheckCode" => Some(Self::CheckCode),
            _ => None,
        }
    }
}

impl FastServices {
    /// Reads the question, and makes the answer in its frame.
    async fn answer(
        &self,
        rpc: FastRpc,
        call: &Call,
        body: impl HttpBody<Data = Bytes, Error = Status>,
    ) -> Result<Bytes, Failure> {
        Ok(match rpc {
            FastRpc::ValidateToken => {
                let question = unary::read(body).await?;
                self.validate_token.answer(&question).await?.into_bytes()
            }
            FastRpc::Check => {
                let question = unary::read_encoded(body).await?;
                self.authorization.answer(&question).await?
            }
            FastRpc::SendCode => {
                let message = unary::read(body).await?;
                unary::framed(&self.verification.send(call, message).await?).into()
            }
            FastRpc::CheckCode => {
                let message = unary::read(body).await?;
                unary::framed(&self.verification.check(call, message).await?).into()
            }
        })
    }
}

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
        let path = request.uri().path();
        let Some(fast) = FastRpc::at(path) else {
            return Box::pin(self.rest.call(request));
        };
        let rpc = self.check.rpcs.get(path);
        if let Some(refusal) = self.check.refuse_foreign(&request) {
            return check_headers::answer_at_once(refusal, request);
        }
        let (call, encoding) = match self.check.admit(rpc, &request) {
            Ok(admitted) => admitted,
            Err(refusal) => return check_headers::answer_at_once(refusal, request),
        };
        let limit = check_headers::limit(rpc.timeout, request.headers());
        let most = rpc.max_message;
        let body = request.into_body();
        let body = self.check.bodies.of_one_message(body, most);
        let services = Arc::clone(&self.services);
        Box::pin(async move {
            let work = pin!(async {
                match encoding {
                    Encoding::Identity => services.answer(fast, &call, body).await,
                    Encoding::Gzip => {
                        let body = GzipBody::new(Body::new(body), encoding, most);
                        services.answer(fast, &call, body).await
                    }
                }
            });
            let done = call.within(limit, work).await;
            Ok(match done.and_then(identity) {
                Ok(answer) => call.answered(unary::response(answer)),
                Err(failure) => call.refuse(&failure).into_http(),
            })
        })
    }
}
