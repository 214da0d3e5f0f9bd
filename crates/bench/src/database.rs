//! A database of the bench's own, on PostgreSQL or MariaDB.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection};

use crate::failure::{Context as _, Failure};

/// A database that is there for one measurement.
#[derive(Debug)]
pub(crate) struct FreshDatabase {
    admin_url: String,
    name: String,
}

/// One connection.
pub(crate) enum Connection {
    Postgres(PgConnection),
    MariaDb(MySqlConnection),
}

impl FreshDatabase {
    /// Creates an empty database beside the one of the URL. `name` tells it
    /// from others of this process.
    ///
    /// # Errors
    /// If it cannot; or if commits are not durable there: then a rate means
    /// nothing.
    pub(crate) async fn create(admin_url: &str, name: &str) -> Result<Self, Failure> {
        let name = format!("countersign_bench_{}_{name}", std::process::id());
        let mut admin = Connection::open(admin_url).await?;
        admin.require_durability().await?;
        admin.execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(Self {
            admin_url: admin_url.into(),
            name,
        })
    }

    /// The database's URL.
    pub(crate) fn url(&self) -> String {
        in_database(&self.admin_url, &self.name)
    }

    /// Deletes the database, whoever is connected to it.
    pub(crate) async fn delete(self) -> Result<(), Failure> {
        let mut admin = Connection::open(&self.admin_url).await?;
        let force = match admin {
            Connection::Postgres(_) => " WITH (FORCE)",
            Connection::MariaDb(_) => "",
        };
        let drop = format!("DROP DATABASE {}{force}", self.name);
        admin.execute(&drop).await
    }
}

impl Connection {
    /// Connects, by the scheme of the URL.
    pub(crate) async fn open(url: &str) -> Result<Self, Failure> {
        if url.starts_with("postgres") {
            postgres(url).await.map(Self::Postgres)
        } else {
            let connection = MySqlConnection::connect(url).await;
            connection
                .context("connecting to MariaDB")
                .map(Self::MariaDb)
        }
    }

    /// Executes statements that have no parameters.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Postgres(connection) => connection.execute(statements).await.map(drop),
            Self::MariaDb(connection) => connection.execute(statements).await.map(drop),
        }
        .context(sql)
    }

    async fn require_durability(&mut self) -> Result<(), Failure> {
        let (name, settings): (_, &[(&str, &str)]) = match self {
            Self::Postgres(_) => (
                "PostgreSQL",
                &[
                    ("fsync", "on"),
                    ("synchronous_commit", "on"),
                    ("full_page_writes", "on"),
                ],
            ),
            Self::MariaDb(_) => ("MariaDB", &[("innodb_flush_log_at_trx_commit", "1")]),
        };
        for (setting, durable) in settings {
            let value = self.setting(setting).await?;
            if value != *durable {
                return Err(Failure::new(format!(
                    "{name} has {setting} = {value}: commits would not be durable"
                )));
            }
        }
        Ok(())
    }

    async fn setting(&mut self, name: &str) -> Result<String, Failure> {
        match self {
            Self::Postgres(connection) => {
                let select = sqlx::query_scalar("SELECT current_setting($1)").bind(name);
                select.fetch_one(connection).await
            }
            Self::MariaDb(connection) => {
                let sql = format!("SELECT CAST(@@{name} AS CHAR)");
                let select = sqlx::query_scalar(AssertSqlSafe(sql));
                select.fetch_one(connection).await
            }
        }
        .context("the settings of the database")
    }
}

/// One connection to PostgreSQL.
pub(crate) async fn postgres(url: &str) -> Result<PgConnection, Failure> {
    PgConnection::connect(url)
        .await
        .context("connecting to PostgreSQL")
}

/// The same URL with another database.
fn in_database(url: &str, name: &str) -> String {
    let (place, query) = match url.split_once('?') {
        Some((place, query)) => (place, format!("?{query}")),
        None => (url, String::new()),
    };
    let host = place.find("://").map_or(0, |at| at + "://".len());
    let end = place[host..].find('/').map_or(place.len(), |at| host + at);
    format!("{}/{name}{query}", &place[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_changes() {
        for (url, expected) in [
            (
                "postgres://root@127.0.0.1:5432/test",
                "postgres://root@127.0.0.1:5432/b",
            ),
            ("postgres://db", "postgres://db/b"),
            (
                "mysql://u:p@db/a?ssl-mode=REQUIRED",
                "mysql://u:p@db/b?ssl-mode=REQUIRED",
            ),
        ] {
            assert_eq!(in_database(url, "b"), expected);
        }
    }
}
