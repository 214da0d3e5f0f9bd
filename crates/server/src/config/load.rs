//! Puts the configuration together: the file, over it the environment, over it
//! the flags; then checks all of it, so that one start shows every mistake.

use std::ffi::OsStr;
use std::path::PathBuf;

use figment::Figment;
use figment::error::{Actual, Kind};
use figment::providers::Serialized;
use figment::value::Value;

use super::checks::Checks;
use super::layer::Layer;
use super::schema::{Schema, is_secret};
use super::{Config, ConfigError, Environment, LogFormat, Problem, ServiceUrl, combinations};

/// Where settings come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The TOML file. If absent, `COUNTERSIGN_CONFIG` may name one; none is
    /// needed.
    pub file: Option<PathBuf>,
    /// The environment variables.
    pub environment: Environment,
    /// The flags of the command line.
    pub flags: Flags,
}

impl Sources {
    /// The form of the log as a flag or a variable says it: what is known where
    /// the configuration cannot be read.
    pub(crate) fn log_format(&self) -> LogFormat {
        let flag = self.flags.log_format.as_deref().map(OsStr::new);
        let variable = || self.environment.get("COUNTERSIGN__LOG__FORMAT");
        match flag.or_else(variable) {
            Some(format) if format == "json" => LogFormat::Json,
            _ => LogFormat::default(),
        }
    }
}

/// The settings that have a flag.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct Flags {
    /// Directory of the SQLite database and the master key
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub data_dir: Option<String>,
    /// Address of gRPC, such as 0.0.0.0:50051
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Address of HTTP, such as 0.0.0.0:8080
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub http: Option<String>,
    /// sqlite://…, postgres://…, mysql://… or mariadb://…
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<ServiceUrl>,
    /// redis://… or rediss://…
    #[arg(long, global = true, value_name = "URL")]
    pub redis_url: Option<ServiceUrl>,
    /// human or json
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl Flags {
    fn layers(&self) -> impl Iterator<Item = Layer> {
        let url = |url: &Option<ServiceUrl>| url.as_ref().map(|url| url.expose().to_owned());
        [
            ("data_dir", "--data-dir", self.data_dir.clone()),
            ("server.listen", "--listen", self.listen.clone()),
            ("gateway.listen", "--http", self.http.clone()),
            ("database.url", "--database-url", url(&self.database_url)),
            ("redis.url", "--redis-url", url(&self.redis_url)),
            ("log.format", "--log-format", self.log_format.clone()),
        ]
        .into_iter()
        .filter_map(|(key, flag, value)| {
            let origin = format!("the flag {flag}");
            Some(Layer::setting(origin, key, Value::from(value?)))
        })
    }
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] names the file that cannot be read, or every setting
    /// that is wrong.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let schema = Schema::new();
        let mut problems = Vec::new();
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        let named = sources.environment.get("COUNTERSIGN_CONFIG");
        if let Some(path) = sources.file.clone().or_else(|| named.map(PathBuf::from)) {
            let (layer, unknown) = Layer::file(&path, &schema)?;
            figment = figment.merge(layer);
            problems.extend(unknown);
        }
        let (layers, unknown) = sources.environment.layers(&schema);
        problems.extend(unknown);
        for layer in layers.into_iter().chain(sources.flags.layers()) {
            figment = figment.merge(layer);
        }

        let (config, misread) = extract(figment.clone(), &schema)?;
        let mut checks = Checks::after(misread);
        config.check(&mut checks);
        combinations::check(&config, &mut checks);
        let wrong = checks.into_wrong().into_iter();
        problems.extend(wrong.map(|(key, rule)| problem(&figment, &key, rule)));
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Settings(problems))
        }
    }
}

/// Reads the values. One that cannot be read is noted and its default put in
/// its place, so that the rest is read too.
fn extract(
    mut figment: Figment,
    schema: &Schema,
) -> Result<(Config, Vec<(String, String)>), ConfigError> {
    let mut misread: Vec<(String, String)> = Vec::new();
    loop {
        let error = match figment.extract::<Config>() {
            Ok(config) => return Ok((config, misread)),
            Err(error) => error,
        };
        let key = schema.key_of_path(&error.path);
        let fresh = key.filter(|key| misread.iter().all(|(known, _)| known != key));
        let Some((key, default)) = fresh.and_then(|key| {
            let default = schema.default(&key)?.clone();
            Some((key, default))
        }) else {
            let problem =
                Problem::new(&error.path.join("."), rule(&error.kind, "must be readable"));
            return Err(ConfigError::Settings(vec![problem]));
        };
        misread.push((key.clone(), rule(&error.kind, schema.kind(&key))));
        figment = figment.merge(Layer::setting("the default", &key, default));
    }
}

/// What to say of a value that cannot be read. It does not repeat the value,
/// which may be secret.
fn rule(kind: &Kind, of_its_kind: &str) -> String {
    match kind {
        Kind::Message(rule) => rule.clone(),
        Kind::UnknownVariant(_, variants) => match variants.split_last() {
            Some((last, [])) => format!("must be {last}"),
            Some((last, others)) => format!("must be {} or {last}", others.join(", ")),
            None => of_its_kind.into(),
        },
        Kind::InvalidValue(Actual::Signed(..0), _) => "must not be negative".into(),
        Kind::InvalidValue(Actual::Signed(_) | Actual::Unsigned(_), _) => {
            "must be a smaller number".into()
        }
        _ => of_its_kind.into(),
    }
}

fn problem(figment: &Figment, key: &str, rule: String) -> Problem {
    let value = figment.find_value(key).ok();
    let metadata = figment.find_metadata(key);
    let is_default = metadata.is_none_or(|metadata| metadata.source.is_some());
    Problem {
        setting: key.into(),
        value: value
            .filter(|_| !is_secret(key))
            .and_then(|value| toml::Value::try_from(value).ok())
            .map(|value| value.to_string()),
        origin: Some(match metadata {
            Some(metadata) if !is_default => metadata.name.to_string(),
            _ => "the default".into(),
        }),
        rule,
    }
}
