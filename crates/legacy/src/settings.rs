//! Which table holds the users, and what its columns are called.

use countersign_domain::model::Region;
use secrecy::SecretString;

/// Where the users are.
#[derive(Debug, Clone)]
pub struct LegacySettings {
    /// `postgres://…`, `mysql://…`, `mariadb://…` or `sqlite:…`, TLS as in the URL of
    /// the service's own database. Never shown.
    pub url: SecretString,
    /// The table, with its schema before a dot if it is not in the default one.
    pub table: String,
    /// Its columns.
    pub columns: Columns,
    /// The country in which phone numbers without a country code are at home.
    pub region: Region,
}

/// The columns of the table. What is not named is not read.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// The primary key: a whole number, a UUID or a text.
    pub id: String,
    /// E-mail addresses.
    pub email: Option<String>,
    /// Phone numbers.
    pub phone: Option<String>,
    /// User names.
    pub username: Option<String>,
    /// What people are called.
    pub name: Option<String>,
    /// Hashes of passwords.
    pub password: Option<String>,
    /// Whether a user is one still: if not, it has left.
    pub active: Option<String>,
    /// Whether a user is banned.
    pub banned: Option<String>,
    /// When a user left; empty if it has not.
    pub withdrawn_at: Option<String>,
}

/// Why the settings are not usable. Tells no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The URL is none of a database that is supported.
    #[error("must be the URL of the existing database, such as {0}")]
    Url(&'static str),
    /// The URL has a parameter that the driver would ignore, whatever it asks for.
    #[error("must have no other parameters than {known}, and {name:?} is none of them")]
    Parameter {
        /// Its name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The name of the table is none.
    #[error("must be the name of a table, such as users or shop.users")]
    Table,
    /// The name of a column is none.
    #[error("must be the name of a column of at most 256 bytes, and {0:?} is none")]
    Column(String),
}

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Id,
    Email,
    Phone,
    Username,
    Name,
    Password,
    Active,
    Banned,
    WithdrawnAt,
}

/// A table, with its schema if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
}

/// PostgreSQL's names have 63 bytes, MySQL's 64 letters.
const LONGEST_NAME: usize = 256;

impl LegacySettings {
    /// The table of the settings.
    pub(crate) fn table_name(&self) -> Result<TableName, SettingsError> {
        let mut parts = self.table.split('.').map(str::to_owned);
        let (first, second, third) = (parts.next(), parts.next(), parts.next());
        let name = match (first, second, third) {
            (Some(table), None, None) => TableName {
                schema: None,
                table,
            },
            (Some(schema), Some(table), None) => TableName {
                schema: Some(schema),
                table,
            },
            _ => return Err(SettingsError::Table),
        };
        let is_good = is_name(&name.table) && name.schema.as_deref().is_none_or(is_name);
        match is_good {
            true => Ok(name),
            false => Err(SettingsError::Table),
        }
    }
}

impl Columns {
    /// The columns that are named, and what they are read as.
    pub(crate) fn named(&self) -> Result<Vec<(Field, String)>, SettingsError> {
        let named: Vec<_> = [
            (Field::Id, Some(&self.id)),
            (Field::Email, self.email.as_ref()),
            (Field::Phone, self.phone.as_ref()),
            (Field::Username, self.username.as_ref()),
            (Field::Name, self.name.as_ref()),
            (Field::Password, self.password.as_ref()),
            (Field::Active, self.active.as_ref()),
            (Field::Banned, self.banned.as_ref()),
            (Field::WithdrawnAt, self.withdrawn_at.as_ref()),
        ]
        .into_iter()
        .filter_map(|(field, name)| Some((field, name?.clone())))
        .collect();
        match named.iter().find(|(_, name)| !is_name(name)) {
            None => Ok(named),
            Some((_, name)) => Err(SettingsError::Column(name.clone())),
        }
    }
}

/// The library quotes names; what no database takes as one is refused here.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains('\0')
}

/// Refuses a URL with a parameter that is none of those that a driver knows: one that
/// asks for TLS in the spelling of another driver must not be passed over.
pub(crate) fn check_parameters(url: &str, known: &[&str]) -> Result<(), SettingsError> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (_, query) = url.split_once('?').unwrap_or_default();
    let names = query.split('&').filter(|pair| !pair.is_empty());
    let mut names = names.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    match names.find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(SettingsError::Parameter {
            name: name.to_owned(),
            known: known.join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_not_known_is_refused_by_its_name() {
        let check =
            |query: &str| check_parameters(&format!("mysql://db/shop{query}"), &["ssl-mode"]);
        for good in ["", "?", "?ssl-mode=REQUIRED", "?ssl-mode=a&ssl-mode=b"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, name) in [
            ("?ssl_mode=REQUIRED", "ssl_mode"),
            ("?ssl-mode=REQUIRED&tls", "tls"),
            ("?ssl%2Dmode=REQUIRED", "ssl%2Dmode"),
            ("?ssl-Mode=REQUIRED#x?y", "ssl-Mode"),
        ] {
            let refused = check(bad).expect_err(bad);
            assert!(
                matches!(&refused, SettingsError::Parameter { name: found, .. } if found == name),
                "{refused}"
            );
            assert!(!refused.to_string().contains("REQUIRED"), "{refused}");
        }
    }
}
