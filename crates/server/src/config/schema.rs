//! Which settings there are, and of which kind: taken from the default
//! configuration, so that no list has to be kept beside it.

use figment::value::{Dict, Num, Value};

use super::{Config, TokenProfileConfig};

/// The settings that there are.
#[derive(Debug)]
pub(super) struct Schema {
    defaults: Dict,
    /// Those of each profile of tokens.
    profile: Dict,
}

/// The section of which there may be several, each under a name:
/// `tokens.profiles.NAME`.
const PROFILES: &str = "tokens.profiles";

impl Schema {
    pub(super) fn new() -> Self {
        fn table(section: impl serde::Serialize) -> Dict {
            let values = Value::serialize(section).ok().and_then(Value::into_dict);
            values.expect("the configuration is a table of plain values")
        }
        Self {
            defaults: table(Config::default()),
            profile: table(TokenProfileConfig::default()),
        }
    }

    /// The default of a setting; `None` if there is no such setting.
    pub(super) fn default(&self, key: &str) -> Option<&Value> {
        if let Some((_, setting)) = of_profile(key) {
            return self.profile.get(setting);
        }
        let value = match key.split_once('.') {
            Some((section, name)) => self.defaults.get(section)?.as_dict()?.get(name)?,
            None => self.defaults.get(key)?,
        };
        value.as_dict().is_none().then_some(value)
    }

    /// All settings.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        self.defaults.iter().flat_map(|(name, value)| {
            let in_section = |section: &Dict| {
                let key = |setting: &String| format!("{name}.{setting}");
                section.keys().map(key).collect()
            };
            value.as_dict().map_or(vec![name.clone()], in_section)
        })
    }

    /// The setting that a path into a value of the configuration leads to:
    /// `tokens.audiences` for `tokens`, `audiences`, `0`.
    pub(super) fn key_of_path(&self, path: &[String]) -> Option<String> {
        (1..=path.len().min(4))
            .map(|length| path[..length].join("."))
            .find(|key| self.default(key).is_some())
    }

    /// The setting of an environment variable, without its prefix:
    /// `server.listen` for `SERVER__LISTEN`.
    pub(super) fn key_of_variable(&self, name: &str) -> Option<String> {
        let key = name.to_lowercase().replace("__", ".");
        let is_upper = !name.contains(|c: char| c.is_lowercase());
        (is_upper && self.default(&key).is_some()).then_some(key)
    }

    /// Reads a text as the kind of value that a setting has. A text that is
    /// none stays one, and is refused later.
    pub(super) fn read(&self, key: &str, text: &str) -> Value {
        let read = match self.default(key) {
            Some(Value::Num(_, Num::F64(_))) => text.trim().parse::<f64>().ok().map(Value::from),
            Some(Value::Num(..)) => text.trim().parse::<i64>().ok().map(Value::from),
            Some(Value::Bool(..)) => text.trim().parse::<bool>().ok().map(Value::from),
            Some(Value::Array(..)) => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Some(Value::from(items.map(Value::from).collect::<Vec<_>>()))
            }
            _ => None,
        };
        read.unwrap_or_else(|| Value::from(text))
    }

    /// What a value of a setting must be, if it is of the wrong kind.
    pub(super) fn kind(&self, key: &str) -> &'static str {
        match self.default(key) {
            Some(Value::Num(_, Num::F64(_))) => "must be a number",
            Some(Value::Num(..)) => "must be a whole number",
            Some(Value::Bool(..)) => "must be true or false",
            Some(Value::Array(..)) => "must be a list of texts",
            _ => "must be a text",
        }
    }

    /// Takes out what is no setting, and says what there is instead.
    pub(super) fn remove_unknown(&self, values: &mut Dict) -> Vec<(String, String)> {
        let mut unknown = Vec::new();
        values.retain(|name, value| {
            let is_section = self
                .defaults
                .get(name)
                .is_some_and(|d| d.as_dict().is_some());
            match value {
                Value::Dict(_, section) if is_section => {
                    section.retain(|setting, value| {
                        let key = format!("{name}.{setting}");
                        if key == PROFILES {
                            return self.keep_profiles(value, &mut unknown);
                        }
                        let is_known = self.default(&key).is_some();
                        if !is_known {
                            unknown.push((key.clone(), self.what_there_is(&key)));
                        }
                        is_known
                    });
                    true
                }
                _ if is_section => {
                    unknown.push((name.clone(), format!("must be a section, as [{name}]")));
                    false
                }
                _ if self.default(name).is_some() => true,
                _ => {
                    unknown.push((name.clone(), self.what_there_is(name)));
                    false
                }
            }
        });
        unknown
    }

    /// Takes out what is no setting of a profile; tells whether they are profiles.
    fn keep_profiles(&self, profiles: &mut Value, unknown: &mut Vec<(String, String)>) -> bool {
        let Value::Dict(_, profiles) = profiles else {
            let rule = format!("must have sections, as [{PROFILES}.NAME]");
            unknown.push((PROFILES.into(), rule));
            return false;
        };
        profiles.retain(|name, settings| {
            let key = format!("{PROFILES}.{name}");
            let Value::Dict(_, settings) = settings else {
                unknown.push((key.clone(), format!("must be a section, as [{key}]")));
                return false;
            };
            if !TokenProfileConfig::is_name(name) {
                unknown.push((key, TokenProfileConfig::NAME.into()));
                return false;
            }
            settings.retain(|setting, _| {
                let is_known = self.profile.contains_key(setting);
                if !is_known {
                    let key = format!("{key}.{setting}");
                    unknown.push((key.clone(), self.what_there_is(&key)));
                }
                is_known
            });
            true
        });
        true
    }

    /// What to say of a key that is no setting.
    pub(super) fn what_there_is(&self, key: &str) -> String {
        let section = key.split('.').next().unwrap_or_default();
        let names = |dict: &Dict| dict.keys().cloned().collect::<Vec<_>>().join(", ");
        if key.starts_with(PROFILES) {
            let names = names(&self.profile);
            return format!("is not a setting; [{PROFILES}.NAME] has {names}");
        }
        match self.defaults.get(section).and_then(Value::as_dict) {
            Some(settings) => {
                format!("is not a setting; [{section}] has {}", names(settings))
            }
            None => format!("is not a setting; there are {}", names(&self.defaults)),
        }
    }
}

/// The name of the profile and of the setting, if the key is one of a profile.
fn of_profile(key: &str) -> Option<(&str, &str)> {
    let key = key.strip_prefix(PROFILES)?.strip_prefix('.')?;
    let (name, setting) = key.split_once('.')?;
    TokenProfileConfig::is_name(name).then_some((name, setting))
}

/// Whether no message shows the value of a setting.
pub(super) fn is_secret(key: &str) -> bool {
    let of_profile = of_profile(key).is_some_and(|(_, setting)| setting == "secret");
    of_profile || Config::SECRET.contains(&key)
}
