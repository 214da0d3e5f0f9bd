//! The environment variables that concern Countersign. This is the only place
//! that reads them from the process; tests make their own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;

use super::layer::Layer;
use super::schema::Schema;
use super::{MASK, Problem};

/// Before the names of variables that are settings:
/// `COUNTERSIGN__SERVER__LISTEN` is `server.listen`.
const SETTINGS: &str = "COUNTERSIGN__";

/// The variables whose names begin with `COUNTERSIGN_`.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the environment comes in"
    )]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(name).map(OsString::as_os_str);
        value.filter(|value| !value.is_empty())
    }

    /// The settings among the variables, and what is wrong with the others.
    pub(super) fn layers(&self, schema: &Schema) -> (Vec<Layer>, Vec<Problem>) {
        let mut layers = Vec::new();
        let mut problems = Vec::new();
        for (variable, value) in &self.variables {
            let Some(name) = variable.strip_prefix(SETTINGS) else {
                continue;
            };
            match self.layer(schema, variable, name, value) {
                Ok(layer) => layers.push(layer),
                Err(rule) => problems.push(Problem::new(variable, rule)),
            }
        }
        (layers, problems)
    }

    fn layer(
        &self,
        schema: &Schema,
        variable: &str,
        name: &str,
        value: &OsStr,
    ) -> Result<Layer, String> {
        if let Some(key) = schema.key_of_variable(name) {
            let text = value.to_str().ok_or("must be UTF-8")?;
            let origin = format!("the environment variable {variable}");
            return Ok(Layer::setting(origin, &key, schema.read(&key, text)));
        }
        let key = name
            .strip_suffix("_FILE")
            .and_then(|name| schema.key_of_variable(name))
            .ok_or_else(|| schema.what_there_is(&name.to_lowercase().replace("__", ".")))?;
        let plain = variable.strip_suffix("_FILE").unwrap_or(variable);
        if self.variables.contains_key(plain) {
            return Err(format!("must not be set together with {plain}"));
        }
        let path = value.to_string_lossy();
        let text = fs::read_to_string(value)
            .map_err(|error| format!("names the file {path}, which cannot be read: {error}"))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let origin = format!("the file {path}, which {variable} names");
        Ok(Layer::setting(origin, &key, schema.read(&key, text)))
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with("COUNTERSIGN_").then_some((name, value))
        });
        Self {
            variables: ours.collect(),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = self.variables.keys().map(|name| (name, MASK));
        f.debug_map().entries(masked).finish()
    }
}
