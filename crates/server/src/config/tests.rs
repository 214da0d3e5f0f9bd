//! What a start of the tests is given, and what it makes of it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

mod combinations;
mod delivery;
mod example;
mod federation;
mod mfa;
mod refusals;
mod sources;
mod token_profiles;
mod traces;
mod writing;

const MASTER_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// What a start is given.
#[derive(Default)]
struct Given {
    sources: Sources,
    directory: Option<TempDir>,
}

impl Given {
    fn file(mut self, text: &str) -> Self {
        let path = self.path("countersign.toml");
        fs::write(&path, text).expect("the file is written");
        self.sources.file = Some(path);
        self
    }

    fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        let pairs = variables.iter().copied();
        self.sources.environment = pairs
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        self
    }

    fn path(&mut self, name: &str) -> PathBuf {
        let directory = self
            .directory
            .get_or_insert_with(|| TempDir::new().expect("a temporary directory"));
        directory.path().join(name)
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.sources)
    }

    fn good(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    fn problems(&self) -> Vec<Problem> {
        match self.load() {
            Err(ConfigError::Settings(problems)) => problems,
            other => panic!("not a list of problems: {other:?}"),
        }
    }

    fn problem(&self) -> String {
        let problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    }
}

/// Compares all that is no secret.
fn assert_same(one: &Config, other: &Config) {
    assert_eq!(format!("{one:#?}"), format!("{other:#?}"));
}

fn given() -> Given {
    Given::default()
}
