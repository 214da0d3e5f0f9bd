//! The crates of this workspace and their sources, as they lie on the disk.

use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};

use crate::modules::Modules;

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_path_buf()
}

/// The packages of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    metadata.packages
}

/// The libraries and programs of the crates with these names, of all if there
/// are none. Files are named from the root.
pub(crate) fn read_crates(names: &[&str]) -> Vec<Modules> {
    let text_of = |file: &Path| std::fs::read_to_string(root().join(file)).ok();
    let mut read = Vec::new();
    for package in packages() {
        let name = package
            .name
            .strip_prefix("countersign-")
            .unwrap_or(&package.name);
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let built = |target: &&cargo_metadata::Target| target.is_lib() || target.is_bin();
        for target in package.targets.iter().filter(built) {
            let file = target.src_path.as_std_path();
            let file = file.strip_prefix(root()).expect("it is in the workspace");
            read.push(Modules::read(file, &text_of));
        }
    }
    read
}

/// The sources of the crates, generated ones excepted, that are wanted.
pub(crate) fn sources(is_wanted: impl Fn(&Path) -> bool) -> Vec<(PathBuf, String)> {
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
