//! The kinds of values that settings have: each is checked when it is read, and
//! none shows a secret when it is written.

use std::fmt;

use std::time::SystemTime;

use countersign_domain::model::{Region, Timestamp};
use humantime_serde::re::humantime;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracing_subscriber::EnvFilter;

/// What stands in place of a secret.
pub(crate) const MASK: &str = "********";

/// The address of a database or of Redis, which may hold a password.
#[derive(Clone)]
pub struct ServiceUrl(SecretString);

/// Which log lines are written, in the syntax of `RUST_LOG`: `info,sqlx=warn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LogFilter(String);

/// A day, from its beginning in UTC, or an instant: `2027-06-01`,
/// `2027-06-01T15:00:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Date {
    text: String,
    at: Timestamp,
}

/// The country of phone numbers, as its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(pub Region);

impl ServiceUrl {
    /// Keeps a URL.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The URL with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What stands before `://`, or `sqlite`, which needs no slashes; empty if
    /// nothing does.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self.expose().split_once(':') {
            Some(("sqlite", _)) => "sqlite",
            Some((scheme, rest)) if rest.starts_with("//") => scheme,
            _ => "",
        }
    }

    /// The URL with every password replaced.
    #[must_use]
    pub fn masked(&self) -> String {
        if self.scheme() == "sqlite" {
            return self.expose().to_owned();
        }
        let Some((scheme, rest)) = self.expose().split_once("://") else {
            return MASK.into();
        };
        // A password that is not percent-encoded may hold any character: it
        // ends at the last `@`, wherever that is.
        let masked = match rest.rsplit_once('@') {
            Some((login, place)) => match login.split_once(':') {
                Some((user, _)) => format!("{user}:{MASK}@{place}"),
                None => format!("{login}@{place}"),
            },
            None => rest.into(),
        };
        let Some((place, query)) = masked.split_once('?') else {
            return format!("{scheme}://{masked}");
        };
        let query: Vec<String> = query.split('&').map(mask_parameter).collect();
        format!("{scheme}://{place}?{}", query.join("&"))
    }
}

impl LogFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What a filter must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text)
            .map(|_| Self(text.into()))
            .map_err(|error| {
                format!("must be a filter such as info or info,sqlx=warn, but {error}")
            })
    }

    /// The filter, to be put to work.
    #[must_use]
    pub fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl Date {
    /// Reads a date.
    ///
    /// # Errors
    /// What a date must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let instant = match text.len() {
            10 => humantime::parse_rfc3339(&format!("{text}T00:00:00Z")),
            _ => humantime::parse_rfc3339(text),
        };
        let since = instant.ok().and_then(|instant| {
            let since = instant.duration_since(SystemTime::UNIX_EPOCH);
            i64::try_from(since.ok()?.as_millis()).ok()
        });
        let millis = since.ok_or("must be a date such as 2027-06-01 or 2027-06-01T15:00:00Z")?;
        Ok(Self {
            text: text.to_owned(),
            at: Timestamp::from_millis(millis),
        })
    }

    /// The instant at which it begins.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.text
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl From<String> for ServiceUrl {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceUrl({})", self.masked())
    }
}

impl Serialize for ServiceUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

impl<'de> Deserialize<'de> for ServiceUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for LogFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Region::parse(&code).map(Self).map_err(D::Error::custom)
    }
}

fn mask_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}={MASK}"),
        _ => parameter.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_a_url_is_shown() {
        for (url, masked) in [
            ("postgres://ann@db/auth", "postgres://ann@db/auth"),
            (
                "postgres://ann:s3cret@db:5432/auth",
                "postgres://ann:********@db:5432/auth",
            ),
            (
                "postgres://ann:s3/cr@e?t@db/auth",
                "postgres://ann:********@db/auth",
            ),
            (
                "redis://:s3cret@redis:6379/0",
                "redis://:********@redis:6379/0",
            ),
            (
                "mysql://db/auth?user=ann&password=s3cret&ssl-mode=required",
                "mysql://db/auth?user=ann&password=********&ssl-mode=required",
            ),
            (
                "sqlite://countersign.db?mode=rwc",
                "sqlite://countersign.db?mode=rwc",
            ),
            ("sqlite::memory:", "sqlite::memory:"),
            ("s3cret", "********"),
        ] {
            let url = ServiceUrl::new(url.into());
            assert_eq!(url.masked(), masked);
            assert!(!format!("{url:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_log_filter_is_checked_when_it_is_read() {
        assert!(LogFilter::parse("info,sqlx=warn,countersign::delivery=off").is_ok());
        let error = LogFilter::parse("info,sqlx=loud").expect_err("no such level");
        assert!(
            error.starts_with("must be a filter such as info"),
            "{error}"
        );
    }
}
