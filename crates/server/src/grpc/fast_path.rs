//! ValidateToken's own way in, past the router and the generated stub: it is
//! asked on every request of every service, and its answers are encoded already.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_proto::{buffer_settings, v1};
use prost::bytes::BufMut as _;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;
use tower::Service;

use crate::grpc::call::Call;
use crate::grpc::check_headers::{self, HeaderCheck};
use crate::grpc::protocol;
use crate::grpc::rpc_table::Rpc;
use crate::grpc::validate_token::{Answer, ValidateTokenService};

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

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(self.rest.call(request));
        }
        if let Some(refusal) = protocol::refuse(&request) {
            return check_headers::answer_at_once(refusal, request);
        }
        let rpc = self.rpc;
        let call = match self.check.admit(rpc, &mut request) {
            Ok(call) => call,
            Err(refusal) => return check_headers::answer_at_once(refusal, request),
        };
        let limit = check_headers::limit(rpc.timeout, request.headers());
        let service = Arc::clone(&self.service);
        // One future, made where it stays: it is too large to be moved about.
        Box::pin(async move {
            let answer = pin!(async {
                let validate = Validate {
                    service: &service,
                    call: &call,
                };
                let mut grpc = Grpc::new(QuestionCodec);
                Ok(grpc.unary(validate, request).await)
            });
            call.answer(limit, answer).await
        })
    }
}

struct Validate<'a> {
    service: &'a ValidateTokenService,
    call: &'a Call,
}

impl<'a> UnaryService<v1::ValidateTokenRequest> for Validate<'a> {
    type Response = Answer;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Status>> + Send + 'a>>;

    fn call(&mut self, request: Request<v1::ValidateTokenRequest>) -> Self::Future {
        let (service, call) = (self.service, self.call);
        Box::pin(async move {
            let answer = service.answer(request.get_ref()).await;
            answer
                .map(Response::new)
                .map_err(|error| call.refuse(&error.into()))
        })
    }
}

/// Questions as messages, answers as the bytes that they are already.
struct QuestionCodec;

struct AnswerEncoder;

impl Codec for QuestionCodec {
    type Encode = Answer;
    type Decode = v1::ValidateTokenRequest;
    type Encoder = AnswerEncoder;
    type Decoder = ProstDecoder<v1::ValidateTokenRequest>;

    fn encoder(&mut self) -> AnswerEncoder {
        AnswerEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(buffer_settings())
    }
}

impl Encoder for AnswerEncoder {
    type Item = Answer;
    type Error = Status;

    fn encode(&mut self, answer: Answer, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(answer.bytes());
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        buffer_settings()
    }
}
