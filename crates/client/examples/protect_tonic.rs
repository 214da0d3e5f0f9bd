//! A tonic service that only people who are signed in can use.
//!
//! `cargo run -p countersign-client --example protect_tonic -- [ENDPOINT] [API_KEY]`.
//! It calls itself once without and once with a token. Your service comes from
//! `tonic-build`; this one is written by hand to need no `.proto` of its own.

#[path = "support/person.rs"]
mod person;
mod support;

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll};

use countersign_client::{ProtectLayer, RequestExt as _, Verifier};
use http::uri::PathAndQuery;
use support::Arguments;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Layer as _, Service, service_fn};

#[derive(Clone)]
struct Greeter;

async fn greet(request: Request<()>) -> Result<Response<String>, Status> {
    let identity = request.identity()?;
    let greeting = format!("Hello, {}!", identity.user_id);
    Ok(Response::new(greeting))
}

#[tokio::main]
async fn main() -> ExitCode {
    support::report(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read();
    let client = arguments.client()?;
    arguments.check(&client).await?;

    let protect = ProtectLayer::new(Verifier::new(client.clone()));
    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    // Health stays open to all; the greeter is for people.
    let server = Server::builder()
        .add_service(health)
        .add_service(protect.layer(Greeter));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let channel = Endpoint::from_shared(endpoint)?.connect().await?;
    let answer = call(&channel, None).await;
    println!("without a token: {}", shown(answer));
    let token = person::access_token(&client).await?;
    let answer = call(&channel, Some(&token)).await;
    println!("with a token: {}", shown(answer));
    Ok(())
}

fn shown(answer: Result<String, Status>) -> String {
    answer.unwrap_or_else(|status| format!("{:?}: {}", status.code(), status.message()))
}

async fn call(channel: &Channel, token: Option<&str>) -> Result<String, Status> {
    let mut request = Request::new(());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse();
        let value = value.map_err(|_| Status::invalid_argument("not a token"))?;
        request.metadata_mut().insert("authorization", value);
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    let ready = client.ready().await;
    ready.map_err(|error| Status::from_error(error.into()))?;
    let path = PathAndQuery::from_static("/example.v1.Greeter/Greet");
    let codec = ProstCodec::<(), String>::default();
    let response = client.unary(request, path, codec).await?;
    Ok(response.into_inner())
}

impl NamedService for Greeter {
    const NAME: &'static str = "example.v1.Greeter";
}

impl Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<String, ()>::default());
            Ok(grpc.unary(service_fn(greet), request).await)
        })
    }
}
