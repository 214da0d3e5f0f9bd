//! Where drivers' errors end, and where statuses begin.

use crate::modules::Names;
use crate::workspace::{read_crates, root, sources};

/// What only the crates may know that read databases.
const DRIVERS: [&str; 5] = ["sea_orm::", "sqlx::", "redis::", "DbErr", "RedisError"];

/// What can be asked of a status. Everything else that it is called for by its
/// type's name makes one.
const QUESTIONS: [&str; 8] = [
    "add_header",
    "code",
    "details",
    "into_http",
    "message",
    "metadata",
    "metadata_mut",
    "source",
];

/// Where the server makes statuses.
const MAKERS: [&str; 2] = ["crates/server/src/status.rs", "crates/server/src/status/"];

#[test]
fn drivers_errors_die_in_storage() {
    let others = sources(|path| {
        let is_ours = |name: &str| path.starts_with(root().join("crates").join(name));
        !["storage", "legacy", "bench"].into_iter().any(is_ours)
    });
    assert!(others.len() > 100, "{} sources are read", others.len());
    for (path, text) in others {
        for driver in DRIVERS {
            assert!(!text.contains(driver), "{} knows {driver}", path.display());
        }
    }
}

#[test]
fn the_server_makes_statuses_in_one_place() {
    let (mut read, mut made) = (0, 0);
    for modules in read_crates(&["server"]) {
        for module in &modules.0 {
            read += 1;
            let file = module.file.to_str().expect("UTF-8");
            let is_the_place = MAKERS.iter().any(|place| file.starts_with(place));
            for import in &module.imports {
                let is_status = import.path.ends_with(&["tonic".into(), "Status".into()]);
                let name = import.name.as_deref();
                assert!(!is_status || name == Some("Status"), "{file} renames it");
            }
            for path in module.paths.iter().filter(|path| makes_a_status(path)) {
                made += 1;
                assert!(is_the_place, "{file} has {}", path.join("::"));
            }
        }
    }
    assert!(
        read > 50 && made > 0,
        "{read} modules, {made} statuses made"
    );
}

/// Whether a path calls a constructor of `Status`: of those that there are, and
/// of those to come.
fn makes_a_status(path: &Names) -> bool {
    let [.., of, name] = path.as_slice() else {
        return false;
    };
    let is_function = name.starts_with(|c: char| c.is_ascii_lowercase());
    of == "Status" && is_function && !QUESTIONS.contains(&name.as_str())
}

#[test]
fn constructors_of_statuses_are_told_from_questions() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Names>();
    for made in [
        "Status::internal",
        "tonic::Status::resource_exhausted",
        "Status::from",
    ] {
        assert!(makes_a_status(&path(made)), "{made}");
    }
    for asked in [
        "Status::code",
        "HealthStatus::new",
        "Status::GRPC_STATUS",
        "Status",
    ] {
        assert!(!makes_a_status(&path(asked)), "{asked}");
    }
}
