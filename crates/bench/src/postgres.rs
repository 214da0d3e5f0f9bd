//! A PostgreSQL database of the bench's own.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::failure::{Context as _, Failure};

/// A database that is there for one measurement.
#[derive(Debug)]
pub(crate) struct FreshDatabase {
    admin_url: String,
    name: String,
}

impl FreshDatabase {
    /// Creates an empty database beside the one of the URL.
    ///
    /// # Errors
    /// If it cannot; or if commits are not durable there: then a rate means
    /// nothing.
    pub(crate) async fn create(admin_url: &str) -> Result<Self, Failure> {
        let name = format!("countersign_bench_{}", std::process::id());
        let mut admin = connect(admin_url).await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(setting)
                .fetch_one(&mut admin)
                .await
                .context("PostgreSQL's settings")?;
            if value != "on" {
                return Err(Failure::new(format!(
                    "PostgreSQL has {setting} = {value}: commits would not be durable"
                )));
            }
        }
        execute(&mut admin, &format!("CREATE DATABASE {name}")).await?;
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
        let mut admin = connect(&self.admin_url).await?;
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        execute(&mut admin, &drop).await
    }
}

/// One connection.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, Failure> {
    PgConnection::connect(url)
        .await
        .context("connecting to PostgreSQL")
}

/// Executes statements that have no parameters.
pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) -> Result<(), Failure> {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .context(sql)?;
    Ok(())
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
                "postgres://u:p@db/a?sslmode=require",
                "postgres://u:p@db/b?sslmode=require",
            ),
        ] {
            assert_eq!(in_database(url, "b"), expected);
        }
    }
}
