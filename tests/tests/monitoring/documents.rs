//! Reading what `docs/metrics.md` and the files of `deploy/` say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The prefixes of the names of metrics.
const PREFIXES: [&str; 3] = ["countersign_", "grpc_server_", "process_"];
/// What the series of a histogram are called beside its name.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// A row of the table in `docs/metrics.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) labels: BTreeSet<String>,
    /// When it is there; always, if this is empty.
    pub(crate) appears: String,
    pub(crate) help: String,
}

/// A file of the project.
pub(crate) fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

pub(crate) fn text(path: &str) -> String {
    let text = fs::read_to_string(self::path(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The metrics that the document lists.
pub(crate) fn documented() -> BTreeMap<String, Row> {
    let document = text("docs/metrics.md");
    let rows = document.lines().filter_map(|line| {
        let cells = line.strip_prefix("| `")?.strip_suffix(" |")?;
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        let [name, kind, labels, appears, help] = cells[..] else {
            panic!("not five cells: {line}");
        };
        let labels = labels.split(", ").filter(|label| !label.is_empty());
        let row = Row {
            kind: kind.into(),
            labels: labels.map(|label| label.trim_matches('`').into()).collect(),
            appears: appears.into(),
            help: help.into(),
        };
        Some((name.trim_end_matches('`').to_owned(), row))
    });
    rows.collect()
}

/// The metrics that a text names, histograms by their own name.
pub(crate) fn named(text: &str) -> BTreeSet<String> {
    let known = documented();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_metric = |word: &&str| PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    let family = |word: &str| {
        let mut bases = SUFFIXES
            .iter()
            .filter_map(|suffix| word.strip_suffix(suffix));
        let is_histogram =
            |base: &&str| known.get(*base).is_some_and(|row| row.kind == "histogram");
        bases.find(is_histogram).unwrap_or(word).to_owned()
    };
    words.filter(is_metric).map(family).collect()
}
