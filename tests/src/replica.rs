//! One server process: started, killed, stopped and started again.

use std::fs;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::cli::{self, Finished};
use crate::gateway::Gateway;
use crate::launch::Launch;
use crate::log::{Log, field};
use crate::settings::Settings;
use crate::wait::PATIENCE;

/// A server process and how to start it again. Killed when dropped.
#[derive(Debug)]
pub struct Replica {
    number: usize,
    launch: Launch,
    log: Log,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Replica {
    pub(crate) fn new(number: usize, launch: Launch, log: Log) -> Self {
        Self {
            number,
            launch,
            log,
            running: Mutex::new(None),
        }
    }

    /// Starts the process, and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(&self) {
        if let Err(log) = self.try_start().await {
            panic!("the server does not start:\n{log}");
        }
    }

    /// Starts the process, and waits until it listens or has ended.
    ///
    /// # Errors
    /// Its log, if it does not listen.
    pub async fn try_start(&self) -> Result<(), String> {
        let from = self.log.len();
        let mut child = self.spawn();
        let listening = self.log.find(from, 0, |replica, line| {
            (replica == self.number).then(|| listens_on(line)).flatten()
        });
        let address = tokio::select! {
            address = listening => address,
            _ = child.wait() => None,
        };
        let address = address.ok_or_else(|| self.log.text(self.number))?;
        *self.running() = Some(Running { child, address });
        Ok(())
    }

    /// Starts the process, and ends it after this time, as a power cut would.
    ///
    /// # Panics
    /// If it cannot be ended.
    pub async fn start_and_kill_after(&self, time: Duration) {
        let mut child = self.spawn();
        tokio::time::sleep(time).await;
        child.kill().await.expect("it is killed");
    }

    fn spawn(&self) -> Child {
        let mut command = self.launch.command(&["serve"]);
        let mut child = command.spawn().expect("the server is started");
        let stderr = child.stderr.take().expect("its log is read");
        self.log.follow(self.number, stderr);
        child
    }

    /// Ends the process at once, as a power cut would.
    pub async fn kill(&self) {
        let running = self.running().take();
        if let Some(mut running) = running {
            running.child.kill().await.expect("it is killed");
        }
    }

    /// Ends the process at once and starts it again.
    pub async fn restart(&self) {
        self.kill().await;
        self.start().await;
    }

    /// Changes a setting, `section.key`, from the next start on.
    ///
    /// # Panics
    /// If there is no configuration file.
    pub fn configure(&self, path: &str, value: impl Into<toml::Value>) {
        let file = self.launch.config.as_ref().expect("it is configured");
        let text = fs::read_to_string(file).expect("the configuration is read");
        let mut settings: Settings = text.parse().expect("the configuration is TOML");
        settings.set(path, value);
        fs::write(file, settings.to_toml()).expect("the configuration is written");
    }

    /// Ends the process at once and starts it again.
    ///
    /// # Errors
    /// Its log, if it does not start.
    pub async fn kill_and_try_start(&self) -> Result<(), String> {
        self.kill().await;
        self.try_start().await
    }

    /// Asks the process to end, without waiting for it.
    pub async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// Asks the process to end as Ctrl-C does, without waiting for it.
    pub async fn interrupt(&self) {
        self.signal("-INT").await;
    }

    /// Stops the process where it is.
    pub async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    /// Lets the process go on.
    pub async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    /// Waits until the process has ended.
    ///
    /// # Panics
    /// If it does not.
    pub async fn wait(&self) -> ExitStatus {
        let running = self.running().take();
        let mut running = running.expect("it was running");
        tokio::time::timeout(PATIENCE, running.child.wait())
            .await
            .expect("it ends")
            .expect("it can be waited for")
    }

    /// Where it listens.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running().as_ref().expect("the replica runs").address
    }

    /// Where it listens, if it runs.
    #[must_use]
    pub fn try_address(&self) -> Option<SocketAddr> {
        self.running().as_ref().map(|running| running.address)
    }

    /// A new connection to it.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        Gateway::to(self.address())
    }

    /// Runs another command with the configuration of this replica.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        cli::finish(&self.launch, arguments).await
    }

    /// Starts another command likewise, which goes on until its handle is dropped.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.launch.command(arguments);
        // Nobody reads it, and it must not fill.
        command.stderr(std::process::Stdio::null());
        command.spawn().expect("the program starts")
    }

    /// Waits for a line of its log with this message, after line `from`.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn says(&self, from: usize, message: &str) {
        let said = self.log.find(from, 0, |replica, line| {
            let is_it = replica == self.number && field(line, "message") == Some(message);
            is_it.then_some(())
        });
        assert!(
            said.await.is_some(),
            "replica {} does not say {message:?}:\n{}",
            self.number,
            self.log.text(self.number)
        );
    }

    /// Keeps its files from growing beyond this size from now on, as a full
    /// disk does. The world must have been made for it.
    pub async fn fill_files(&self, size: u64) {
        let limit = format!("--fsize={size}:unlimited");
        self.command("prlimit", &["--pid", &self.process_id(), &limit])
            .await;
    }

    /// Makes room for its files again.
    pub async fn make_room(&self) {
        let limit = "--fsize=unlimited:unlimited";
        self.command("prlimit", &["--pid", &self.process_id(), limit])
            .await;
    }

    /// The CPU that it has taken since it was started.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        /// `USER_HZ` of every Linux.
        const TICKS_PER_SECOND: u64 = 100;
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.process_id())).expect("it runs");
        // The name before it may have spaces.
        let (_, fields) = stat.rsplit_once(')').expect("a stat");
        let ticks = fields.split_ascii_whitespace().skip(11).take(2);
        let ticks: u64 = ticks
            .map(|part| part.parse::<u64>().expect("a number"))
            .sum();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    /// The bytes of memory that it has, as Linux counts them.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn resident_memory(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most bytes of memory that it has had since this was asked last, or
    /// since its start.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn take_peak_memory(&self) -> u64 {
        let peak = self.memory("VmHWM:");
        let forget = format!("/proc/{}/clear_refs", self.process_id());
        fs::write(forget, "5").expect("it is forgotten");
        peak
    }

    fn memory(&self, kind: &str) -> u64 {
        let status = format!("/proc/{}/status", self.process_id());
        let status = fs::read_to_string(status).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(kind));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.expect("a number") * 1024
    }

    async fn signal(&self, signal: &str) {
        self.command("kill", &[signal, &self.process_id()]).await;
    }

    fn process_id(&self) -> String {
        let running = self.running();
        let id = running.as_ref().and_then(|running| running.child.id());
        id.expect("the replica runs").to_string()
    }

    async fn command(&self, program: &str, arguments: &[&str]) {
        let done = Command::new(program).args(arguments).status();
        let done = tokio::time::timeout(Duration::from_secs(5), done).await;
        assert!(
            done.is_ok_and(|status| status.is_ok_and(|s| s.success())),
            "{program} {arguments:?}"
        );
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listens_on(line: &Value) -> Option<SocketAddr> {
    (field(line, "message") == Some("listening"))
        .then(|| field(line, "address")?.parse().ok())
        .flatten()
}
