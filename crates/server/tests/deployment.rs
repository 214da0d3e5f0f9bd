//! What `deploy/` says, followed to the letter: the unit's header leads from
//! nothing to the first caller.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");

/// A machine on which nothing is installed: a directory in the place of `/`.
struct Machine {
    root: TempDir,
    /// Where the server is to listen: other tests have the default.
    address: String,
    server: Option<Child>,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().expect("a temporary directory");
        for directory in ["usr/local/bin", "etc/systemd/system", "release"] {
            fs::create_dir_all(root.path().join(directory)).expect("made");
        }
        let release = root.path().join("release");
        fs::copy(
            env!("CARGO_BIN_EXE_countersign"),
            release.join("countersign"),
        )
        .expect("the program is copied");
        std::os::unix::fs::symlink(DEPLOY, release.join("deploy")).expect("linked");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        Self {
            root,
            address,
            server: None,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// A line of the header or the unit, with this machine's paths and address.
    fn here(&self, line: &str) -> String {
        let root = self.root.path().display();
        let mut line = line.to_owned();
        for top in ["/etc/", "/usr/local/bin", "/var/lib/"] {
            line = line.replace(top, &format!("{root}{top}"));
        }
        line.replace(
            "healthcheck",
            &format!("healthcheck -addr={}", self.address),
        )
    }

    /// Runs a line as a shell does, in the directory of the release.
    fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("sh");
        let path = format!("{}:/usr/bin:/bin", self.path("usr/local/bin").display());
        shell
            .args(["-euc", &self.here(line)])
            .current_dir(self.path("release"))
            .env_clear()
            .env("PATH", path);
        shell
    }

    /// What systemd does when the installed unit is started.
    fn start(&mut self) {
        let unit = self.path("etc/systemd/system/countersign.service");
        let unit = fs::read_to_string(unit).expect("the unit is installed");
        let command = settings(&unit, "ExecStart=").next().expect("a command");
        let directory = settings(&unit, "StateDirectory=")
            .next()
            .expect("a directory");
        fs::create_dir_all(self.path("var/lib").join(directory)).expect("made");
        let mut server = self.shell(&format!("exec {command}"));
        server.envs(settings(&unit, "Environment=").filter_map(|pair| pair.split_once('=')));
        server.current_dir("/").stderr(Stdio::null());
        server.env("COUNTERSIGN__SERVER__LISTEN", &self.address);
        server.env("COUNTERSIGN__METRICS__LISTEN", "");
        self.server = Some(server.spawn().expect("it is started"));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn unit() -> String {
    let path = Path::new(DEPLOY).join("systemd/countersign.service");
    fs::read_to_string(path).expect("the unit is there")
}

/// The values of a setting that may stand several times, named with its `=`.
fn settings<'a>(unit: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    unit.lines().filter_map(move |line| line.strip_prefix(name))
}

/// The first block of commands in the unit's header.
fn bootstrap(unit: &str) -> Vec<String> {
    let lines = unit.lines().map_while(|line| line.strip_prefix('#'));
    let is_command = |line: &&str| line.starts_with("   ");
    let block = lines
        .skip_while(|line| !is_command(line))
        .take_while(is_command);
    block.map(|line| line.trim().to_owned()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_units_header_leads_from_nothing_to_the_first_caller() {
    let mut machine = Machine::new();
    let commands = bootstrap(&unit());
    assert!(commands.len() >= 6, "{commands:?}");
    let mut last = None;
    for command in &commands {
        if command.starts_with("systemctl enable --now") {
            machine.start();
        } else if !command.starts_with("systemctl") {
            let output = machine.shell(command).output().expect("a shell");
            assert!(output.status.success(), "{command}: {output:?}");
            last = Some(output);
        }
    }
    let Output { stdout, stderr, .. } = last.expect("there are commands");
    let (key, notes) = (text(&stdout), text(&stderr));
    assert!(key.starts_with("csk_") && key.lines().count() == 1, "{key}");
    let database = machine.path("var/lib/countersign/countersign.db");
    let told = format!("database: {}\n", database.display());
    assert!(notes.starts_with(&told), "{notes}");

    let list = "countersign --config /etc/countersign/countersign.toml caller list";
    let listed = machine.shell(list).output().expect("a shell");
    assert!(text(&listed.stdout).contains("web   gateway"), "{listed:?}");
    let left = fs::read_dir(machine.path("release")).expect("it is read");
    assert_eq!(left.count(), 2, "nothing is made where the commands run");
}

#[test]
fn the_unit_outlives_the_outages_of_a_database() {
    let unit = unit();
    let section = |name: &str| {
        let from = unit.split_once(&format!("\n[{name}]\n")).expect(name).1;
        from.split("\n[").next().unwrap_or_default().to_owned()
    };
    assert!(section("Unit").contains("\nStartLimitIntervalSec=0\n"));
    assert!(section("Service").contains("\nRestart=on-failure\n"));
    let is_given_up = section("Service").contains("\nRestartPreventExitStatus=64 78\n");
    assert!(is_given_up, "what is wrong with the settings stays wrong");
    let sets_data_dir = unit.lines().any(|line| line.contains("DATA_DIR"));
    assert!(!sets_data_dir, "commands would not know of it");
}
