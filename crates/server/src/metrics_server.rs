//! The port for whoever watches the server over HTTP: its metrics, whether it is
//! alive, and whether it is ready.
//!
//! It may be reached by others than Prometheus, so no peer holds it up: a
//! connection answers one request, lives for seconds, and makes room for a newer
//! one where too many are open.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

use crate::readings::Readings;

/// Connections that are open at once. One more closes the oldest.
pub(crate) const MOST_CONNECTIONS: usize = 16;
/// How long the headers of a request may take.
const HEADERS: Duration = Duration::from_secs(5);
/// How long a connection may take from its beginning to its end.
const CONNECTION: Duration = Duration::from_secs(10);
/// The most bytes and lines of headers.
const HEADER_BYTES: usize = 16 * 1024;
const HEADER_LINES: usize = 64;
/// The pause after a connection could not be accepted.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// The exposition format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// The port, before it answers.
pub(crate) struct MetricsServer(TcpListener);

/// What is answered.
pub(crate) struct Pages {
    pub(crate) metrics: PrometheusHandle,
    pub(crate) readings: Readings,
}

impl MetricsServer {
    /// Takes the address.
    ///
    /// # Errors
    /// If it cannot be listened on.
    pub(crate) async fn bind(listen: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(listen).await.map(Self)
    }

    /// Answers for as long as the runtime lives.
    pub(crate) async fn run(self, pages: Pages) {
        let pages = Arc::new(pages);
        let mut open: VecDeque<JoinHandle<()>> = VecDeque::new();
        loop {
            let stream = match self.0.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "a connection for metrics was not accepted");
                    sleep(ACCEPT_BACKOFF).await;
                    continue;
                }
            };
            open.retain(|connection| !connection.is_finished());
            if open.len() >= MOST_CONNECTIONS
                && let Some(oldest) = open.pop_front()
            {
                oldest.abort();
            }
            open.push_back(tokio::spawn(serve(stream, Arc::clone(&pages))));
            // Whoever has asked already is answered before others are let in.
            yield_now().await;
        }
    }
}

/// Answers one request. What goes wrong with a connection is its peer's affair.
async fn serve(stream: TcpStream, pages: Arc<Pages>) {
    let service = service_fn(|request| {
        let answer = pages.answer(&request);
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .keep_alive(false)
        .max_headers(HEADER_LINES)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    timeout(CONNECTION, connection).await.ok();
}

impl Pages {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let page: fn(&Self) -> Response<Full<Bytes>> = match request.uri().path() {
            "/metrics" => Self::metrics,
            "/healthz" => |_| page(StatusCode::OK, TEXT, "alive\n".into()),
            "/readyz" => Self::readiness,
            _ => {
                let known = "there are /metrics, /healthz and /readyz\n";
                return page(StatusCode::NOT_FOUND, TEXT, known.into());
            }
        };
        if *request.method() == Method::GET || *request.method() == Method::HEAD {
            return page(self);
        }
        let mut refused = self::page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n".into());
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        refused
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let calls = self.readings.show();
        page(StatusCode::OK, EXPOSITION, self.metrics.render() + &calls)
    }

    /// Ready is what takes calls. Services that cannot do their work at the moment
    /// are named, and do not change that: what they lack is lacking to all
    /// replicas, and some of the calls can be answered.
    fn readiness(&self) -> Response<Full<Bytes>> {
        let health = &self.readings.health;
        let (status, mut text) = if health.is_serving() {
            (StatusCode::OK, "ready\n".to_owned())
        } else {
            let draining = "not ready: the server is draining\n";
            (StatusCode::SERVICE_UNAVAILABLE, draining.to_owned())
        };
        for (service, is_serving) in health.services() {
            if !is_serving {
                text.push_str(service);
                text.push_str(" is not serving\n");
            }
        }
        page(status, TEXT, text)
    }
}

fn page(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
