//! The Rust that the client asks for is what its dependencies ask for, as the
//! lock file has them: no less, or they would not build, and no more, or it
//! would keep services from using it without need.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::semver::Version;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

const CLIENT: &str = "countersign-client";

/// The first Rust that knows the edition of this workspace.
const EDITION: Version = Version::new(1, 85, 0);

#[test]
fn the_rust_version_is_the_greatest_of_the_dependencies() {
    let metadata = metadata();
    let client = metadata.packages.iter().find(|p| p.name == CLIENT);
    let client = client.expect("the client");
    let own = client.rust_version.clone().expect("a rust-version");
    let below = below(&metadata, &client.id);
    assert!(below.len() > 50, "{} dependencies are seen", below.len());
    for name in ["axum", "countersign-proto", "countersign-token", "tonic"] {
        assert!(below.iter().any(|p| p.name == name), "{name} is not seen");
    }
    let asks_for_more = |package: &&&Package| package.rust_version.as_ref() > Some(&own);
    let too_new: Vec<_> = below
        .iter()
        .filter(asks_for_more)
        .map(|p| &p.name)
        .collect();
    assert!(too_new.is_empty(), "{own} is not enough for {too_new:?}");
    let is_foreign = |package: &&&Package| package.source.is_some();
    let needed = below
        .iter()
        .filter(is_foreign)
        .filter_map(|p| p.rust_version.clone())
        .chain([EDITION])
        .max();
    assert_eq!(needed, Some(own), "{CLIENT} could ask for less");
}

/// The packages that the client is built of, with all its features, on this
/// platform: what others need is not on this disk.
fn below<'a>(metadata: &'a Metadata, client: &PackageId) -> Vec<&'a Package> {
    let resolve = metadata.resolve.as_ref().expect("a lock file");
    let mut found = BTreeSet::new();
    let mut next = vec![client];
    while let Some(id) = next.pop() {
        let node = resolve.nodes.iter().find(|node| node.id == *id);
        for dependency in &node.expect("it is resolved").deps {
            let is_built_in =
                |kind: &cargo_metadata::DepKindInfo| kind.kind != DependencyKind::Development;
            if dependency.dep_kinds.iter().any(is_built_in) && found.insert(&dependency.pkg) {
                next.push(&dependency.pkg);
            }
        }
    }
    found.into_iter().map(|id| &metadata[id]).collect()
}

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let options = ["--offline", "--locked", "--filter-platform", "host-tuple"];
    MetadataCommand::new()
        .cargo_path(env!("CARGO"))
        .manifest_path(manifest)
        .other_options(options.map(str::to_owned))
        .exec()
        .expect("cargo metadata")
}
