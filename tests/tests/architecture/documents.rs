//! The documents name only what is there, and the promises all suites that show
//! one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::workspace::root;

/// Each document, and how many paths it names at least.
const DOCUMENTS: [(&str, usize); 10] = [
    ("ARCHITECTURE.md", 10),
    ("CONTRIBUTING.md", 5),
    ("README.md", 5),
    ("docs/backup.md", 0),
    ("docs/configuration.md", 2),
    ("docs/federation.md", 5),
    ("docs/guarantees.md", 1),
    ("docs/messages.md", 2),
    ("docs/metrics.md", 4),
    ("docs/migrating/serverkit.md", 1),
];

#[test]
fn documents_name_only_what_is_there() {
    for (document, at_least) in DOCUMENTS {
        let named = named_paths(document, &read(document));
        let missing: Vec<_> = named
            .iter()
            .filter(|path| !root().join(path).exists())
            .collect();
        assert!(
            missing.is_empty(),
            "{document} names what is not there: {missing:?}"
        );
        assert!(named.len() >= at_least, "{document} names only {named:?}");
    }
}

#[test]
fn each_suite_of_a_guarantee_stands_with_its_promise() {
    let named = named_suites(&read("docs/guarantees.md"));
    let entries = std::fs::read_dir(root().join("tests/tests")).expect("it is readable");
    let suites: BTreeSet<String> = entries
        .filter_map(|entry| {
            let path = entry.expect("it is readable").path();
            Some(path.file_stem()?.to_str()?.to_owned())
        })
        .collect();
    let missing: Vec<_> = named.difference(&suites).collect();
    assert!(missing.is_empty(), "there is no suite {missing:?}");
    let is_of_a_guarantee = |suite: &&String| suite.starts_with("guarantee_");
    let shown: BTreeSet<_> = suites.iter().filter(is_of_a_guarantee).collect();
    let unnamed: Vec<_> = shown
        .iter()
        .filter(|suite| !named.contains(**suite))
        .collect();
    assert!(unnamed.is_empty(), "no promise names {unnamed:?}");
    assert!(shown.len() > 10, "{shown:?}");
}

/// The texts in backquotes, and the targets of links, that look like paths, from
/// the root. Links start where the document is.
fn named_paths(document: &str, text: &str) -> BTreeSet<PathBuf> {
    let linked = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next());
    let directory = Path::new(document).parent().unwrap_or(Path::new(""));
    let is_path = |path: &&str| {
        let is_plain = path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b));
        let has_ending = [".md", ".rs", ".toml", ".proto"]
            .iter()
            .any(|e| path.ends_with(e));
        // Others begin at the root of a machine, or of a server.
        let is_ours = !path.starts_with('/');
        is_plain && is_ours && (path.contains('/') || has_ending)
    };
    let quoted = quoted(text).filter(is_path).map(PathBuf::from);
    let linked = linked.filter(is_path).map(|path| directory.join(path));
    quoted.chain(linked).collect()
}

/// The texts in backquotes that are the names of suites: no other of small
/// letters, digits and underscores stands in the promises.
fn named_suites(text: &str) -> BTreeSet<String> {
    let is_name = |text: &&str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    quoted(text).filter(is_name).map(str::to_owned).collect()
}

/// The texts in backquotes. That of a link is left out, for its target counts.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<_> = text.split('`').collect();
    let is_of_a_link = |around: &[&str]| around[0].ends_with('[') && around[2].starts_with("](");
    let quoted: Vec<_> = parts
        .windows(3)
        .step_by(2)
        .filter(|around| !is_of_a_link(around))
        .map(|around| around[1])
        .collect();
    quoted.into_iter()
}

fn read(document: &str) -> String {
    let file = root().join(document);
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{document}: {error}"))
}

#[test]
fn paths_are_told_from_other_words() {
    let text = "`crates/token` and `Store`, [this](docs/adr), `token ← client`, `clippy.toml`\n\
                ```console\n$ ls a/b\n```\n[that](https://a.b/c) [`f.rs`](d/f.rs) `d/e.rs`";
    let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
    assert_eq!(
        named_paths("A.md", text),
        paths(&[
            "clippy.toml",
            "crates/token",
            "d/e.rs",
            "d/f.rs",
            "docs/adr"
        ])
    );
    assert_eq!(
        named_paths("docs/a.md", "[b](../crates/b.rs#part)"),
        paths(&["docs/../crates/b.rs"])
    );
    let suites = named_suites("`a_b` `A` `c.d`\n```console\nx\n``` `e2`");
    assert_eq!(suites, ["a_b", "e2"].map(str::to_owned).into());
}
