//! Why there is no configuration to start with: every mistake, where it was
//! made, and what would be right.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// There is no good configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("the configuration file {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The configuration file is not TOML.
    #[error("the configuration file {} is not TOML: line {line}: {reason}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Settings are wrong: all of them.
    #[error("the configuration is wrong:{}", list(.0))]
    Settings(Vec<Problem>),
}

/// A setting and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key of the setting, `server.listen`, or the environment variable.
    pub setting: String,
    /// Its value as it would stand in the file, unless that is secret.
    pub value: Option<String>,
    /// Where it was set.
    pub origin: Option<String>,
    /// What would be right.
    pub rule: String,
}

impl Problem {
    pub(super) fn new(setting: &str, rule: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            value: None,
            origin: None,
            rule: rule.into(),
        }
    }

    pub(super) fn from(self, origin: &str) -> Self {
        Self {
            origin: Some(origin.into()),
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.setting)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        write!(f, " {}", self.rule)
    }
}

fn list(problems: &[Problem]) -> String {
    match problems {
        [problem] => format!(" {problem}"),
        _ => problems
            .iter()
            .map(|problem| format!("\n  {problem}"))
            .collect(),
    }
}
