//! One request over a connection of its own: no proxy, no redirect, no compressed body, no more than
//! 256 KiB, and all of it within a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::hosts::Hosts;
use crate::failure::Failure;
use crate::url::{Url, form};

/// The most bytes of a body that are read.
const LARGEST_BODY: usize = 256 * 1024;
/// The most bytes of a head.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long finding the host and connecting to it may take.
const CONNECTING: Duration = Duration::from_secs(3);
/// How long one of its addresses may take.
const CONNECTING_TO_ONE: Duration = Duration::from_secs(1);

/// Asks one provider.
pub(crate) struct HttpClient {
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) hosts: Hosts,
    pub(crate) is_private_allowed: bool,
    pub(crate) time_limit: Duration,
}

/// An answer of any status that has a body to read.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl HttpClient {
    /// Gets an address, with a bearer token if there is one.
    ///
    /// # Errors
    /// Unavailable for what breaks off, times out, and for 429 and 5xx; rejected for redirects and
    /// for bodies that are compressed or too large.
    pub(crate) async fn get(&self, url: &Url, bearer: Option<&str>) -> Result<Reply, Failure> {
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        self.request(Method::GET, url, authorization.as_deref(), String::new())
            .await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn post(
        &self,
        url: &Url,
        authorization: Option<&str>,
        parameters: &[(&str, &str)],
    ) -> Result<Reply, Failure> {
        self.request(Method::POST, url, authorization, form(parameters))
            .await
    }

    async fn request(
        &self,
        method: Method,
        url: &Url,
        authorization: Option<&str>,
        body: String,
    ) -> Result<Reply, Failure> {
        let request = request(method, url, authorization, body)?;
        let asking = self.ask(url, request);
        let asked = tokio::time::timeout(self.time_limit, asking).await;
        asked
            .unwrap_or_else(|_| Err(Failure::unavailable("no answer in time")))
            .map_err(|failure| failure.during(url.host()))
    }

    async fn ask(&self, url: &Url, request: Request<Full<Bytes>>) -> Result<Reply, Failure> {
        let connecting = tokio::time::timeout(CONNECTING, self.connect(url)).await;
        let tcp =
            connecting.unwrap_or_else(|_| Err(Failure::unavailable("no connection in time")))?;
        if !url.is_tls() {
            return exchange(tcp, request).await;
        }
        let name = ServerName::try_from(url.host().to_owned())
            .map_err(|_| Failure::rejected("the host is no name for TLS"))?;
        let tls = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, tcp)
            .await
            .map_err(|error| Failure::unavailable(format!("no TLS: {error}")))?;
        exchange(tls, request).await
    }

    async fn connect(&self, url: &Url) -> Result<TcpStream, Failure> {
        let mut failure = Failure::unavailable("no address");
        for address in self.hosts.addresses(url, self.is_private_allowed).await? {
            match tokio::time::timeout(CONNECTING_TO_ONE, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Ok(Err(error)) => failure = Failure::unavailable(format!("no connection: {error}")),
                Err(_) => failure = Failure::unavailable("no connection in time"),
            }
        }
        Err(failure)
    }
}

fn request(
    method: Method,
    url: &Url,
    authorization: Option<&str>,
    body: String,
) -> Result<Request<Full<Bytes>>, Failure> {
    let wrong = || Failure::rejected("the request cannot be written");
    let is_post = method == Method::POST;
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = method;
    *request.uri_mut() = url.target().parse().map_err(|_| wrong())?;
    let headers = request.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| wrong());
    headers.insert(header::HOST, value(url.authority())?);
    let mut fixed = |name: HeaderName, text| headers.insert(name, HeaderValue::from_static(text));
    fixed(header::ACCEPT, "application/json");
    fixed(header::ACCEPT_ENCODING, "identity");
    fixed(header::CONNECTION, "close");
    fixed(header::USER_AGENT, "countersign");
    if is_post {
        fixed(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    if let Some(authorization) = authorization {
        let mut authorization = value(authorization)?;
        authorization.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, authorization);
    }
    Ok(request)
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::unavailable(format!("no HTTP: {error}")))?;
    let asking = async {
        let response = sender.send_request(request).await;
        read(response.map_err(|error| broken(&error))?).await
    };
    // Both in this task: dropping it drops the connection.
    let running = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::pin!(asking);
    tokio::select! {
        biased;
        reply = &mut asking => reply,
        never = running => never,
    }
}

async fn read(response: Response<Incoming>) -> Result<Reply, Failure> {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::unavailable(format!(
            "answered {}",
            status.as_u16()
        )));
    }
    if status.is_redirection() || status.is_informational() {
        let why = format!(
            "answered {}, and redirects are not followed",
            status.as_u16()
        );
        return Err(Failure::rejected(why));
    }
    if is_encoded(response.headers()) {
        return Err(Failure::rejected("answered with a compressed body"));
    }
    let body = Limited::new(response.into_body(), LARGEST_BODY)
        .collect()
        .await;
    let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => Failure::rejected("answered with more than 256 KiB"),
        None => Failure::unavailable("the answer broke off"),
    })?;
    Ok(Reply {
        status,
        body: body.to_bytes(),
    })
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn broken(error: &hyper::Error) -> Failure {
    match error.is_parse() {
        true => Failure::rejected("the answer is not HTTP"),
        false => Failure::unavailable("the connection ended before an answer"),
    }
}
