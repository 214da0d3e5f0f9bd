//! A service for this module's tests: it tells on which core it runs and whom it sees, waits, and panics when told.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::uri::PathAndQuery;
use tokio::sync::Semaphore;
use tonic::{
    Request, Response, Status,
    body::Body,
    client, server,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tower::Service;

use super::{ConnectionInfo, Listener, ServerHandle, TransportConfig};

/// What the test holds of the services on all cores.
#[derive(Debug, Clone)]
pub(super) struct Probes {
    made: Arc<AtomicUsize>,
    pub(super) waiting: Arc<AtomicUsize>,
    pub(super) open: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
pub(super) struct Probe {
    core: usize,
    probes: Probes,
}

impl Probes {
    pub(super) fn new() -> Self {
        Self {
            made: Arc::default(),
            waiting: Arc::default(),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    fn probe(&self) -> Probe {
        Probe {
            core: self.made.fetch_add(1, Ordering::Relaxed),
            probes: self.clone(),
        }
    }

    pub(super) async fn calls_are_waiting(&self, calls: usize) {
        while self.waiting.load(Ordering::Relaxed) < calls {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Probe {
    async fn answer(self, request: Request<String>) -> Result<Response<String>, Status> {
        let info = request.extensions().get::<ConnectionInfo>();
        let answer = match request.get_ref().as_str() {
            "core" => self.core.to_string(),
            "peer" => info.map_or_else(|| "unknown".to_owned(), |info| info.peer().to_string()),
            "names" => {
                let certificate = info.and_then(ConnectionInfo::certificate);
                certificate.map_or_else(|| "none".to_owned(), |shown| shown.names.join(" "))
            }
            "wait" => {
                self.probes.waiting.fetch_add(1, Ordering::Relaxed);
                let permit = self.probes.open.acquire().await;
                permit.map_err(|_| Status::internal("closed"))?.forget();
                "waited".to_owned()
            }
            "panic" => panic!("the handler was told to panic"),
            other => return Err(Status::invalid_argument(other)),
        };
        Ok(Response::new(answer))
    }
}

impl Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let probe = self.clone();
        Box::pin(async move {
            let handler = tower::service_fn(move |request| probe.clone().answer(request));
            let codec = ProstCodec::<String, String>::default();
            Ok(server::Grpc::new(codec).unary(handler, request).await)
        })
    }
}

/// Serves the probe on two cores of a free loopback port.
pub(super) fn serve(config: TransportConfig, probes: &Probes) -> ServerHandle {
    let config = TransportConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        cores: std::num::NonZeroUsize::new(2),
        ..config
    };
    let probes = probes.clone();
    Listener::bind(&config)
        .unwrap()
        .serve(move || probes.probe())
        .unwrap()
}

/// One connection, opened now.
pub(super) async fn connect(server: &ServerHandle) -> Channel {
    try_connect(server.local_addr()).await.unwrap()
}

pub(super) async fn try_connect(address: SocketAddr) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{address}"))?
        .connect()
        .await
}

pub(super) async fn call(channel: &Channel, command: &str) -> Result<String, Status> {
    let mut client = client::Grpc::new(channel.clone());
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::from_static("/countersign.test.Probe/Call");
    let codec = ProstCodec::<String, String>::default();
    let request = Request::new(command.to_owned());
    let response = client.unary(request, path, codec).await?;
    Ok(response.into_inner())
}
