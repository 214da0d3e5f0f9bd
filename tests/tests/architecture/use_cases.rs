//! A use-case never calls another, and is short.

use std::path::Path;

use crate::arrows::Arrows;
use crate::workspace::{read_crates, root, sources};

/// Where the use-cases are.
const USE_CASES: &str = "crates/domain/src/use_cases";

/// The longest that a use-case may be, in lines.
const LONGEST: usize = 200;

#[test]
fn no_use_case_uses_another_or_is_used_by_what_use_cases_share() {
    let mut arrows = 0;
    for modules in read_crates(&["domain"]) {
        let found = Arrows::of(&modules);
        for (from, to) in found.pairs() {
            arrows += 1;
            let Some(used) = use_case(to) else { continue };
            // The world of the domain's own tests does what people do.
            let is_testing = from.starts_with("crates/domain/src/testing");
            assert!(
                is_testing || use_case(from) == Some(used),
                "{} uses {}",
                from.display(),
                to.display()
            );
        }
    }
    assert!(arrows > 100, "{arrows} arrows");
}

/// The name of the use-case that a file belongs to: the files in a folder of
/// its name are its own.
fn use_case(file: &Path) -> Option<&str> {
    let inside = file.strip_prefix(USE_CASES).ok()?;
    let first = Path::new(inside.components().next()?.as_os_str());
    first.file_stem()?.to_str()
}

#[test]
fn use_cases_are_short_and_execute_none() {
    let sources = sources(|path| path.starts_with(root().join(USE_CASES)));
    assert!(sources.len() > 15, "{} use-cases are read", sources.len());
    for (path, text) in sources {
        let place = path.display();
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{place} has {lines} lines");
        // Two in one file could call each other unseen by the arrows.
        assert!(!text.contains(".execute(app)"), "{place} executes another");
    }
}
