//! No files use each other in a circle.

use std::collections::BTreeSet;

use crate::arrows::Arrows;
use crate::modules::Modules;
use crate::workspace::read_crates;

/// The least that a whole reading sees, somewhat below what there is.
const FILES: usize = 300;
const ARROWS: usize = 900;

#[test]
fn no_files_use_each_other_in_a_circle() {
    let (mut files, mut arrows, mut circles) = (BTreeSet::new(), 0, Vec::new());
    for modules in read_crates(&[]) {
        files.extend(modules.0.iter().map(|module| module.file.clone()));
        let found = Arrows::of(&modules);
        arrows += found.pairs().count();
        circles.extend(
            found
                .circles()
                .into_iter()
                .map(|circle| circle.arrows.join("\n")),
        );
    }
    let files = files.len();
    println!("{files} files, {arrows} arrows, {} circles", circles.len());
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n\n"));
    assert!(
        files >= FILES && arrows >= ARROWS,
        "{files} files, {arrows} arrows"
    );
}

#[test]
fn two_files_that_use_each_other_are_a_circle() {
    let circles = circles(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "use super::{a::{self}, c::C}; pub struct B(C); fn f() { a::A::default(); }",
        ),
        ("c.rs", "pub struct C;"),
    ]);
    assert_eq!(circles, ["a.rs b.rs"]);
}

#[test]
fn three_files_are_a_circle() {
    let circles = circles(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b; pub fn a() { b::b() }"),
        ("b/mod.rs", "mod d; pub fn b() { vec![(1, d::d())]; } "),
        ("b/d.rs", "pub fn d() { super::super::c::C::new() }"),
        (
            "c.rs",
            "pub struct C; impl C { pub fn new() { self::super::a::a() } }",
        ),
    ]);
    assert_eq!(circles, ["a.rs b/d.rs b/mod.rs c.rs"]);
    let circles = circles_of_three("use crate::a::A;");
    assert_eq!(circles, ["a.rs b.rs c.rs"]);
    assert!(circles_of_three("").is_empty());
}

fn circles_of_three(closing: &str) -> Vec<String> {
    circles(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub struct A(crate::b::B);"),
        ("b.rs", "pub enum B { C(crate::c::C) }"),
        ("c.rs", &format!("{closing} pub struct C;")),
    ])
}

#[test]
fn a_root_that_lists_is_in_no_circle() {
    let circles = circles(&[
        (
            "lib.rs",
            "mod model; pub use model::Email; use model::text as t;",
        ),
        (
            "model.rs",
            "mod email; mod text; pub use email::Email; pub(crate) use text::*;",
        ),
        (
            "model/email.rs",
            "use super::Text; use crate::model::fold; pub struct Email(Text);",
        ),
        ("model/text.rs", "pub struct Text; pub fn fold() {}"),
    ]);
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn re_exports_hide_no_circle() {
    let circles = circles(&[
        ("lib.rs", "mod model;"),
        (
            "model.rs",
            "mod email; mod text; pub use email::Email; pub use text::*;",
        ),
        (
            "model/email.rs",
            "use crate::model::*; pub struct Email(Text);",
        ),
        (
            "model/text.rs",
            "use super::Email as E; pub struct Text; impl Text { fn of(_: E) {} }",
        ),
    ]);
    assert_eq!(circles, ["model/email.rs model/text.rs"]);
}

#[test]
fn a_parent_and_a_child_that_use_each_other_are_a_circle() {
    let child = "use super::Parent; pub fn child(_: Parent) {}";
    for (parent, expected) in [
        (
            "mod child; pub use child::child; pub struct Parent;",
            &[][..],
        ),
        (
            "mod child; pub use child::child; pub struct Parent; fn f() { child(Parent) }",
            &["lib.rs child.rs"][..],
        ),
        (
            "mod child; pub struct Parent; fn f() { self::child::child(Parent) }",
            &["lib.rs child.rs"][..],
        ),
    ] {
        let found = circles(&[("lib.rs", parent), ("child.rs", child)]);
        let expected: Vec<_> = expected.iter().map(|files| sorted(files)).collect();
        assert_eq!(found, expected, "{parent}");
    }
}

#[test]
fn what_serde_is_told_in_texts_is_seen() {
    let circles = circles(&[
        ("lib.rs", "mod a; mod seconds;"),
        (
            "a.rs",
            "use crate::seconds; pub struct A { #[serde(with = \"seconds\")] b: u8, #[serde(default = \"seconds::one\")] c: u8 }",
        ),
        ("seconds.rs", "pub fn one() -> crate::a::A { todo!() }"),
    ]);
    assert_eq!(circles, ["a.rs seconds.rs"]);
}

#[test]
fn tests_and_modules_inside_a_file_make_no_circle() {
    let circles = circles(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        (
            "a.rs",
            "mod inner { use super::A; pub fn f(_: A) {} } pub struct A; fn g() { inner::f(A) }",
        ),
        (
            "b.rs",
            "pub struct B(crate::a::A); #[cfg(test)] mod tests { use super::*; }",
        ),
    ]);
    assert!(circles.is_empty(), "{circles:?}");
}

/// The circles in made-up sources, each as the names of its files.
fn circles(sources: &[(&str, &str)]) -> Vec<String> {
    let modules = Modules::of_sources(sources);
    let circles = Arrows::of(&modules).circles();
    let named = circles.iter().map(|circle| {
        assert!(
            circle.arrows.len() >= circle.files.len(),
            "{:?}",
            circle.arrows
        );
        let files = circle.files.iter().map(|file| file.display().to_string());
        files.collect::<Vec<_>>().join(" ")
    });
    named.collect()
}

fn sorted(files: &str) -> String {
    let mut files: Vec<_> = files.split(' ').collect();
    files.sort_unstable();
    files.join(" ")
}
