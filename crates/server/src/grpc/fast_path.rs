//! ValidateToken's own way in, past the router and the generated stub: it is
//! asked on every request of every service, and its answers are encoded already.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_proto::{buffer_settings, v1};
use http::header::ACCEPT_LANGUAGE;
use prost::bytes::BufMut as _;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;
use tower::Service;

use crate::grpc::call;
use crate::grpc::check_headers::{self, HeaderCheck};
use crate::grpc::rpc_table::Rpc;
use crate::grpc::validate_token::{Answer, ValidateTokenService};
use crate::status::{self, Failure};

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

/// A question is a token of at most 8 KiB, an audience and some scopes.
const MAX_QUESTION: usize = 64 * 1024;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<S> Service<http::Request<Body>> for FastPath<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
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
        if let Some(refusal) = check_headers::refuse_protocol(&request) {
            return check_headers::answer_at_once(refusal);
        }
        let (check, rpc) = (Arc::clone(&self.check), self.rpc);
        if let Err(status) = check.permit(rpc, &request) {
            return check_headers::answer_at_once(status.into_http());
        }
        let limit = check_headers::limit(rpc.timeout, request.headers());
        let language = status::language(request.headers());
        let service = Arc::clone(&self.service);
        // One future, made where it stays: it is too large to be moved about.
        Box::pin(async move {
            let answered = tokio::time::timeout(limit, async {
                let validate = Validate {
                    service,
                    check: Arc::clone(&check),
                    rpc,
                };
                let mut grpc = Grpc::new(QuestionCodec)
                    .apply_max_message_size_config(Some(MAX_QUESTION), None);
                grpc.unary(validate, request).await
            });
            match answered.await {
                Ok(answer) => Ok(status::with_details(answer, language)),
                Err(_) => {
                    let spoken = language.map(|language| (ACCEPT_LANGUAGE, language));
                    let headers = spoken.into_iter().collect();
                    let status = check.refuse(rpc, &headers, None, &Failure::Deadline, None);
                    Ok(status.into_http())
                }
            }
        })
    }
}

struct Validate {
    service: Arc<ValidateTokenService>,
    check: Arc<HeaderCheck>,
    rpc: &'static Rpc,
}

impl UnaryService<v1::ValidateTokenRequest> for Validate {
    type Response = Answer;
    type Future = BoxFuture<Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<v1::ValidateTokenRequest>) -> Self::Future {
        let (service, check, rpc) = (Arc::clone(&self.service), Arc::clone(&self.check), self.rpc);
        Box::pin(async move {
            let answer = service.answer(request.get_ref()).await;
            answer.map(Response::new).map_err(|error| {
                let peer = call::peer(request.extensions());
                let headers = request.metadata().clone().into_headers();
                check.refuse(rpc, &headers, peer, &error.into(), None)
            })
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
