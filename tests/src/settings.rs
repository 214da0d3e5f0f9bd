//! The configuration of a server under test: quick hashing, generous limits,
//! and whatever a test sets besides.

use std::str::FromStr;

use toml::{Table, Value};

/// A configuration file in the making.
#[derive(Debug, Clone, Default)]
pub struct Settings(Table);

impl Settings {
    /// What tests start from: limits so high that they are out of the way, and
    /// the cheapest hashing that is allowed.
    #[must_use]
    pub(crate) fn for_tests() -> Self {
        let mut settings = Self::default();
        settings.set("server.listen", "127.0.0.1:0");
        settings.set("server.drain_delay", "100ms");
        settings.set("metrics.listen", "");
        settings.set("gateway.listen", "");
        // Many servers at once share a database server with room for a hundred.
        settings.set("database.max_connections", 8);
        settings.set("log.format", "json");
        settings.set("passwords.memory_kib", 8192);
        settings.set("passwords.iterations", 1);
        settings.set("passwords.queue", 4096);
        settings.set("passwords.attempts_per_source", 1_000);
        settings.set("passwords.attempts_per_source_daily", 10_000);
        settings.set("verification.cooldown", "0s");
        settings.set("verification.sends_per_address", 1_000);
        settings.set("verification.sends_per_source", 100_000);
        settings.set("verification.sends_per_country", 100_000);
        settings.set("verification.sends_in_all", 100_000);
        settings
    }

    /// Sets `section.key`, or a key without a section.
    ///
    /// # Panics
    /// If the section is a value.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        let mut sections: Vec<_> = path.split('.').collect();
        let key = sections.pop().expect("a path has a last part");
        let mut table = &mut self.0;
        for section in sections {
            let section = table
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            table = section.as_table_mut().expect("a section");
        }
        table.insert(key.into(), value.into());
    }

    /// The settings of a file that [`Self::to_toml`] wrote.
    ///
    /// # Panics
    /// If it is another file.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.parse().expect("a configuration file"))
    }

    /// The file's text.
    #[must_use]
    pub(crate) fn to_toml(&self) -> String {
        self.0.to_string()
    }
}

impl FromStr for Settings {
    type Err = toml::de::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
