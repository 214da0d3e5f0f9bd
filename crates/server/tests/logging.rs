//! Logs as another program reads them: one JSON object a line, panics included.

use std::process::Command;

use countersign_server::config::{LogConfig, LogFilter, LogFormat};
use countersign_server::logging;
use serde_json::Value;

/// Logs a line and panics, in a process of its own.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_program_that_logs_and_panics() {
    let config = LogConfig {
        format: LogFormat::Json,
        filter: LogFilter::parse("warn").expect("a filter"),
    };
    logging::start(&config).expect("logging starts");
    tracing::info!("unimportant");
    tracing::warn!(answer = 42, "important");
    let thread = std::thread::Builder::new().name("worker".into());
    let thread = thread
        .spawn(|| panic!("no more {}", "hands"))
        .expect("a thread");
    assert!(thread.join().is_err());
}

#[test]
fn a_panic_is_a_line_of_the_log() {
    let this = std::env::current_exe().expect("the path of this program");
    let output = Command::new(this)
        .args([
            "--exact",
            "a_program_that_logs_and_panics",
            "--ignored",
            "--nocapture",
        ])
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let errors = String::from_utf8(output.stderr).expect("text");
    let lines: Vec<Value> = errors
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert_eq!(lines[0]["message"], "important");
    assert_eq!(lines[0]["answer"], 42);
    assert_eq!(lines[1]["level"], "ERROR");
    assert_eq!(lines[1]["message"], "panic: no more hands");
    assert_eq!(lines[1]["thread"], "worker");
    let place = lines[1]["place"].as_str().expect("a place");
    assert!(place.contains("logging.rs:"), "{place}");
}
