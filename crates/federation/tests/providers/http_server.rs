//! HTTP by hand: one request for each connection, and any bytes for an answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::{Shown, server};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// JSON, or what is to pass for it.
    Json(u16, String),
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// These bytes, and then others without end.
    Endless(&'static str),
    /// A byte now and then.
    Dripping,
    /// Nothing at all.
    Nothing,
}

/// Answers requests.
pub(crate) type Answering = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// A server; it ends with the runtime.
pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    tls: Arc<Mutex<Arc<ServerConfig>>>,
}

impl HttpServer {
    /// Serves on a port of its own.
    pub(crate) async fn start(answering: Answering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("it is served");
        let address = listener.local_addr().expect("it is served");
        let tls = Arc::new(Mutex::new(server(Shown::Good)));
        let shared = Arc::clone(&tls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let config = Arc::clone(&shared.lock().expect("no test panics while it holds it"));
                tokio::spawn(serve(stream, config, Arc::clone(&answering)));
            }
        });
        Self { address, tls }
    }

    /// Shows another certificate from now on.
    pub(crate) fn show(&self, shown: Shown) {
        *self.tls.lock().expect("no test panics while it holds it") = server(shown);
    }
}

async fn serve(stream: TcpStream, config: Arc<ServerConfig>, answering: Answering) {
    let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await else {
        return;
    };
    let Some(asked) = read(&mut stream).await else {
        return;
    };
    let _ = write(&mut stream, answering(&asked)).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TlsStream<TcpStream>) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |text| text.parse().expect("it is served"));
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Asked {
        method,
        host: headers.get("host")?.clone(),
        path,
        form: serde_urlencoded::from_bytes(&bytes[head..]).ok()?,
        headers,
    })
}

async fn write(stream: &mut TlsStream<TcpStream>, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Json(status, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await
        }
        Answer::Bytes(bytes) => stream.write_all(&bytes).await,
        Answer::Endless(head) => {
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        }
        Answer::Dripping => {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"
                .iter()
                .cycle()
            {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        }
        Answer::Nothing => Ok(()),
    }
}
