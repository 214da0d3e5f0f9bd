//! ValidateToken's own way in, past the router and the generated stub: it is
//! asked on every request of every service, and its answers are encoded already.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_proto::v1;
use prost::bytes::BufMut as _;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;
use tower::Service;

use crate::grpc::validate_token::{Answer, ValidateTokenService};
use crate::status;

/// Answers ValidateToken itself, and hands everything else on.
#[derive(Clone)]
pub(crate) struct FastPath<S> {
    pub(crate) service: Arc<ValidateTokenService>,
    pub(crate) rest: S,
}

const PATH: &str = "/countersign.v1.AuthService/ValidateToken";

/// A question is a token of at most 8 KiB, an audience and some scopes.
const MAX_QUESTION: usize = 64 * 1024;

/// What a buffer holds at first: a usual question or answer. tonic's own 8 KiB
/// would be touched anew for every call.
const BUFFER: usize = 1024;
const YIELD_THRESHOLD: usize = 32 * 1024;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<S> Service<http::Request<Body>> for FastPath<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(self.rest.call(request));
        }
        let validate = Validate(Arc::clone(&self.service));
        let language = status::language(request.headers());
        Box::pin(async move {
            let mut grpc =
                Grpc::new(QuestionCodec).apply_max_message_size_config(Some(MAX_QUESTION), None);
            Ok(status::with_details(
                grpc.unary(validate, request).await,
                language,
            ))
        })
    }
}

struct Validate(Arc<ValidateTokenService>);

impl UnaryService<v1::ValidateTokenRequest> for Validate {
    type Response = Answer;
    type Future = BoxFuture<Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<v1::ValidateTokenRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.answer(request).await.map(Response::new) })
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
        ProstDecoder::new(BufferSettings::new(BUFFER, YIELD_THRESHOLD))
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
        BufferSettings::new(BUFFER, YIELD_THRESHOLD)
    }
}
