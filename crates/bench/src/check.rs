//! Check, as Envoy asks it about the request of a browser, beside a bare handler that
//! reads the same question and answers as many bytes.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use countersign_proto::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use countersign_transport::ConnectionInfo;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http;
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::arguments::Arguments;
use crate::check_messages::bare_answer;
use crate::corpus::Corpus;
use crate::echo;
use crate::failure::Failure;
use crate::report::Figure;
use crate::validate::{Compared, beside};

const GATE: f64 = 0.85;

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let compared = Compared {
        rpc: "Check",
        corpus: Corpus::of_checks,
        floor: "bare handler",
        floor_program: "floor-check",
        floor_corpus: Corpus::of_bare_checks,
        floor_bytes: Corpus::answer_bytes,
        gate: GATE,
    };
    beside(arguments, &compared)
}

/// Serves the floor, as the echo is served.
pub(crate) fn serve(answer_bytes: usize) -> Result<(), Failure> {
    let answer = bare_answer(answer_bytes);
    echo::serve_until_the_parent_goes(move || Bare {
        answer: answer.clone(),
    })
}

#[derive(Debug, Clone)]
struct Bare {
    answer: CheckResponse,
}

impl UnaryService<CheckRequest> for Bare {
    type Response = CheckResponse;
    type Future = Ready<Result<Response<CheckResponse>, Status>>;

    fn call(&mut self, _: Request<CheckRequest>) -> Self::Future {
        ready(Ok(Response::new(self.answer.clone())))
    }
}

impl Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let bare = self.clone();
        if let Some(connection) = request.extensions().get::<ConnectionInfo>() {
            connection.permit_call();
        }
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<CheckResponse, CheckRequest>::default());
            Ok(grpc.unary(bare, request).await)
        })
    }
}
