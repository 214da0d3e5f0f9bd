//! A project outside the workspace, `tests/external`, builds against the client
//! as its documentation says, and its tests pass.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn a_project_outside_the_workspace_builds_with_the_client_and_passes_its_tests() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = tests.join("external");
    // What this workspace was built of is on the disk: nothing is downloaded,
    // and most of it is not built again.
    fs::copy(tests.join("../Cargo.lock"), project.join("Cargo.lock")).expect("a lock file");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--target-dir"])
        .arg(target.expect("the target directory"))
        .current_dir(&project)
        .output()
        .expect("cargo runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("test result: ok. 4 passed"), "{stdout}");
    assert!(!stderr.contains("warning"), "{stderr}");
}
