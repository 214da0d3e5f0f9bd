//! How durations, addresses, scopes and URLs are written in the configuration, as
//! serde reads and writes them, and what is said of those that cannot be read.

use secrecy::SecretString;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

use super::MASK;

/// How a list is written in an environment variable.
pub(super) const AS_VARIABLE: &str =
    "an environment variable has them separated by commas, as in a,b";

/// Reads an optional setting, which an empty text leaves out.
pub(super) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    text.map(|text| T::deserialize(text.into_deserializer()))
        .transpose()
}

/// Writes, in place of a secret, that there is one.
pub(super) fn masked<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| MASK).serialize(serializer)
}

/// `127.0.0.1:50051`.
pub(super) mod address {
    use std::net::SocketAddr;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    const RULE: &str = "must be an IP address and a port such as 127.0.0.1:50051 or [::]:50051";

    pub(in crate::config) fn serialize<S: Serializer>(
        address: &SocketAddr,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        address.serialize(serializer)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SocketAddr, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(RULE))
    }
}

/// `127.0.0.1:9464`, or an empty text for none.
pub(super) mod optional_address {
    use std::net::SocketAddr;

    use serde::de::{Error as _, IntoDeserializer as _};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::config) fn serialize<S: Serializer>(
        address: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.collect_str(address),
            None => serializer.serialize_str(""),
        }
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        super::address::deserialize(text.into_deserializer())
            .map(Some)
            .map_err(|error: serde::de::value::Error| {
                D::Error::custom(format!("{error}, or empty for none"))
            })
    }
}

/// `5m`, `1h 30m`, `500ms`.
pub(super) mod duration {
    use std::time::Duration;

    use humantime_serde::re::humantime;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::config) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write(*duration))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text)
            .map_err(|_| D::Error::custom("must be a duration such as 500ms, 30s, 5m, 12h or 30d"))
    }

    /// The duration in the largest unit that needs no other.
    pub(in crate::config) fn write(duration: Duration) -> String {
        const UNITS: [(u128, &str); 4] = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1_000, "s"),
        ];
        let millis = duration.as_millis();
        if !duration.subsec_nanos().is_multiple_of(1_000_000) {
            return format!("{}ns", duration.as_nanos());
        }
        if millis == 0 {
            return "0s".into();
        }
        let unit = UNITS
            .into_iter()
            .find(|(unit, _)| millis.is_multiple_of(*unit));
        unit.map_or_else(
            || format!("{millis}ms"),
            |(unit, name)| format!("{}{name}", millis / unit),
        )
    }
}

/// A list of scopes.
pub(super) mod scopes {
    use countersign_domain::model::Scope;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::config) fn serialize<S: Serializer>(
        scopes: &[Scope],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(scopes.iter().map(Scope::as_str))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Scope>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| Scope::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|rule| D::Error::custom(format!("each {rule}; {}", super::AS_VARIABLE)))
    }
}

/// A list of the URLs that links may begin with.
pub(super) mod link_prefixes {
    use countersign_domain::model::LinkPrefix;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::config) fn serialize<S: Serializer>(
        prefixes: &[LinkPrefix],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(prefixes.iter().map(LinkPrefix::as_str))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<LinkPrefix>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| LinkPrefix::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|rule| D::Error::custom(format!("each {rule}; {}", super::AS_VARIABLE)))
    }
}

/// A URL that links begin with; empty for none.
pub(super) mod optional_link_prefix {
    use countersign_domain::model::LinkPrefix;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::config) fn serialize<S: Serializer>(
        prefix: &Option<LinkPrefix>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(prefix.as_ref().map_or("", LinkPrefix::as_str))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<LinkPrefix>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        let prefix = LinkPrefix::parse(&text);
        prefix.map(Some).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use humantime_serde::re::humantime::parse_duration;

    use super::duration::write;

    #[test]
    fn a_duration_is_written_in_the_largest_unit_that_fits_and_read_back() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1_000, "1s"),
            (90_000, "90s"),
            (300_000, "5m"),
            (5_400_000, "90m"),
            (2_592_000_000, "30d"),
            (15_552_000_000, "180d"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(write(duration), text);
            assert_eq!(parse_duration(text), Ok(duration));
        }
    }
}
