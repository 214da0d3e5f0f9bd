//! The floor of ValidateToken: a bare echo on the server's own transport, which
//! is the fastest known, with nothing but protobuf and gRPC above it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::{self, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use countersign_transport::{ConnectionInfo, GrpcService, Listener, TransportConfig};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http;
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::failure::{Context as _, Failure};

/// The one RPC; its name is as long as that of ValidateToken.
pub(crate) const PATH: &str = "/countersign.v1.EchoService/EchoAToken_00";

/// A message of one field, which has the bytes of a `ValidateTokenRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Echoed {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
}

/// The start of what was received.
pub(crate) fn answer(mut request: Echoed, bytes: usize) -> Echoed {
    request.data.resize(bytes, b'.');
    request
}

/// Serves the echo.
pub(crate) fn serve(answer_bytes: usize) -> Result<(), Failure> {
    serve_until_the_parent_goes(move || Echo { answer_bytes })
}

/// Serves until standard input ends, which it does when the parent goes. Prints
/// the address first.
pub(crate) fn serve_until_the_parent_goes<S: GrpcService>(
    make_service: impl Fn() -> S + Send + Sync + 'static,
) -> Result<(), Failure> {
    serve_with(TransportConfig::default(), make_service)
}

/// The same, with a transport of this configuration, on a port of its own.
pub(crate) fn serve_with<S: GrpcService>(
    config: TransportConfig,
    make_service: impl Fn() -> S + Send + Sync + 'static,
) -> Result<(), Failure> {
    let config = TransportConfig {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        ..config
    };
    let server = Listener::bind(&config)
        .context("the echo's transport")?
        .serve(make_service)
        .context("the echo's transport")?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", server.local_addr()).context("standard output")?;
    stdout.flush().context("standard output")?;
    io::stdin()
        .read_to_end(&mut Vec::new())
        .context("standard input")?;
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Echo {
    answer_bytes: usize,
}

impl UnaryService<Echoed> for Echo {
    type Response = Echoed;
    type Future = Ready<Result<Response<Echoed>, Status>>;

    fn call(&mut self, request: Request<Echoed>) -> Self::Future {
        ready(Ok(Response::new(answer(
            request.into_inner(),
            self.answer_bytes,
        ))))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = *self;
        if let Some(connection) = request.extensions().get::<ConnectionInfo>() {
            connection.permit_call();
        }
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Echoed, Echoed>::default());
            Ok(grpc.unary(echo, request).await)
        })
    }
}
