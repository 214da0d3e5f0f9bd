//! The rules of the architecture: who may depend on whom, where drivers' errors
//! and statuses end and begin, and that the map names only what is there.

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

/// What only `storage` may know.
const DRIVERS: [&str; 5] = ["sea_orm::", "sqlx::", "redis::", "DbErr", "RedisError"];

/// Ways to make a status.
const STATUS_MAKERS: [&str; 5] = [
    "Status::new(",
    "Status::with_",
    "Status::internal(",
    "Status::unavailable(",
    "Status::invalid_argument(",
];

/// The longest that a use-case may be, in lines.
const LONGEST_USE_CASE: usize = 200;

#[test]
fn drivers_errors_die_in_storage() {
    let others = sources(|path| {
        let is_ours = |name: &str| path.starts_with(root().join("crates").join(name));
        !is_ours("storage") && !is_ours("bench")
    });
    assert!(others.len() > 100, "{} sources are read", others.len());
    for (path, text) in others {
        for driver in DRIVERS {
            assert!(!text.contains(driver), "{} knows {driver}", path.display());
        }
    }
}

#[test]
fn a_status_is_made_in_one_place() {
    let server = root().join("crates/server/src");
    let (mut made, mut read) = (0, 0);
    for (path, text) in sources(|path| path.starts_with(&server)) {
        read += 1;
        let is_the_place = path.starts_with(server.join("status"))
            || path == server.join("status.rs")
            // The services of the transport's own tests.
            || path == server.join("transport/probe.rs");
        for maker in STATUS_MAKERS {
            let (code, _) = text
                .split_once("#[cfg(test)]\nmod tests {")
                .unwrap_or((&text, ""));
            let is_made = code.contains(maker);
            assert!(is_the_place || !is_made, "{} has {maker}", path.display());
            made += usize::from(is_made);
        }
    }
    assert!(read > 50 && made > 0, "{read} sources, {made} makers");
}

#[test]
fn no_use_case_calls_another_or_is_long() {
    let use_cases = root().join("crates/domain/src/use_cases");
    let sources = sources(|path| path.starts_with(&use_cases));
    assert!(sources.len() > 15, "{} use-cases are read", sources.len());
    for (path, text) in sources {
        let place = path.display();
        assert!(!text.contains("crate::use_cases"), "{place} uses another");
        let lines = text.lines().count();
        assert!(lines <= LONGEST_USE_CASE, "{place} has {lines} lines");
    }
}

/// The sources of the crates, generated ones excepted, that are wanted.
fn sources(is_wanted: impl Fn(&Path) -> bool) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root().join("crates")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("it is readable") {
            let path = entry.expect("it is readable").path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() && name != "gen" && name != "tests" && name != "examples" {
                directories.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && is_wanted(&path) {
                let text = std::fs::read_to_string(&path).expect("it is text");
                found.push((path, text));
            }
        }
    }
    found
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
