//! The floor of a storm: threads of idle priority that spin, one for each core,
//! and nothing else. What a call waits beside them is what the system takes to
//! give a core back.

use std::hint::spin_loop;
use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::thread;

use crate::failure::{Context as _, Failure};
use crate::server::Process;
use crate::system;

/// Starts a process whose threads spin until it is dropped.
pub(crate) fn start() -> Result<Process, Failure> {
    let program = std::env::current_exe().context("this program's path")?;
    let child = Command::new("chrt")
        .args(["--idle", "0"])
        .arg(program)
        .arg("floor-spin")
        .stdin(Stdio::piped())
        .spawn()
        .context("chrt, of util-linux")?;
    Ok(Process(child))
}

/// Spins until standard input ends, which it does when the parent goes.
pub(crate) fn spin() -> Result<(), Failure> {
    for _ in 0..system::cores().get() {
        thread::spawn(|| {
            loop {
                spin_loop();
            }
        });
    }
    io::stdin()
        .read_to_end(&mut Vec::new())
        .context("standard input")?;
    Ok(())
}
