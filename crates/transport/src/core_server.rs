//! One core: takes the connections handed to it through their handshake and serves them with tonic's server.

use std::{
    convert::Infallible,
    future::{Future, pending},
    io,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::{StreamExt, wrappers::UnboundedReceiverStream};
use tonic::{body::Body, codegen::Service, transport::Server, transport::server::Connected};

use super::{
    TransportConfig, certificates::Certificates, connection::Connection, handshake::Accepted,
};

/// The time that connections in their handshake have to finish it when a drain begins.
const HANDSHAKE_GRACE: Duration = Duration::from_millis(500);

/// Flow-control windows: what a peer can make us buffer for one stream and for one connection before we read it.
/// hyper's own are 1 MiB each; ten thousand connections would be 10 GiB, and our messages are small.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// A tonic service, such as `tonic::service::Routes` (after `prepare()`), alone or under layers.
pub trait GrpcService:
    Service<
        http::Request<Body>,
        Response = http::Response<Body>,
        Error: Into<tonic::codegen::StdError> + Send + 'static,
        Future: Send,
    > + Clone
    + Send
    + 'static
{
}

impl<S> GrpcService for S where
    S: Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error: Into<tonic::codegen::StdError> + Send + 'static,
            Future: Send,
        > + Clone
        + Send
        + 'static
{
}

/// What a core needs besides its service.
#[derive(Debug)]
pub(super) struct CoreServer {
    pub(super) config: Arc<TransportConfig>,
    pub(super) accepted: UnboundedReceiver<Accepted>,
    pub(super) stop: watch::Receiver<Option<Instant>>,
}

impl CoreServer {
    /// Serves until the acceptor has closed the channel and every connection has ended, or until the deadline
    /// that `stop` names.
    ///
    /// # Errors
    /// The text of tonic's error.
    pub(super) async fn run(
        self,
        service: impl GrpcService,
        tls: Option<Arc<Certificates>>,
    ) -> Result<(), String> {
        match tls {
            None => self.serve(service, async |tcp| Ok(tcp)).await,
            Some(certificates) => {
                let secure = move |tcp| TlsAcceptor::from(certificates.server_config()).accept(tcp);
                self.serve(service, secure).await
            }
        }
    }

    async fn serve<T, H, F>(self, service: impl GrpcService, secure: H) -> Result<(), String>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        Connection<T>: Connected,
        H: Fn(TcpStream) -> F + Clone + Send + 'static,
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        let (greeted, ready) = unbounded_channel();
        // tonic sends GOAWAY to every connection when its stream of connections ends, hence no signal here.
        let serving = server(&self.config).serve_with_incoming_shutdown(
            service,
            UnboundedReceiverStream::new(ready).map(Ok::<_, Infallible>),
            pending(),
        );
        let greeting = greet(self.accepted, self.config, secure, greeted);
        tokio::select! {
            (served, ()) = async { tokio::join!(serving, greeting) } => served.map_err(|error| error.to_string()),
            () = deadline(self.stop) => Ok(()),
        }
    }
}

/// Runs the handshakes concurrently: a slow one holds up no other.
async fn greet<T, H, F>(
    mut accepted: UnboundedReceiver<Accepted>,
    config: Arc<TransportConfig>,
    secure: H,
    greeted: UnboundedSender<Connection<T>>,
) where
    T: AsyncRead + Unpin + Send + 'static,
    H: Fn(TcpStream) -> F + Clone + Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            next = accepted.recv() => {
                let Some(next) = next else { break };
                let secure = secure.clone();
                let greeted = greeted.clone();
                let config = Arc::clone(&config);
                handshakes.spawn(async move {
                    if let Some(connection) = next.handshake(&config, secure).await {
                        // The other end is dropped only together with this runtime.
                        drop(greeted.send(connection));
                    }
                });
            }
            Some(_) = handshakes.join_next() => {}
        }
    }
    let finish = async { while handshakes.join_next().await.is_some() {} };
    drop(timeout(HANDSHAKE_GRACE, finish).await);
}

/// Ends at the instant that `stop` is set to, or at once if its sender is gone.
async fn deadline(mut stop: watch::Receiver<Option<Instant>>) {
    let named = stop.wait_for(Option::is_some).await.map(|named| *named);
    if let Ok(Some(deadline)) = named {
        sleep_until(deadline).await;
    }
}

fn server(config: &TransportConfig) -> Server {
    let server = Server::builder()
        .accept_http1(config.protocols.have_http1())
        .timeout(config.request_timeout)
        .max_concurrent_streams(config.max_concurrent_streams)
        // As many as there may be: a client whose calls all run out of time at once is no flood. Floods have to pay.
        .http2_max_pending_accept_reset_streams(Some(config.max_concurrent_streams as usize))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(config.keepalive_interval))
        .http2_keepalive_timeout(Some(config.keepalive_timeout))
        .http2_max_header_list_size(config.max_header_list_size);
    // No `max_connection_age_grace`: with it tonic cuts the connection without ever sending GOAWAY.
    match config.max_connection_age {
        Some(age) => server.max_connection_age(age),
        None => server,
    }
}
