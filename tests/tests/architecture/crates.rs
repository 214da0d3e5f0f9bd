//! Who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::DependencyKind;

use crate::workspace::{packages, root};

/// What each crate may depend on, of the others here: the arrows of the map and
/// what follows from them. `bench` and `tests` may depend on all.
const ARROWS: [(&str, &[&str]); 12] = [
    ("token", &[]),
    ("proto", &[]),
    ("domain", &["token"]),
    ("storage", &["domain", "token"]),
    ("password", &["domain", "token"]),
    ("delivery", &["domain", "token"]),
    ("legacy", &["domain"]),
    ("federation", &["domain", "token"]),
    ("client", &["proto", "token"]),
    ("transport", &[]),
    ("gateway", &["client", "transport"]),
    (
        "server",
        &[
            "token",
            "domain",
            "storage",
            "password",
            "delivery",
            "legacy",
            "federation",
            "proto",
            "gateway",
            "transport",
        ],
    ),
];

/// What does I/O has no place below the domain.
const NOT_BELOW_THE_DOMAIN: [&str; 10] = [
    "axum",
    "deadpool-redis",
    "hyper",
    "redis",
    "reqwest",
    "sea-orm",
    "sqlx",
    "tokio",
    "tonic",
    "tonic-prost",
];

#[test]
fn arrows_run_one_way() {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let mut arrows = 0;
    for package in &packages() {
        let name = short(&package.name);
        if matches!(name, "bench" | "tests") {
            continue;
        }
        let may = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in the list of crates"));
        for dependency in &package.dependencies {
            let Some(on) = dependency.name.strip_prefix("countersign-") else {
                continue;
            };
            // A crate's own tests use it with its testing feature.
            if on == name && dependency.kind == DependencyKind::Development {
                continue;
            }
            assert!(may.contains(&on), "{name} depends on {on}");
            arrows += 1;
        }
    }
    assert!(arrows >= 10, "{arrows} arrows are seen");
}

#[test]
fn the_domain_does_no_io() {
    for package in ["countersign-domain", "countersign-token"] {
        let below = below(package);
        assert!(below.contains("aws-lc-rs"), "cargo tree lists {below:?}");
        for unwanted in NOT_BELOW_THE_DOMAIN {
            assert!(!below.contains(unwanted), "{package} depends on {unwanted}");
        }
    }
}

#[test]
fn there_is_one_tls_library() {
    let below = below("countersign-server");
    assert!(
        below.contains("rustls") && below.contains("aws-lc-rs"),
        "{below:?}"
    );
    for unwanted in ["ring", "openssl", "openssl-sys", "native-tls"] {
        assert!(
            !below.contains(unwanted),
            "the server depends on {unwanted}"
        );
    }
}

/// The packages that a package needs to be built and run.
fn below(package: &str) -> BTreeSet<String> {
    let cargo = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(
        cargo.status.success(),
        "{}",
        String::from_utf8_lossy(&cargo.stderr)
    );
    let lines = String::from_utf8(cargo.stdout).expect("UTF-8");
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

fn short(package: &str) -> &str {
    package.strip_prefix("countersign-").unwrap_or(package)
}
