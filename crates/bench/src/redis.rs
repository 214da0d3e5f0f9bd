//! A Redis of the bench's own, on a free port, which keeps nothing.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::failure::{Context as _, Failure};
use crate::server::{Process, free_address};
use crate::system;

/// How long its start may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running Redis.
#[derive(Debug)]
pub(crate) struct Redis {
    _process: Process,
    _directory: TempDir,
    address: SocketAddr,
}

impl Redis {
    /// Starts it with what a server of ours needs.
    pub(crate) fn start() -> Result<Self, Failure> {
        let address = free_address()?;
        let directory = TempDir::with_prefix("countersign-bench-").context("a directory")?;
        let child = Command::new("redis-server")
            .args(["--bind", &Ipv4Addr::LOCALHOST.to_string()])
            .args(["--port", &address.port().to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .args(["--maxmemory-policy", "noeviction"])
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server")?;
        let process = Process(child);
        let began = system::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > PATIENCE {
                return Err(Failure::new("redis-server does not listen"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Self {
            _process: process,
            _directory: directory,
            address,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}
