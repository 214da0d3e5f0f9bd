//! The environment variables that concern Countersign. This is the only place
//! that reads them from the process; tests make their own. One that looks like
//! ours and is not is an error: a setting that is not heeded would be worse.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;

use super::layer::Layer;
use super::nearest::nearest;
use super::schema::Schema;
use super::{MASK, Problem};

/// Before the names of variables that are settings:
/// `COUNTERSIGN__SERVER__LISTEN` is `server.listen`.
const SETTINGS: &str = "COUNTERSIGN__";
/// The variables that are no settings: the file with them, and the key of commands that
/// call a server.
const OTHERS: [&str; 2] = ["COUNTERSIGN_CONFIG", "COUNTERSIGN_API_KEY"];
/// Before the names of what the tests of this repository are told, in a shell
/// that starts servers too.
const TESTS: &str = "COUNTERSIGN_TEST_";

/// The variables whose names begin with `COUNTERSIGN_`, but for those of tests
/// and those by which Kubernetes tells of services.
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
            if OTHERS.contains(&variable.as_str()) {
                continue;
            }
            match self.layer(schema, variable, value) {
                Ok(layer) => layers.push(layer),
                Err(rule) => problems.push(Problem::new(variable, rule)),
            }
        }
        (layers, problems)
    }

    fn layer(&self, schema: &Schema, variable: &str, value: &OsStr) -> Result<Layer, String> {
        let unknown = || unknown(schema, variable);
        let name = variable.strip_prefix(SETTINGS).ok_or_else(unknown)?;
        if let Some(key) = schema.key_of_variable(name) {
            let text = value.to_str().ok_or("must be UTF-8")?;
            let origin = format!("the environment variable {variable}");
            return Ok(Layer::setting(origin, &key, schema.read(&key, text)));
        }
        let key = name
            .strip_suffix("_FILE")
            .and_then(|name| schema.key_of_variable(name))
            .ok_or_else(unknown)?;
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
        let named = variables.into_iter().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_ours = name.starts_with("COUNTERSIGN_") && !name.starts_with(TESTS);
            is_ours.then_some((name, value))
        });
        let mut variables: BTreeMap<_, _> = named.collect();
        let hosts = variables.keys().filter_map(|name| {
            let service = name.strip_suffix("_SERVICE_HOST")?;
            Some(service.to_owned())
        });
        for service in hosts.collect::<Vec<_>>() {
            variables.retain(|name, _| !tells_of_service(name, &service));
        }
        Self { variables }
    }
}

/// Whether Kubernetes tells by a variable where a service is. A service by the
/// name of `countersign` is told to each container, the server's own too.
fn tells_of_service(variable: &str, service: &str) -> bool {
    variable
        .strip_prefix(service)
        .is_some_and(|what| match what {
            "_SERVICE_HOST" | "_SERVICE_PORT" | "_PORT" => true,
            _ => what.starts_with("_SERVICE_PORT_") || what.starts_with("_PORT_"),
        })
}

/// What to say of a variable that does not exist.
fn unknown(schema: &Schema, variable: &str) -> String {
    let settings = schema.keys().flat_map(|key| {
        let name = format!("{SETTINGS}{}", key.to_uppercase().replace('.', "__"));
        [format!("{name}_FILE"), name]
    });
    let nearest = nearest(variable, settings.chain(OTHERS.map(String::from)));
    let nearest = nearest.join(" or ");
    let setting = variable.strip_prefix(SETTINGS);
    let key = setting.unwrap_or(variable).to_lowercase();
    let there_is = || schema.what_there_is(&key.replace("__", "."));
    match (setting, nearest.as_str()) {
        (_, "") => there_is(),
        (Some(_), nearest) => format!("{}; the nearest is {nearest}", there_is()),
        (None, nearest) => format!("is not a setting; the nearest is {nearest}"),
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = self.variables.keys().map(|name| (name, MASK));
        f.debug_map().entries(masked).finish()
    }
}
