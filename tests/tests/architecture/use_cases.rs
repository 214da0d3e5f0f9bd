//! A use-case never calls another, and is short.

use std::path::Path;

use crate::arrows::Arrows;
use crate::modules::Modules;
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
        arrows += found.pairs().count();
        let forbidden = forbidden(&found);
        assert!(forbidden.is_empty(), "{}", forbidden.join("\n"));
    }
    assert!(arrows > 100, "{arrows} arrows");
}

#[test]
fn another_use_case_is_found_however_it_is_named() {
    for way in [
        "use crate::use_cases::B; fn f() { B::new() }",
        "use super::b::B;",
        "fn f() { super::B::new() }",
        "use super::*; fn f(_: B) {}",
        "use crate::application::Application; fn f() { Application::b() }",
    ] {
        let modules = Modules::of_sources(&[
            (
                "crates/domain/src/lib.rs",
                "mod application; mod use_cases;",
            ),
            (
                "crates/domain/src/application.rs",
                if way.contains("Application") {
                    "pub struct Application(crate::use_cases::B);"
                } else {
                    "pub struct Application;"
                },
            ),
            (
                "crates/domain/src/use_cases.rs",
                "mod a; mod b; pub use b::B;",
            ),
            (
                "crates/domain/src/use_cases/a.rs",
                &format!("mod own; {way}"),
            ),
            (
                "crates/domain/src/use_cases/a/own.rs",
                "use super::super::a;",
            ),
            (
                "crates/domain/src/use_cases/b.rs",
                "mod own; use own::C; pub struct B(C);",
            ),
            ("crates/domain/src/use_cases/b/own.rs", "pub struct C;"),
        ]);
        let found = forbidden(&Arrows::of(&modules));
        assert_eq!(found.len(), 1, "{way}: {found:?}");
        assert!(
            found[0].ends_with("uses crates/domain/src/use_cases/b.rs"),
            "{found:?}"
        );
    }
}

/// The arrows that lead to a use-case from what is not its own.
fn forbidden(arrows: &Arrows) -> Vec<String> {
    let is_forbidden = |(from, to): &(&Path, &Path)| {
        // The world of the domain's own tests does what people do.
        let is_testing = from.starts_with("crates/domain/src/testing");
        use_case(to).is_some_and(|used| !is_testing && use_case(from) != Some(used))
    };
    let told = |(from, to): (&Path, &Path)| format!("{} uses {}", from.display(), to.display());
    arrows.pairs().filter(is_forbidden).map(told).collect()
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

/// Ending all sessions of a user ends the tokens that an old server issued to it, too:
/// `SessionEnding::end_all` does both.
#[test]
fn all_sessions_of_a_user_are_ended_in_one_place() {
    let domain = root().join("crates/domain/src");
    let sources = sources(|path| path.starts_with(&domain));
    let ends = |(_, text): &&(_, String)| text.contains(".revoke_user_sessions(");
    let places = sources.iter().filter(ends).map(|(path, _)| path);
    let testing = domain.join("testing");
    let places: Vec<_> = places.filter(|path| !path.starts_with(&testing)).collect();
    assert_eq!(places, [&domain.join("application/session_ending.rs")]);
}
