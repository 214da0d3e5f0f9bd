//! The documents name only what is there.

use std::collections::BTreeSet;

use crate::workspace::root;

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

#[test]
fn paths_are_told_from_other_words() {
    let text = "`crates/token` and `Store`, [this](docs/adr), `token ← client`, `clippy.toml`";
    let expected = ["clippy.toml", "crates/token", "docs/adr"];
    assert_eq!(named_paths(text).into_iter().collect::<Vec<_>>(), expected);
}
