//! A machine on which nothing is installed: an empty home, an empty environment,
//! a network of its own, and a shell that is given the commands.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::blocks::Step;

/// Between the outputs of commands.
const MARK: &str = "=== README";

/// What takes a place of its own in `PATH`, after that of `cargo install`.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) struct Machine {
    home: TempDir,
    /// How a process gets a network of its own.
    unshare: Vec<&'static str>,
    /// Whether the directory is a clone of this repository, in which all is built.
    is_clone: bool,
}

/// A command that was run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) output: Vec<String>,
}

impl Machine {
    /// `None` if no process can be given a network of its own here.
    pub(crate) fn new() -> Option<Self> {
        let own = ["--net", "--pid", "--fork", "--kill-child"];
        let ways = [own.to_vec(), [&["--map-root-user"][..], &own].concat()];
        let works = |way: &Vec<&str>| {
            let mut unshare = Command::new("unshare");
            unshare.args(way).args(["ip", "link", "set", "lo", "up"]);
            let status = unshare.stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        let Some(unshare) = ways.into_iter().find(works) else {
            countersign_tests::missing("no network of its own can be had for README.md (unshare)");
            return None;
        };
        let home = TempDir::new().expect("a temporary directory");
        fs::create_dir_all(home.path().join("countersign")).expect("made");
        Some(Self {
            home,
            unshare,
            is_clone: false,
        })
    }

    /// One with a fresh clone of what is committed here, and Rust. What cargo
    /// would download is that of this machine.
    pub(crate) fn with_a_clone() -> Option<Self> {
        let machine = Self::new()?;
        let clone = machine.home.path().join("countersign");
        let cloned = Command::new("git")
            .args([
                "clone",
                "--quiet",
                concat!(env!("CARGO_MANIFEST_DIR"), "/.."),
            ])
            .arg(&clone)
            .status();
        assert!(cloned.is_ok_and(|status| status.success()), "git clone");
        let cargo = machine.home.path().join(".cargo");
        fs::create_dir(&cargo).expect("made");
        let downloaded = Path::new(env!("HOME")).join(".cargo/registry");
        std::os::unix::fs::symlink(downloaded, cargo.join("registry")).expect("linked");
        Some(Self {
            is_clone: true,
            ..machine
        })
    }

    /// What a step needs and is not there.
    pub(crate) fn missing(&self, step: &Step) -> Option<String> {
        let needs_nothing = ["countersign", "cargo install", "export", "unset"];
        if needs_nothing.iter().any(|words| step.is(words)) {
            return None;
        }
        if let Some(example) = example(step)
            && !self.is_clone
        {
            return (!example.exists()).then(|| example.display().to_string());
        }
        let program = step.command.split_whitespace().next().expect("a word");
        let path = self.path();
        let mut directories = path.split(':').map(Path::new);
        let is_there = directories.any(|directory| directory.join(program).exists());
        (!is_there).then(|| program.to_owned())
    }

    /// Runs the steps in one shell, until one does not end.
    pub(crate) fn run(&mut self, steps: &[&Step]) -> Vec<Ran> {
        let script = self.home.path().join("readme.sh");
        fs::write(&script, self.script(steps)).expect("it is written");
        let output = Command::new("timeout")
            .args(["--kill-after=5", if self.is_clone { "5400" } else { "300" }])
            .arg("unshare")
            .args(&self.unshare)
            .args(["env", "-i"])
            .args(self.is_clone.then_some("CARGO_NET_OFFLINE=true"))
            .arg(format!("PATH={}", self.path()))
            .arg(format!("HOME={}", self.home.path().display()))
            .arg("sh")
            .arg(&script)
            .current_dir(self.home.path().join("countersign"))
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut ran = Vec::new();
        let mut lines = Vec::new();
        for line in text.lines() {
            match line.strip_prefix(MARK) {
                Some(code) => ran.push(Ran {
                    code: code.trim().parse().expect("an exit code"),
                    output: std::mem::take(&mut lines),
                }),
                None => lines.push(line.to_owned()),
            }
        }
        for ran in &mut ran {
            // The mark has a line of its own, whatever is before it.
            if ran.output.last().is_some_and(String::is_empty) {
                ran.output.pop();
            }
        }
        ran
    }

    /// The steps as a script. One that serves goes on in the background, once
    /// it has said as many lines as are shown.
    fn script(&self, steps: &[&Step]) -> String {
        let mut script = String::from("exec 2>&1\nip link set lo up\n");
        for (number, step) in steps.iter().enumerate() {
            let command = match example(step) {
                _ if self.is_clone => step.command.clone(),
                Some(example) => example.display().to_string(),
                None if step.is("cargo install") => format!(
                    "install -D '{}' \"$HOME/.cargo/bin/countersign\"",
                    env!("CARGO_BIN_EXE_countersign-under-test")
                ),
                None => step.command.clone(),
            };
            let lines = step.shown.len();
            let log = format!("\"$HOME/server-{number}.log\"");
            if step.serves() {
                writeln!(
                    script,
                    ": >{log}\n{command} >>{log} 2>&1 &\n\
                     until [ \"$(wc -l <{log})\" -ge {lines} ] || ! kill -0 $!; do sleep 0.1; done\n\
                     head -n {lines} {log}; kill -0 $!"
                )
            } else {
                writeln!(script, "{command}")
            }
            .expect("a text takes everything");
            writeln!(script, "printf '\\n{MARK} %d\\n' $?").expect("a text takes everything");
        }
        script
    }

    fn path(&self) -> String {
        // Tools that a check of the whole project installs beside the others.
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ci-tools/node_modules/.bin");
        let cargo = self.home.path().join(".cargo/bin");
        let rust = Path::new(env!("CARGO")).parent().filter(|_| self.is_clone);
        let rust = rust.unwrap_or(Path::new("/nowhere"));
        let (cargo, root, rust) = (cargo.display(), root.display(), rust.display());
        format!("{cargo}:{PATH}:{root}:{rust}")
    }
}

/// The example that a step runs, as it is built with the tests.
fn example(step: &Step) -> Option<PathBuf> {
    let words = "cargo run -p countersign-client --example";
    let name = step.is(words).then(|| step.command[words.len()..].trim())?;
    let server = Path::new(env!("CARGO_BIN_EXE_countersign-under-test"));
    Some(server.with_file_name("examples").join(name))
}
