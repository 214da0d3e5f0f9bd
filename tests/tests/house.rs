//! The rules of the house: who may depend on whom, and that the map names only
//! what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate may depend on, of the others here: the arrows of the map and
/// what follows from them. `bench` and `tests` may depend on all.
const ARROWS: [(&str, &[&str]); 10] = [
    ("token", &[]),
    ("proto", &[]),
    ("domain", &["token"]),
    ("storage", &["domain", "token"]),
    ("password", &["domain", "token"]),
    ("delivery", &["domain", "token"]),
    ("federation", &["domain", "token"]),
    ("client", &["proto", "token"]),
    ("gateway", &["client"]),
    (
        "server",
        &[
            "token",
            "domain",
            "storage",
            "password",
            "delivery",
            "federation",
            "proto",
            "gateway",
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
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let mut arrows = 0;
    for package in &metadata.packages {
        let name = short(&package.name);
        if matches!(name, "bench" | "tests") {
            continue;
        }
        let may = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no place in the house"));
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
    assert!(arrows >= 10, "the house has {arrows} arrows");
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

#[test]
fn the_map_names_only_what_is_there() {
    let file = root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&file).expect("ARCHITECTURE.md is there");
    let named = named_paths(&text);
    let missing: Vec<_> = named
        .iter()
        .filter(|path| !root().join(path).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md names what is not there: {missing:?}"
    );
    assert!(named.len() >= 10, "only {named:?} are named");
}

/// The texts in backquotes, and the targets of links, that look like paths.
fn named_paths(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let linked = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let is_path = |path: &str| {
        let is_plain = path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b));
        let has_ending = [".md", ".rs", ".toml", ".proto"]
            .iter()
            .any(|e| path.ends_with(e));
        is_plain && (path.contains('/') || has_ending)
    };
    quoted
        .chain(linked)
        .filter(|path| is_path(path))
        .map(str::to_owned)
        .collect()
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

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_path_buf()
}

#[test]
fn paths_are_told_from_other_words() {
    let text = "`crates/token` and `Store`, [this](docs/adr), `token ← client`, `clippy.toml`";
    let expected = ["clippy.toml", "crates/token", "docs/adr"];
    assert_eq!(named_paths(text).into_iter().collect::<Vec<_>>(), expected);
}
