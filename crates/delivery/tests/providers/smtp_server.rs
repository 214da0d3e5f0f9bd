//! A counterpart that speaks SMTP, and misbehaves as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Where a conversation goes wrong, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// A command is answered with this instead; `.` is the end of the message.
    Answers(&'static str, &'static str),
    /// A command is not answered.
    IsSilentAfter(&'static str),
    /// The connection ends after a command.
    CutsAfter(&'static str),
}

#[derive(Clone)]
pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<String>>>,
    commands: Arc<Mutex<Vec<String>>>,
    fault: Arc<Mutex<Fault>>,
}

#[derive(Clone)]
enum Tls {
    Off,
    Start(TlsAcceptor),
    Implicit(TlsAcceptor),
}

/// Why a conversation ended.
enum End {
    Over,
    StartTls,
}

impl SmtpServer {
    pub(crate) async fn plain() -> Self {
        Self::listen(Tls::Off).await
    }

    pub(crate) async fn starttls(tls: Arc<rustls::ServerConfig>) -> Self {
        Self::listen(Tls::Start(tls.into())).await
    }

    pub(crate) async fn implicit(tls: Arc<rustls::ServerConfig>) -> Self {
        Self::listen(Tls::Implicit(tls.into())).await
    }

    pub(crate) fn fail(&self, fault: Fault) {
        *self.fault.lock().expect("no panic") = fault;
    }

    /// The messages whose end has arrived.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("no panic").clone()
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands.lock().expect("no panic").clone()
    }

    async fn listen(tls: Tls) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            port: listener.local_addr().expect("it listens").port(),
            mails: Arc::default(),
            commands: Arc::default(),
            fault: Arc::new(Mutex::new(Fault::None)),
        };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().connected(stream, tls.clone()));
            }
        });
        server
    }

    async fn connected(self, stream: TcpStream, tls: Tls) {
        match tls {
            Tls::Off => {
                let _ = self.converse(stream, true, false).await;
            }
            Tls::Implicit(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    let _ = self.converse(stream, true, false).await;
                }
            }
            Tls::Start(tls) => {
                let mut stream = stream;
                if let Some(End::StartTls) = self.converse(&mut stream, true, true).await
                    && let Ok(stream) = tls.accept(stream).await
                {
                    let _ = self.converse(stream, false, false).await;
                }
            }
        }
    }

    /// Answers until the client leaves. `None` if it broke off.
    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        greets: bool,
        has_starttls: bool,
    ) -> Option<End> {
        let mut stream = BufReader::new(stream);
        if greets {
            self.answer(&mut stream, "GREETING", "220 here ESMTP")
                .await?;
        }
        loop {
            let line = line(&mut stream).await?;
            self.commands.lock().expect("no panic").push(line.clone());
            let command = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_uppercase();
            let good = match command.as_str() {
                "EHLO" if has_starttls => "250-here\r\n250 STARTTLS",
                "EHLO" => "250-here\r\n250 AUTH PLAIN LOGIN",
                "STARTTLS" => "220 go ahead",
                "AUTH" => "235 2.7.0 welcome",
                "DATA" => "354 go ahead",
                "QUIT" => "221 bye",
                _ => "250 2.1.0 fine",
            };
            self.answer(&mut stream, &command, good).await?;
            match command.as_str() {
                "STARTTLS" => return Some(End::StartTls),
                "QUIT" => return Some(End::Over),
                "DATA" => self.message(&mut stream).await?,
                _ => {}
            }
        }
    }

    async fn message(
        &self,
        stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    ) -> Option<()> {
        let mut mail = String::new();
        loop {
            let line = line(stream).await?;
            if line == "." {
                break;
            }
            mail.push_str(&line);
            mail.push('\n');
        }
        self.mails.lock().expect("no panic").push(mail);
        self.answer(stream, ".", "250 2.0.0 queued as 4711").await
    }

    /// Answers as the fault says. `None` if the connection is to end.
    async fn answer(
        &self,
        stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
        command: &str,
        good: &str,
    ) -> Option<()> {
        let fault = *self.fault.lock().expect("no panic");
        let answer = match fault {
            Fault::Answers(at, answer) if at == command => answer,
            Fault::CutsAfter(at) if at == command => return None,
            Fault::IsSilentAfter(at) if at == command => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                return None;
            }
            _ => good,
        };
        let answer = format!("{answer}\r\n");
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()
    }
}

async fn line(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
