//! Settings of one origin, to be laid over those of lesser ones.

use std::fs;
use std::path::Path;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::schema::Schema;
use super::{ConfigError, Problem};

/// Settings, and where they come from.
#[derive(Clone)]
pub(super) struct Layer {
    origin: String,
    values: Dict,
}

impl Layer {
    /// One setting.
    pub(super) fn setting(origin: impl Into<String>, key: &str, value: Value) -> Self {
        let (sections, name) = match key.rsplit_once('.') {
            Some((sections, name)) => (sections.split('.').rev().collect(), name),
            None => (Vec::new(), key),
        };
        let alone = Dict::from([(name.to_owned(), value)]);
        let values = sections.into_iter().fold(alone, |inner, section| {
            Dict::from([(section.to_owned(), inner.into())])
        });
        Self {
            origin: origin.into(),
            values,
        }
    }

    /// The settings of a TOML file, and what else is in it.
    pub(super) fn file(path: &Path, schema: &Schema) -> Result<(Self, Vec<Problem>), ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::File {
            path: path.into(),
            source,
        })?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            ConfigError::NotToml {
                path: path.into(),
                line: before.map_or(1, |before| before.matches('\n').count() + 1),
                // The message alone: the line itself may hold a secret.
                reason: error.message().into(),
            }
        })?;
        let mut layer = Self {
            origin: path.display().to_string(),
            values: Value::serialize(&table)
                .ok()
                .and_then(Value::into_dict)
                .unwrap_or_default(),
        };
        let problems = schema.remove_unknown(&mut layer.values);
        let problems = problems
            .into_iter()
            .map(|(key, rule)| Problem::new(&key, rule).from(&layer.origin))
            .collect();
        Ok((layer, problems))
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
