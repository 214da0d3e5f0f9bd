//! The blocks of commands in a document, and what it shows of their output.

/// A block of commands.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its first line in the document, from 1.
    pub(crate) line: usize,
    pub(crate) steps: Vec<Step>,
}

/// A command, and the lines that are shown below it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) shown: Vec<String>,
}

impl Step {
    /// Whether the command begins with these words.
    pub(crate) fn is(&self, words: &str) -> bool {
        let rest = self.command.strip_prefix(words);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    }

    /// Whether the command serves, and so does not end.
    pub(crate) fn serves(&self) -> bool {
        self.command == "countersign"
    }
}

/// The blocks of a document that are marked as `console`.
pub(crate) fn read(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for (index, text) in document.lines().enumerate() {
        let line = index + 1;
        if !is_inside {
            is_inside = text == "```console";
            if is_inside {
                blocks.push(Block {
                    line,
                    steps: Vec::new(),
                });
            }
            continue;
        }
        if text == "```" {
            is_inside = false;
            continue;
        }
        let steps = &mut blocks.last_mut().expect("a block has begun").steps;
        match (text.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step {
                line,
                command: command.split("  #").next().unwrap_or(command).trim().into(),
                shown: Vec::new(),
            }),
            (None, Some(step)) if step.command.ends_with('\\') => {
                step.command = format!("{}\n{text}", step.command);
            }
            (None, Some(step)) => step.shown.push(text.into()),
            (None, None) => panic!("line {line} is before any command"),
        }
    }
    assert!(!is_inside, "the last block does not end");
    blocks
}

#[test]
fn commands_are_told_from_what_they_show() {
    let blocks =
        read("a\n```console\n$ one \\\n    two  # why\nout\n$ three\n```\n```toml\n$ x\n```\n");
    assert_eq!(blocks.len(), 1);
    let [one, three] = &blocks[0].steps[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!(one.command, "one \\\n    two  # why");
    assert_eq!((&one.shown[..], one.line), (&["out".to_owned()][..], 3));
    assert!(three.is("three") && !three.is("thr") && three.shown.is_empty());
}
