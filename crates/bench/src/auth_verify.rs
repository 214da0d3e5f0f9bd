//! `GET /auth/verify`, as nginx asks it over HTTP/1.1 connections that stay open, beside a bare
//! axum handler whose answers are as long.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use countersign_transport::{Protocols, TransportConfig};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use crate::arguments::Arguments;
use crate::closed_loop::{Client, Step, Target, drive, runtime};
use crate::connections::Connections;
use crate::echo;
use crate::failure::{Context as _, Failure};
use crate::forge::forge;
use crate::report::{Figure, Gate, Rates};
use crate::rounds::{Side, alternate};
use crate::sample::Sample;
use crate::server::{Floor, Setup, free_address};
use crate::validate::WARMING;

const GATE: f64 = 0.85;

/// What a good answer says.
const HEADERS: [(&str, &str); 11] = [
    ("x-auth-user", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("x-auth-group", "default"),
    ("x-auth-session", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("x-auth-client", "local"),
    ("x-auth-scopes", ""),
    ("x-auth-roles", ""),
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
];

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let gateway = free_address()?;
    let listen = gateway.to_string();
    let settings = [
        ("tokens.access_ttl", "1h"),
        ("gateway.listen", listen.as_str()),
    ];
    let setup = Setup::new(arguments, &settings)?;
    let server = setup.start()?;
    let tokens = runtime()?.block_on(forge(&setup, &server, arguments.tokens))?;
    let requests = tokens.iter().map(|forged| request(&forged.token));
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(requests.collect());
    let floor = Floor::start("floor-verify", 0)?;
    eprintln!(
        "/auth/verify: {} tokens, {} requests in flight, each on a connection of its own",
        arguments.tokens, arguments.in_flight,
    );
    let bare = floor.target(1);
    let ours = Target {
        address: gateway,
        ..server.target(1)
    };
    let lengths = runtime()?.block_on(async {
        let mut lengths = [0; 2];
        for (length, target) in lengths.iter_mut().zip([bare, ours]) {
            *length = answer_length(&requests, target.address).await?;
        }
        Ok::<_, Failure>(lengths)
    })?;
    if lengths[0] != lengths[1] {
        let reason = format!(
            "the bare handler answers with {} bytes, the server with {}: they are to be the same",
            lengths[0], lengths[1]
        );
        return Err(Failure::new(reason));
    }
    for target in [bare, ours] {
        drive(
            askers(arguments, &requests, target.address),
            target,
            WARMING.min(arguments.round()),
        )?;
    }
    let requests = &requests;
    let side = |name, target: Target| {
        Side::new(name, move || {
            let askers = askers(arguments, requests, target.address);
            let (_, sample): (_, Sample) = drive(askers, target, arguments.round())?;
            Ok(sample)
        })
    };
    let sides = vec![side("bare handler", bare), side("ours", ours)];
    let mut samples = alternate(arguments.rounds, sides)?.into_iter();
    Ok(vec![Figure::Rates(Rates {
        name: format!("/auth/verify, {} tokens", arguments.tokens),
        floor_name: "bare axum handler".into(),
        floor: samples.next().unwrap_or_default(),
        ours: samples.next().unwrap_or_default(),
        gate: Some(Gate::Ratio(GATE)),
    })])
}

/// What nginx sends for a request of a browser.
fn request(token: &str) -> Vec<u8> {
    format!(
        "GET /auth/verify HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: shop.example\r\nX-Forwarded-Uri: /orders\r\n\
         Cookie: theme=dark; __Host-access={token}\r\nAccept: text/html\r\n\r\n"
    )
    .into_bytes()
}

fn askers(arguments: &Arguments, requests: &Arc<Vec<Vec<u8>>>, address: SocketAddr) -> Vec<Asker> {
    let count = arguments.in_flight.get();
    // Not all the same at once.
    let asker = |number| Asker::new(requests, address, number * requests.len() / count);
    (0..count).map(asker).collect()
}

/// How many bytes an answer has.
async fn answer_length(
    requests: &Arc<Vec<Vec<u8>>>,
    address: SocketAddr,
) -> Result<usize, Failure> {
    let mut asker = Asker::new(requests, address, 0);
    asker.connect().await?;
    asker.call().await?;
    Ok(asker.received.len())
}

/// Asks on one connection, one request after the other.
struct Asker {
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    next: usize,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Asker {
    fn new(requests: &Arc<Vec<Vec<u8>>>, address: SocketAddr, next: usize) -> Self {
        Self {
            address,
            requests: Arc::clone(requests),
            next,
            stream: None,
            received: Vec::new(),
        }
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.context("connecting")?;
        stream.set_nodelay(true).context("connecting")?;
        self.stream = Some(stream);
        Ok(())
    }
}

impl Client for Asker {
    async fn open(&mut self, _: &mut Connections) -> Result<(), Failure> {
        self.connect().await
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let stream = self.stream.as_mut();
        let stream = stream.ok_or_else(|| Failure::new("there is no connection"))?;
        self.next = (self.next + 1) % self.requests.len();
        let sent = stream.write_all(&self.requests[self.next]).await;
        sent.context("asking")?;
        self.received.clear();
        while !self.received.ends_with(b"\r\n\r\n") {
            let read = stream.read_buf(&mut self.received).await;
            if read.context("an answer")? == 0 {
                return Err(Failure::new("the connection was closed"));
            }
        }
        let text = String::from_utf8_lossy(&self.received);
        let is_good = text.starts_with("HTTP/1.1 200 ")
            && text.contains("content-length: 0\r\n")
            && text.contains("x-auth-user: 0");
        match is_good {
            true => Ok(Step::Answered),
            false => Err(Failure::new(format!("not what was to be answered: {text}"))),
        }
    }
}

/// Serves the floor, on the same transport.
pub(crate) fn serve() -> Result<(), Failure> {
    let config = TransportConfig {
        protocols: Protocols::Http1AndHttp2,
        ..TransportConfig::default()
    };
    echo::serve_with(config, || {
        let router = Router::new().route("/auth/verify", get(bare));
        tower::service_fn(move |request: http::Request<tonic::body::Body>| {
            let router = router.clone();
            if let Some(connection) = request
                .extensions()
                .get::<countersign_transport::ConnectionInfo>()
            {
                connection.permit_call();
            }
            async move {
                let response = router.oneshot(request.map(axum::body::Body::new)).await;
                response.map(|response| response.map(tonic::body::Body::new))
            }
        })
    })
}

async fn bare() -> impl IntoResponse {
    let mut headers = HeaderMap::with_capacity(HEADERS.len());
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        headers.insert(HeaderName::from_static(name), value);
    }
    (StatusCode::OK, headers)
}
