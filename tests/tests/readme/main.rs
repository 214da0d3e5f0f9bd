//! The README as a program: each block of commands in it is run, in order, on a
//! machine where nothing is installed yet, and what it shows comes.
//!
//! Building is the one step that is replaced: the program that is built already
//! is put where `cargo install` would put it, and the examples where they are.
//! In the long form nothing is: all is built in a fresh clone.
//!
//! ```text
//! cargo test -p countersign-tests --test readme -- --ignored
//! ```

mod blocks;
mod machine;
mod template;

use std::fs;
use std::path::Path;

use blocks::{Block, Step};
use machine::{Machine, Ran};

/// Blocks that are not run, by a command in them, and why.
const EXCEPTED: [(&str, &str); 4] = [
    ("cargo test --workspace", "this test is a part of it"),
    (
        "countersign caller remove-key",
        "a key has another id each time",
    ),
    ("envoy", "tests/python/envoy_authz.py runs it"),
    (
        "git pull",
        "a release that is later than this one is not there yet",
    ),
];

#[test]
fn each_block_of_the_readme_does_what_it_shows() {
    if let Some(machine) = Machine::new() {
        follow(machine);
    }
}

#[test]
#[ignore = "it builds a release: half an hour on two cores"]
fn each_block_of_the_readme_does_what_it_shows_in_a_fresh_clone() {
    if let Some(machine) = Machine::with_a_clone() {
        follow(machine);
    }
}

fn follow(mut machine: Machine) {
    let blocks = blocks::read(&readme());
    assert!(blocks.len() >= 8, "only {} blocks", blocks.len());
    let mut to_run = Vec::new();
    for block in &blocks {
        match reason_not_to_run(block, &machine) {
            None => to_run.push(block),
            Some(reason) => countersign_tests::say!("README.md:{}: {reason}", block.line),
        }
    }
    let steps: Vec<&Step> = to_run.iter().flat_map(|block| &block.steps).collect();
    let ran = machine.run(&steps);
    let wrong: Vec<String> = steps
        .iter()
        .zip(&ran)
        .filter_map(|(step, ran)| wrong(step, ran))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(
        ran.len(),
        steps.len(),
        "{:?} did not end",
        steps[ran.len() - 1]
    );
    countersign_tests::say!(
        "README.md: {} of {} blocks run, {} commands",
        to_run.len(),
        blocks.len(),
        steps.len()
    );
}

#[test]
fn each_exception_is_in_the_readme() {
    let blocks = blocks::read(&readme());
    for (command, _) in EXCEPTED {
        let is_there = |block: &Block| block.steps.iter().any(|step| step.is(command));
        assert!(blocks.iter().any(is_there), "{command}");
    }
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    fs::read_to_string(path).expect("it is there")
}

/// Why a block is not run. What it needs and is not there fails in CI.
fn reason_not_to_run(block: &Block, machine: &Machine) -> Option<String> {
    let excepted = EXCEPTED
        .iter()
        .find(|(command, _)| block.steps.iter().any(|step| step.is(command)));
    if let Some((command, reason)) = excepted {
        return Some(format!("not run: {command}: {reason}"));
    }
    let missing = block.steps.iter().find_map(|step| machine.missing(step))?;
    countersign_tests::missing(&format!("{missing} is not there, which README.md needs"));
    Some(format!("skipped: {missing} is not there"))
}

/// What is wrong with a step that was run.
fn wrong(step: &Step, ran: &Ran) -> Option<String> {
    let told = |what: String| Some(format!("README.md:{}: {what}", step.line));
    let output = ran.output.join("\n");
    if ran.code != 0 {
        return told(format!(
            "$ {} exits with {}:\n{output}",
            step.command, ran.code
        ));
    }
    let difference = template::difference(&step.shown, &ran.output)?;
    told(format!(
        "$ {}: {difference}; it said:\n{output}",
        step.command
    ))
}
