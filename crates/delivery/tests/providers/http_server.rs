//! A counterpart that speaks HTTP/1.1, and misbehaves as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What is done with a request once all of it has arrived.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// It is answered with this status, headers and body.
    Answers(u16, &'static str, String),
    /// It is answered with what is not HTTP.
    TalksNonsense,
    /// It is taken, and the answer comes too late.
    IsSlow,
    /// It is taken, and the connection ends without an answer.
    Cuts,
    /// Its connection ends before any of it is read.
    HangsUp,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

/// What arrived at a server.
#[derive(Clone)]
pub(crate) struct HttpServer {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl HttpServer {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        Self::listen(behaviour, None).await
    }

    pub(crate) async fn start_tls(behaviour: Behaviour, tls: Arc<rustls::ServerConfig>) -> Self {
        Self::listen(behaviour, Some(TlsAcceptor::from(tls))).await
    }

    /// A server that is not there.
    pub(crate) async fn nobody() -> Self {
        let mut server = Self::start(Behaviour::HangsUp).await;
        server.url = "http://127.0.0.1:1".into();
        server
    }

    async fn listen(behaviour: Behaviour, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it listens");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Self {
            url: format!("{scheme}://localhost:{}", address.port()),
            taken: Arc::default(),
            behaviour: Arc::new(Mutex::new(behaviour)),
        };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().connected(stream, tls.clone()));
            }
        });
        server
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("no panic") = behaviour;
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().expect("no panic").clone()
    }

    async fn connected(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        match tls {
            None => self.serve(stream).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let behaviour = self.behaviour.lock().expect("no panic").clone();
        if matches!(behaviour, Behaviour::HangsUp) {
            return;
        }
        let mut stream = BufReader::new(stream);
        let taken = read(&mut stream).await;
        self.taken.lock().expect("no panic").push(taken);
        let answer = match behaviour {
            Behaviour::Answers(status, headers, body) => format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}",
                body.len()
            ),
            Behaviour::TalksNonsense => "220 mail.example.com ESMTP\r\n\r\n".to_owned(),
            Behaviour::IsSlow => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                String::new()
            }
            Behaviour::Cuts | Behaviour::HangsUp => String::new(),
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

async fn read(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>) -> Taken {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let length = stream.read_line(&mut line).await.unwrap_or_default();
        let line = line.trim_end().to_owned();
        if length == 0 || line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers: HashMap<_, _> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|l| l.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await.expect("a body");
    Taken {
        line: lines.first().cloned().unwrap_or_default(),
        headers,
        body: String::from_utf8(body).expect("UTF-8"),
    }
}
