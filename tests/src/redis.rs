//! A Redis of a test's own, which may be emptied and killed.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::services;
use crate::wait::eventually;

/// A Redis server that keeps nothing on disk. Killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    address: SocketAddr,
    child: Mutex<Child>,
    directory: TempDir,
}

fn program(directory: &TempDir, address: SocketAddr) -> Option<Child> {
    Command::new("redis-server")
        .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .args(["--maxmemory-policy", "noeviction"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()
}

impl RedisServer {
    /// Starts one; `None` if the program is not installed.
    ///
    /// # Panics
    /// If it is installed and does not answer.
    pub async fn start() -> Option<Self> {
        let directory = TempDir::new().expect("a directory");
        let address = services::free_address().await;
        let child = program(&directory, address)?;
        let server = Self {
            address,
            child: Mutex::new(child),
            directory,
        };
        server.is_ready().await;
        Some(server)
    }

    async fn is_ready(&self) {
        let pong = || async {
            self.command("PING")
                .await
                .filter(|said| said == "+PONG\r\n")
        };
        eventually("Redis answers", Duration::from_secs(10), pong).await;
    }

    /// Kills it, and starts an empty one in its place.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn crash(&self) {
        let mut child = self.child.lock().await;
        child.kill().await.expect("it is killed");
        *child = program(&self.directory, self.address).expect("it is started");
        self.is_ready().await;
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Deletes all that it holds.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn flush(&self) {
        let said = self.command("FLUSHALL").await;
        assert_eq!(said.as_deref(), Some("+OK\r\n"), "FLUSHALL");
    }

    /// Lets it take nothing more, or again as much as there is.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn set_full(&self, is_full: bool) {
        let bytes = u8::from(is_full);
        let said = self.command(&format!("CONFIG SET maxmemory {bytes}")).await;
        assert_eq!(said.as_deref(), Some("+OK\r\n"), "CONFIG SET maxmemory");
    }

    async fn command(&self, command: &str) -> Option<String> {
        let mut line = TcpStream::connect(self.address).await.ok()?;
        line.write_all(format!("{command}\r\n").as_bytes())
            .await
            .ok()?;
        let mut said = vec![0; 64];
        let length = line.read(&mut said).await.ok()?;
        said.truncate(length);
        String::from_utf8(said).ok()
    }
}
