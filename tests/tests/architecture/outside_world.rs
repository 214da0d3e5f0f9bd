//! Time, randomness and the environment come in through ports and the config:
//! clippy refuses the ambient ones, and what is excepted from that stands here.

use std::collections::BTreeSet;

use cargo_metadata::DependencyKind;

use crate::workspace::{packages, root, sources};

/// What clippy must refuse.
const AMBIENT: [&str; 10] = [
    "aws_lc_rs::rand::SystemRandom::new",
    "aws_lc_rs::rand::fill",
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::env::vars_os",
    "std::time::Instant::now",
    "std::time::SystemTime::elapsed",
    "std::time::SystemTime::now",
    "tokio::time::Instant::now",
];

/// The sources that may use some of it all the same; each says why.
const EXCEPTED: [&str; 11] = [
    // The ports' own adapters, and the configuration.
    "crates/server/src/config/environment.rs",
    "crates/server/src/system.rs",
    "crates/client/src/clock.rs",
    // The crypto library's own generator, for keys and signatures.
    "crates/token/src/private_key.rs",
    // A number that forms repeat, of a crate that knows no ports.
    "crates/gateway/src/pages/csrf.rs",
    // Spans of this process: timers, time-outs and measurements.
    "crates/bench/src/system.rs",
    "crates/client/src/deadline.rs",
    "crates/password/src/worker.rs",
    "crates/server/src/grpc/call.rs",
    "crates/transport/src/timers.rs",
    "crates/storage/src/database/monotonic.rs",
];

/// Crates that tell the time or make random numbers without being asked for.
const CLOCKS_AND_GENERATORS: [&str; 6] =
    ["chrono", "fastrand", "getrandom", "jiff", "rand", "time"];

#[test]
fn clippy_refuses_what_is_ambient() {
    for (file, excepted) in [
        ("clippy.toml", &[][..]),
        ("tests/clippy.toml", &["tokio::time::Instant::now"][..]),
    ] {
        let text = std::fs::read_to_string(root().join(file)).expect("it is there");
        let lists: toml::Table = toml::from_str(&text).expect("TOML");
        let methods = lists["disallowed-methods"].as_array().expect("a list");
        let refused: BTreeSet<_> = methods
            .iter()
            .filter_map(|method| method["path"].as_str())
            .collect();
        let wanted: BTreeSet<_> = AMBIENT
            .into_iter()
            .filter(|path| !excepted.contains(path))
            .collect();
        assert_eq!(refused, wanted, "{file}");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for package in packages() {
        let text = std::fs::read_to_string(&package.manifest_path).expect("it is there");
        let manifest: toml::Table = toml::from_str(&text).expect("TOML");
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        let takes_them = lints.and_then(toml::Value::as_bool);
        assert_eq!(takes_them, Some(true), "{}", package.name);
    }
}

#[test]
fn exceptions_stand_in_the_list() {
    let excepted: BTreeSet<_> = sources(|_| true)
        .into_iter()
        .filter(|(_, text)| {
            let code = text.split("#[cfg(test)]\nmod tests {").next();
            code.is_some_and(|code| code.contains("disallowed_methods"))
        })
        .map(|(path, _)| {
            let path = path.strip_prefix(root()).expect("it is in the workspace");
            path.display().to_string()
        })
        .collect();
    let listed = EXCEPTED.map(str::to_owned).into();
    assert_eq!(excepted, listed);
}

#[test]
fn no_crate_brings_a_clock_or_a_generator_of_its_own() {
    let mut seen = 0;
    for package in packages() {
        for dependency in &package.dependencies {
            seen += 1;
            let is_built_in = dependency.kind == DependencyKind::Normal;
            let name = dependency.name.as_str();
            assert!(
                !is_built_in || !CLOCKS_AND_GENERATORS.contains(&name),
                "{} depends on {name}",
                package.name
            );
        }
    }
    assert!(seen > 50, "{seen} dependencies are seen");
}
