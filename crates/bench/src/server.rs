//! The child processes that are measured: the server and the echo.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::arguments::Arguments;
use crate::closed_loop::{Target, runtime};
use crate::connections::connect;
use crate::failure::{Context as _, Failure};
use crate::system;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Process(pub(crate) Child);

/// The echo, or another floor.
#[derive(Debug)]
pub(crate) struct Floor {
    process: Process,
    address: SocketAddr,
}

/// What a server is started with: a directory, which it may be started in
/// again, and settings.
#[derive(Debug)]
pub(crate) struct Setup {
    program: PathBuf,
    directory: TempDir,
    settings: Vec<(String, String)>,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    address: SocketAddr,
    /// From the start of the program to its first answer SERVING.
    pub(crate) started_in: Duration,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Floor {
    pub(crate) fn start(program_of: &str, answer_bytes: usize) -> Result<Self, Failure> {
        let program = std::env::current_exe().context("this program's path")?;
        let mut child = Command::new(program)
            .args([program_of, "--answer-bytes", &answer_bytes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the echo")?;
        let stdout = child.stdout.take();
        let process = Process(child);
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout)
                .read_line(&mut line)
                .context("the echo")?;
        }
        let address = line.trim().parse().context("the echo's address")?;
        Ok(Self { process, address })
    }

    pub(crate) fn target(&self, connections: usize) -> Target {
        Target {
            address: self.address,
            connections,
            watched: Some(self.process.0.id()),
        }
    }
}

impl Setup {
    /// A fresh directory, the settings of a measurement, and over them those
    /// of the command line.
    pub(crate) fn new(arguments: &Arguments, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let program = match &arguments.server {
            Some(path) => path.clone(),
            None => std::env::current_exe()
                .context("this program's path")?
                .with_file_name("countersign"),
        };
        if !program.is_file() {
            return Err(Failure::new(format!(
                "there is no server at {}; build it with \
                 `cargo build --release -p countersign-server`, or name one with --server",
                program.display()
            )));
        }
        let own = settings
            .iter()
            .map(|&(key, value)| (key.into(), value.into()));
        Ok(Self {
            program,
            directory: TempDir::with_prefix("countersign-bench-").context("a directory")?,
            settings: own.chain(arguments.settings.iter().cloned()).collect(),
        })
    }

    /// Where the server keeps its files.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The database of the embedded default.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.data_dir().join("countersign.db")
    }

    /// The database that is set, or that of the embedded default.
    pub(crate) fn database_url(&self) -> String {
        let set = self.settings.iter().find(|(key, _)| key == "database.url");
        let file = || format!("sqlite://{}", self.database_file().display());
        set.map_or_else(file, |(_, url)| url.clone())
    }

    /// Makes a caller of the server that runs, and tells its key. The server
    /// knows it soon.
    pub(crate) fn new_caller(&self, role: &str) -> Result<String, Failure> {
        let made = self
            .command()
            .args(["caller", "new", "--name", "bench", "--role", role])
            .output()
            .context("making a caller")?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr);
            return Err(Failure::new(format!("making a caller: {said}")));
        }
        Ok(String::from_utf8_lossy(&made.stdout).trim().to_owned())
    }

    /// The program with these settings, and nothing of this process's
    /// environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let settings = self.settings.iter();
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("COUNTERSIGN__DATA_DIR", self.data_dir())
            .envs(settings.map(|(key, value)| (variable(key), value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts the server, and waits for its first answer.
    pub(crate) fn start(&self) -> Result<Server, Failure> {
        let address = free_address()?;
        let log_path = self.directory.path().join("log");
        let log = File::create(&log_path).context("the server's log")?;
        let mut command = self.command();
        command
            .arg("serve")
            .env("COUNTERSIGN__SERVER__LISTEN", address.to_string())
            .env("COUNTERSIGN__METRICS__LISTEN", free_address()?.to_string())
            .stdout(Stdio::null())
            .stderr(log);
        if !self.settings.iter().any(|(key, _)| key == "gateway.listen") {
            command.env("COUNTERSIGN__GATEWAY__LISTEN", "");
        }
        let began = system::now();
        let mut process = Process(command.spawn().context("starting the server")?);
        let serving = runtime()?.block_on(async {
            while began.elapsed() < PATIENCE {
                if process.0.try_wait().context("the server")?.is_some() {
                    return Ok(false);
                }
                if is_serving(address).await {
                    return Ok(true);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(false)
        })?;
        let started_in = began.elapsed();
        if !serving {
            let said = last_lines(&log_path);
            return Err(Failure::new(format!("the server does not serve: {said}")));
        }
        Ok(Server {
            process,
            address,
            started_in,
        })
    }
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    pub(crate) fn target(&self, connections: usize) -> Target {
        Target {
            address: self.address,
            connections,
            watched: Some(self.pid()),
        }
    }
}

async fn is_serving(address: SocketAddr) -> bool {
    // Cheaper than a channel while nobody listens yet.
    if tokio::net::TcpStream::connect(address).await.is_err() {
        return false;
    }
    let Ok(channel) = connect(address).await else {
        return false;
    };
    let answer = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await;
    answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
}

/// The environment variable of a setting.
fn variable(key: &str) -> String {
    format!("COUNTERSIGN__{}", key.replace('.', "__").to_uppercase())
}

/// An address on loopback that nobody listens to.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("a free port")
}

fn last_lines(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_variable() {
        assert_eq!(variable("log.filter"), "COUNTERSIGN__LOG__FILTER");
        assert_eq!(
            variable("validation.cache_tokens"),
            "COUNTERSIGN__VALIDATION__CACHE_TOKENS"
        );
    }
}
