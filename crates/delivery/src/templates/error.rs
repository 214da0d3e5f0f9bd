//! What is wrong with a text.

/// Behind the name of a file whose text is the one that is built in.
pub(super) const BUILT_IN: &str = " (built in)";

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file in it cannot be read.
    #[error("{0}: {1}")]
    Unreadable(String, String),
    /// A file has a name of no template.
    #[error("{0} is no template: their names are such as {1}")]
    Unknown(String, &'static str),
    /// A line of a template is wrong.
    #[error("{file}, line {line}: {rule}")]
    Line {
        /// The file, or the name of what is built in.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What would be right.
        rule: String,
    },
}

impl TemplateError {
    /// Whether it is of a text that is built in.
    pub(super) fn is_built_in(&self) -> bool {
        matches!(self, Self::Line { file, .. } if file.ends_with(BUILT_IN))
    }
}
