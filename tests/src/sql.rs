//! Statements of a test's own, past the service, straight into its database.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection, SqliteConnection,
};

use crate::backend::Backend;
use crate::world::World;

const TIME_LIMIT: Duration = Duration::from_secs(60);

impl Backend {
    /// Bytes as a statement writes them, of hexadecimal digits, or of an id with
    /// its hyphens.
    #[must_use]
    pub fn bytes(self, hex: &str) -> String {
        let digits = hex.replace('-', "");
        match self {
            Self::Postgres => format!("decode('{digits}', 'hex')"),
            Self::Sqlite | Self::MariaDb => format!("X'{digits}'"),
        }
    }

    /// A column of bytes as hexadecimal digits.
    #[must_use]
    pub fn hex(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("encode({column}, 'hex')"),
            Self::Sqlite | Self::MariaDb => format!("LOWER(HEX({column}))"),
        }
    }

    /// The time in milliseconds since 1970, as an expression.
    #[must_use]
    pub fn now_millis(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Self::Postgres => "FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint",
            Self::MariaDb => "CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)",
        }
    }
}

impl World {
    /// How many rows of a table, `credentials WHERE failures = 5`, there are.
    pub async fn rows(&self, table: &str) -> i64 {
        let query = format!("SELECT COUNT(*) FROM {table}");
        self.backend().count(self.database_url(), &query).await
    }

    /// Runs a statement in the database, and returns how many rows it changed.
    ///
    /// # Panics
    /// If it cannot be carried out.
    pub async fn execute(&self, statement: &str) -> u64 {
        execute(self.backend(), self.database_url(), statement).await
    }

    /// The text in the first column of each row that a query finds.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        texts(self.backend(), self.database_url(), query).await
    }

    /// Stores a hash of a password, as if another system had made it.
    ///
    /// # Panics
    /// If the person has no password.
    pub async fn store_hash(&self, user_id: &str, hash: &str) {
        let of_hers = self.backend().bytes(user_id);
        let update = format!("UPDATE credentials SET hash = '{hash}' WHERE user_id = {of_hers}");
        assert_eq!(self.execute(&update).await, 1);
    }

    /// The names of all tables.
    pub async fn tables(&self) -> Vec<String> {
        let query = match self.backend() {
            Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            Backend::Postgres => {
                "SELECT table_name::text FROM information_schema.tables \
                 WHERE table_schema = 'public' ORDER BY table_name"
            }
            Backend::MariaDb => {
                "SELECT table_name FROM information_schema.tables \
                 WHERE table_schema = DATABASE() ORDER BY table_name"
            }
        };
        self.texts(query).await
    }

    /// What all tables hold, in so far as it shows in the number of rows and in
    /// the smallest and largest number of each column.
    pub async fn contents(&self) -> Vec<String> {
        let mut contents = Vec::new();
        for table in self.tables().await {
            contents.push(format!("{table}: {} rows", self.rows(&table).await));
            for column in self.number_columns(&table).await {
                for extreme in ["MIN", "MAX"] {
                    let query = format!("SELECT COALESCE({extreme}({column}), 0) FROM {table}");
                    let number = self.backend().count(self.database_url(), &query).await;
                    contents.push(format!("{table}.{column}: {extreme} {number}"));
                }
            }
        }
        contents
    }

    /// What all columns of all tables hold: bytes in hex, texts as they are as well.
    pub async fn dump(&self) -> Vec<String> {
        let mut dump = Vec::new();
        for table in self.tables().await {
            let columns = match self.backend() {
                Backend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
                Backend::Postgres => format!(
                    "SELECT CONCAT(column_name, '') FROM information_schema.columns \
                     WHERE table_schema = 'public' AND table_name = '{table}'"
                ),
                Backend::MariaDb => format!(
                    "SELECT CONCAT(column_name, '') FROM information_schema.columns \
                     WHERE table_schema = DATABASE() AND table_name = '{table}'"
                ),
            };
            for column in self.texts(&columns).await {
                let text = match self.backend() {
                    Backend::Sqlite => {
                        let hex = format!("LOWER(HEX({column}))");
                        let text = format!("{hex} || ' ' || CAST({column} AS TEXT)");
                        format!("CASE typeof({column}) WHEN 'blob' THEN {hex} ELSE {text} END")
                    }
                    Backend::Postgres => format!("{column}::text"),
                    Backend::MariaDb => format!(
                        "CONVERT(CONCAT_WS(' ', LOWER(HEX({column})), \
                         CONVERT({column} USING utf8mb4)) USING utf8mb4)"
                    ),
                };
                let query = format!("SELECT {text} FROM {table} WHERE {column} IS NOT NULL");
                dump.extend(self.texts(&query).await);
            }
        }
        dump
    }

    /// The names of a table's columns that hold numbers of 64 bits.
    pub async fn number_columns(&self, table: &str) -> Vec<String> {
        let query = match self.backend() {
            Backend::Sqlite => {
                format!("SELECT name FROM pragma_table_info('{table}') WHERE type LIKE '%int%'")
            }
            Backend::Postgres => format!(
                "SELECT column_name::text FROM information_schema.columns \
                 WHERE table_name = '{table}' AND data_type = 'bigint'"
            ),
            Backend::MariaDb => format!(
                "SELECT column_name FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' \
                 AND data_type = 'bigint'"
            ),
        };
        self.texts(&query).await
    }
}

/// Runs a statement in a database.
///
/// # Panics
/// If it cannot be carried out.
pub(crate) async fn execute(backend: Backend, url: &str, statement: &str) -> u64 {
    let text = AssertSqlSafe(statement.to_owned());
    let work = async {
        let rows = match backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(url).await?;
                connection.execute(text).await?.rows_affected()
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(url).await?;
                connection.execute(text).await?.rows_affected()
            }
            Backend::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await?;
                connection.execute(text).await?.rows_affected()
            }
        };
        Ok::<_, sqlx::Error>(rows)
    };
    match tokio::time::timeout(TIME_LIMIT, work).await {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => panic!("{statement}: {error}"),
        Err(_) => panic!("{statement}: no answer"),
    }
}

/// The text in the first column of each row that a query finds.
///
/// # Panics
/// If it cannot be asked.
pub(crate) async fn texts(backend: Backend, url: &str, query: &str) -> Vec<String> {
    let text = AssertSqlSafe(query.to_owned());
    let work = async {
        match backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(url).await?;
                let rows = sqlx::query_scalar(text);
                rows.fetch_all(&mut connection).await
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(url).await?;
                let rows = sqlx::query_scalar(text);
                rows.fetch_all(&mut connection).await
            }
            Backend::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await?;
                let rows = sqlx::query_scalar::<_, Vec<u8>>(text);
                let rows = rows.fetch_all(&mut connection).await?;
                // It takes bytes for UTF-8 that are none.
                let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
                Ok(rows.iter().map(text).collect())
            }
        }
    };
    match tokio::time::timeout(TIME_LIMIT, work).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => panic!("{query}: {error}"),
        Err(_) => panic!("{query}: no answer"),
    }
}
