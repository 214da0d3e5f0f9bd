//! One POST over a connection of its own, so that it is known for certain up to
//! when nothing was sent. No proxy, no redirect, no answer larger than 64 KiB.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::provider::{Progress, ProviderError};
use crate::tls::Authorities;

/// What of an answer is read.
const LARGEST_ANSWER: usize = 64 * 1024;

/// Posts to the URLs of providers.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    authorities: Authorities,
}

/// An answer, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
}

impl HttpClient {
    pub(crate) fn new(authorities: Authorities) -> Self {
        Self { authorities }
    }

    /// Posts JSON to an `http` or `https` URL.
    ///
    /// # Errors
    /// Refused up to the first byte of the request; from then on unknown.
    pub(crate) async fn post(
        &self,
        url: &Uri,
        headers: HeaderMap,
        body: String,
        progress: &Progress,
    ) -> Result<Answer, ProviderError> {
        let host = url.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let tcp = TcpStream::connect((bare, port))
            .await
            .map_err(|error| ProviderError::refused(format!("cannot be reached: {error}"), ""))?;
        // Not to be held back until the peer has acknowledged the headers.
        let _ = tcp.set_nodelay(true);
        let request = request(url, headers, body)?;
        if !is_tls {
            return exchange(tcp, request, progress).await;
        }
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ProviderError::refused("has a host that is no name for TLS", ""))?;
        let tls = TlsConnector::from(Arc::clone(&self.authorities.config))
            .connect(name, tcp)
            .await
            .map_err(|error| ProviderError::refused(format!("no TLS: {error}"), ""))?;
        exchange(tls, request, progress).await
    }
}

fn request(
    url: &Uri,
    headers: HeaderMap,
    body: String,
) -> Result<Request<Full<Bytes>>, ProviderError> {
    let wrong = |_| ProviderError::refused("has a URL that is none", "");
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::post(target)
        .body(Full::new(Bytes::from(body)))
        .map_err(wrong)?;
    *request.headers_mut() = headers;
    let host = HeaderValue::from_str(authority)
        .map_err(|_| ProviderError::refused("has a URL that is none", ""))?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, host);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("countersign"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    Ok(request)
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    progress: &Progress,
) -> Result<Answer, ProviderError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ProviderError::refused(format!("no HTTP: {error}"), ""))?;
    progress.hand_over();
    let asking = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| lost(&error))?;
        let status = answer.status();
        let retry_after = retry_after(answer.headers());
        // What is too large to be read says no more than its status.
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect();
        let body = body
            .await
            .map_or_else(|_| Bytes::new(), Collected::to_bytes);
        Ok(Answer {
            status,
            retry_after,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    };
    // Both in this task: dropping it drops the connection.
    let running = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::pin!(asking);
    tokio::select! {
        biased;
        answer = &mut asking => answer,
        never = running => never,
    }
}

fn lost(error: &hyper::Error) -> ProviderError {
    let what = if error.is_parse() {
        "the answer is not HTTP"
    } else {
        "the connection ended before an answer"
    };
    ProviderError::unknown(what, &error.to_string())
}

/// Seconds; a date is not worth a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(text.trim().parse().ok()?))
}
