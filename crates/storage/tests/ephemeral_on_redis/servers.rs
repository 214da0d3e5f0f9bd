//! Redis servers of the tests' own, stores on them, and an address that means
//! now this server, now that one, now none.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use countersign_domain::ports::{EphemeralError, EphemeralStore as _};
use countersign_storage::{Redis, RedisSettings};
use deadpool_redis::redis::{Client, Cmd, FromRedisValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener as AsyncListener, TcpStream};

use crate::support;

/// How long the stores of these tests wait for an answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);

/// A Redis server on a free port, without a file, ended when dropped.
pub(crate) struct RedisServer {
    child: Child,
    pub(crate) port: u16,
}

/// A server of the test's own, if there is a program to start.
pub(crate) async fn server(arguments: &[&str]) -> Option<RedisServer> {
    let server = RedisServer::start(arguments).await;
    if server.is_none() {
        assert!(!support::services_required(), "redis-server cannot be run");
        support::skip("there is no redis-server to be run");
    }
    server
}

pub(crate) fn settings(url: &str) -> RedisSettings {
    RedisSettings {
        timeout: TIMEOUT,
        ..RedisSettings::new(url)
    }
}

pub(crate) async fn connect(url: &str) -> Result<Redis, EphemeralError> {
    Redis::connect(&settings(url)).await
}

/// A store on a server of the test's own.
pub(crate) async fn store(arguments: &[&str]) -> Option<(Redis, RedisServer)> {
    let server = server(arguments).await?;
    let redis = connect(&server.url()).await.expect("connect");
    Some((redis, server))
}

/// Waits for Redis to be asked successfully again.
pub(crate) async fn until_it_answers(redis: &Redis) {
    for _ in 0..200 {
        if redis.ping().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not recover");
}

impl RedisServer {
    /// Starts a server with these arguments more. `None` if there is no
    /// `redis-server` to be run.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        Self::start_at(port, arguments).await
    }

    /// Starts a server at a port.
    pub(crate) async fn start_at(port: u16, arguments: &[&str]) -> Option<Self> {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let server = Self { child, port };
        for _ in 0..500 {
            let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            if connected.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("redis-server does not answer at port {port}");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Has the server do something, past the store.
    pub(crate) async fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let client = Client::open(self.url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        let mut connection = connection.expect("a connection");
        let mut command = Cmd::new();
        for word in words {
            command.arg(word);
        }
        let answer = command.query_async(&mut connection).await;
        answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Has a line of an `INFO` section told.
    pub(crate) async fn info(&self, section: &str, name: &str) -> String {
        let info: String = self.command(&["INFO", section]).await;
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.expect("Redis tells it").trim().to_owned()
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    }

    /// Ends the server and gives its port free.
    pub(crate) fn end(mut self) -> u16 {
        self.kill();
        self.port
    }

    fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The port of something that says of itself what Redis says in `INFO`, and knows
/// nothing else.
pub(crate) async fn pretender(info: &'static str) -> u16 {
    let listener = AsyncListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut buffer = vec![0; 4_096];
        while let Ok((mut connection, _)) = listener.accept().await {
            while let Ok(length @ 1..) = connection.read(&mut buffer).await {
                let asked = String::from_utf8_lossy(&buffer[..length]).into_owned();
                for word in asked.split("\r\n") {
                    let answer = match word {
                        "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
                        "CLIENT" => "+OK\r\n".to_owned(),
                        "INFO" => format!("${}\r\n{info}\r\n", info.len()),
                        _ => continue,
                    };
                    connection.write_all(answer.as_bytes()).await.ok();
                }
            }
        }
    });
    port
}

/// An address whose new connections lead to the port of the moment; old ones
/// stay where they are, as with a name or a virtual address that moves.
pub(crate) struct MovingAddress {
    target: Arc<AtomicU16>,
    swallowing: Arc<AtomicBool>,
    port: u16,
}

impl MovingAddress {
    pub(crate) async fn to(target: u16) -> Self {
        let listener = AsyncListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = Self {
            target: Arc::new(AtomicU16::new(target)),
            swallowing: Arc::default(),
            port: listener.local_addr().expect("an address").port(),
        };
        let (target, swallowing) = (Arc::clone(&address.target), Arc::clone(&address.swallowing));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let port = target.load(Ordering::Relaxed);
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                    continue;
                };
                let ((near_reads, near_writes), (far_reads, far_writes)) =
                    (near.into_split(), far.into_split());
                tokio::spawn(carry(near_reads, far_writes, Arc::clone(&swallowing)));
                tokio::spawn(carry(far_reads, near_writes, Arc::clone(&swallowing)));
            }
        });
        address
    }

    pub(crate) fn move_to(&self, target: u16) {
        self.target.store(target, Ordering::Relaxed);
    }

    /// From now on nothing gets through, and no connection ends.
    pub(crate) fn swallow(&self) {
        self.swallowing.store(true, Ordering::Relaxed);
    }

    /// New connections get through again. Those that something was swallowed of
    /// stay dead.
    pub(crate) fn heal(&self) {
        self.swallowing.store(false, Ordering::Relaxed);
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallowing: Arc<AtomicBool>) {
    let mut buffer = vec![0; 65_536];
    let mut dead = false;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        dead |= swallowing.load(Ordering::Relaxed);
        if !dead && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    if dead || swallowing.load(Ordering::Relaxed) {
        // The end is swallowed too: the other side stays open.
        std::future::pending::<()>().await;
    }
}
