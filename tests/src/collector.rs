//! A collector of spans: it takes OTLP over gRPC, as the server's exporter sends
//! it, or takes it and never answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::services;
use crate::wait::PATIENCE;

/// A collector that listens until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    received: Received,
    serving: JoinHandle<()>,
}

/// A span as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSpan {
    /// Its name.
    pub name: String,
    /// Its trace, in hex.
    pub trace_id: String,
    /// The span that it is below, in hex; empty if there is none.
    pub parent: String,
    /// `tracestate`.
    pub trace_state: String,
    /// Whether it is one of a server.
    pub is_of_a_server: bool,
    /// Whether its status is an error.
    pub is_error: bool,
    /// Nanoseconds from its begin to its end.
    pub nanos: u64,
    /// Its attributes and those of its resource, as texts.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Received {
    spans: Arc<watch::Sender<Vec<ReceivedSpan>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    answers: bool,
}

impl Collector {
    /// A collector on a port of its own.
    pub async fn start() -> Self {
        Self::listen(services::free_address().await, true).await
    }

    /// A collector on a port that was free.
    pub async fn start_at(address: SocketAddr) -> Self {
        Self::listen(address, true).await
    }

    /// A collector that takes spans and never says so.
    pub async fn start_hanging() -> Self {
        Self::listen(services::free_address().await, false).await
    }

    /// An address at which there is no collector.
    pub async fn nowhere() -> SocketAddr {
        services::free_address().await
    }

    async fn listen(address: SocketAddr, answers: bool) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let received = Received {
            spans: Arc::new(watch::Sender::new(Vec::new())),
            bytes: Arc::default(),
            answers,
        };
        let service = TraceServiceServer::new(received.clone());
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener));
        let serving = tokio::spawn(async {
            serving.await.ok();
        });
        Self {
            address,
            received,
            serving,
        }
    }

    /// What `traces.endpoint` must say.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that came so far.
    #[must_use]
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.received.spans.borrow().clone()
    }

    /// All messages that came so far, as they were sent, and their headers.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let bytes = self.received.bytes.lock();
        bytes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a span.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn find(&self, is_it: impl Fn(&ReceivedSpan) -> bool) -> ReceivedSpan {
        let mut spans = self.received.spans.subscribe();
        let has_it = spans.wait_for(|spans| spans.iter().any(&is_it));
        let has_it = tokio::time::timeout(PATIENCE, has_it).await.is_ok();
        let span = self.spans().into_iter().find(&is_it);
        assert!(has_it, "it is not among {:#?}", self.spans());
        span.expect("it has come")
    }

    /// Waits until so many spans have come.
    ///
    /// # Panics
    /// If they do not.
    pub async fn has(&self, count: usize) -> Vec<ReceivedSpan> {
        let mut spans = self.received.spans.subscribe();
        let have = spans.wait_for(|spans| spans.len() >= count);
        let have = tokio::time::timeout(PATIENCE, have).await;
        let have = have.map(|spans| spans.expect("the collector is there").clone());
        have.unwrap_or_else(|_| panic!("no {count} spans: {:#?}", self.spans()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep(request);
        if !self.answers {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Received {
    fn keep(&self, request: Request<ExportTraceServiceRequest>) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend(format!("{:?}", request.metadata()).into_bytes());
        let message = request.into_inner();
        bytes.extend(message.encode_to_vec());
        let spans = message.resource_spans.into_iter().flat_map(|of_resource| {
            let resource = of_resource.resource.map(|resource| resource.attributes);
            let resource = texts(resource.unwrap_or_default());
            let scopes = of_resource.scope_spans.into_iter();
            let spans = scopes.flat_map(|scope| scope.spans);
            spans.map(move |span| ReceivedSpan::of(span, resource.clone()))
        });
        self.spans.send_modify(|received| received.extend(spans));
    }
}

impl ReceivedSpan {
    fn of(span: otlp::Span, mut attributes: BTreeMap<String, String>) -> Self {
        attributes.extend(texts(span.attributes));
        Self {
            name: span.name,
            trace_id: hex(&span.trace_id),
            parent: hex(&span.parent_span_id),
            trace_state: span.trace_state,
            is_of_a_server: span.kind == i32::from(otlp::span::SpanKind::Server),
            is_error: span
                .status
                .is_some_and(|status| status.code() == otlp::status::StatusCode::Error),
            nanos: span.end_time_unix_nano - span.start_time_unix_nano,
            attributes,
        }
    }

    /// An attribute; empty if there is none.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .map(|attribute| (attribute.key, text(attribute.value)))
        .collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
