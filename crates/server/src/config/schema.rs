//! Which settings there are, and of which kind: taken from the default
//! configuration, so that no list has to be kept beside it.

use figment::value::{Dict, Num, Value};

use super::{Config, ProviderSection, TokenProfileConfig};

/// The settings that there are.
#[derive(Debug)]
pub(super) struct Schema {
    defaults: Dict,
    /// Those of each profile of tokens, and of each provider of sign-ins, in the order of
    /// [`NAMED`].
    of_named: [Dict; 2],
}

/// The sections of which there may be several, each under a name: `tokens.profiles.NAME`.
const NAMED: [&str; 2] = ["tokens.profiles", "federation.providers"];

/// What a name of such a section must be. It is a part of names of variables.
const NAME: &str =
    "must have a name of 1 to 32 lower-case letters and digits, which begins with a letter";

impl Schema {
    pub(super) fn new() -> Self {
        fn table(section: impl serde::Serialize) -> Dict {
            let values = Value::serialize(section).ok().and_then(Value::into_dict);
            values.expect("the configuration is a table of plain values")
        }
        Self {
            defaults: table(Config::default()),
            of_named: [
                table(TokenProfileConfig::default()),
                table(ProviderSection::default()),
            ],
        }
    }

    /// The default of a setting; `None` if there is no such setting.
    pub(super) fn default(&self, key: &str) -> Option<&Value> {
        if let Some((which, setting)) = of_named(key) {
            return self.of_named[which].get(setting);
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
                        if let Some(which) = NAMED.iter().position(|named| *named == key) {
                            return self.keep_named(which, value, &mut unknown);
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

    /// Takes out what is no setting of a section with a name; tells whether they are such
    /// sections.
    fn keep_named(
        &self,
        which: usize,
        sections: &mut Value,
        unknown: &mut Vec<(String, String)>,
    ) -> bool {
        let of = NAMED[which];
        let Value::Dict(_, sections) = sections else {
            unknown.push((of.into(), format!("must have sections, as [{of}.NAME]")));
            return false;
        };
        sections.retain(|name, settings| {
            let key = format!("{of}.{name}");
            let Value::Dict(_, settings) = settings else {
                unknown.push((key.clone(), format!("must be a section, as [{key}]")));
                return false;
            };
            if !is_name(name) {
                unknown.push((key, NAME.into()));
                return false;
            }
            settings.retain(|setting, _| {
                let is_known = self.of_named[which].contains_key(setting);
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
        let named = NAMED.iter().zip(&self.of_named);
        for (of, settings) in named {
            if key.starts_with(of) {
                let names = names(settings);
                return format!("is not a setting; [{of}.NAME] has {names}");
            }
        }
        match self.defaults.get(section).and_then(Value::as_dict) {
            Some(settings) => {
                format!("is not a setting; [{section}] has {}", names(settings))
            }
            None => format!("is not a setting; there are {}", names(&self.defaults)),
        }
    }
}

/// Which section with a name, and which setting of it, if the key is one of such a section.
fn of_named(key: &str) -> Option<(usize, &str)> {
    NAMED.iter().enumerate().find_map(|(which, of)| {
        let key = key.strip_prefix(of)?.strip_prefix('.')?;
        let (name, setting) = key.split_once('.')?;
        is_name(name).then_some((which, setting))
    })
}

fn is_name(name: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    name.len() <= 32 && begins && name.bytes().all(is_fit)
}

/// Whether no message shows the value of a setting.
pub(super) fn is_secret(key: &str) -> bool {
    let of_named = of_named(key).is_some_and(|(which, setting)| match NAMED[which] {
        "tokens.profiles" => setting == "secret",
        _ => ProviderSection::SECRET.contains(&setting),
    });
    of_named || Config::SECRET.contains(&key)
}
