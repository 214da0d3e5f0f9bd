//! The three drivers behind one type, each of which gives up writing as it connects.

use sea_orm::sea_query::{
    MysqlQueryBuilder, PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder, Values,
};
use sea_query_sqlx::SqlxValues;
use secrecy::ExposeSecret as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Error, Executor as _, SqlSafeStr as _,
    Statement as _, TypeInfo as _,
};

use crate::settings::{LegacySettings, SettingsError};
use crate::{mysql, postgres, sqlite};

/// A cell of a row, read as text by the database.
pub(crate) type Cell = Result<Option<String>, NoText>;

/// A cell that is no text in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoText;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MySql,
    Sqlite,
}

/// How to reach a database.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

/// A connection.
pub(crate) enum Driver {
    Postgres(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
    Sqlite(Box<SqliteConnection>),
}

/// Runs the same on whichever connection there is.
macro_rules! on_each {
    ($driver:expr, $connection:ident => $run:expr) => {
        match $driver {
            Driver::Postgres($connection) => $run,
            Driver::MySql($connection) => $run,
            Driver::Sqlite($connection) => $run,
        }
    };
}

impl Endpoint {
    /// The database of the settings.
    pub(crate) fn of(settings: &LegacySettings) -> Result<Self, SettingsError> {
        let url = settings.url.expose_secret();
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => {
                Ok(Self::Postgres(Box::new(postgres::options(url)?)))
            }
            Some(("mysql" | "mariadb", _)) => Ok(Self::MySql(Box::new(mysql::options(url)?))),
            Some(("sqlite", _)) => Ok(Self::Sqlite(Box::new(sqlite::options(url)?))),
            _ => Err(SettingsError::Url(
                "postgres://…, mysql://…, mariadb://… or sqlite:…",
            )),
        }
    }

    /// Which database it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Postgres(_) => Kind::Postgres,
            Self::MySql(_) => Kind::MySql,
            Self::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// For people, without a password.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Postgres(options) => format!(
                "the PostgreSQL database {} at {}:{}",
                options.get_database().unwrap_or(options.get_username()),
                options.get_host(),
                options.get_port()
            ),
            Self::MySql(options) => format!(
                "the MySQL database {} at {}:{}",
                options.get_database().unwrap_or("(none named)"),
                options.get_host(),
                options.get_port()
            ),
            Self::Sqlite(options) => {
                format!("the SQLite database {}", options.get_filename().display())
            }
        }
    }
}

impl Driver {
    /// Opens a connection that writes nothing.
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self, Error> {
        let (mut driver, setup) = match endpoint {
            Endpoint::Postgres(options) => {
                let connection = PgConnection::connect_with(options).await?;
                (Self::Postgres(Box::new(connection)), postgres::setup())
            }
            Endpoint::MySql(options) => {
                let connection = MySqlConnection::connect_with(options).await?;
                (Self::MySql(Box::new(connection)), mysql::setup())
            }
            Endpoint::Sqlite(options) => {
                let connection = SqliteConnection::connect_with(options).await?;
                return Ok(Self::Sqlite(Box::new(connection)));
            }
        };
        let setup = AssertSqlSafe(setup);
        on_each!(&mut driver, connection => connection.execute(setup).await.map(drop))?;
        Ok(driver)
    }

    /// The rows of a statement all of whose columns are texts.
    pub(crate) async fn rows(
        &mut self,
        statement: &SelectStatement,
    ) -> Result<Vec<Vec<Cell>>, Error> {
        let (sql, values) = match self {
            Self::Postgres(_) => statement.build(PostgresQueryBuilder),
            Self::MySql(_) => statement.build(MysqlQueryBuilder),
            Self::Sqlite(_) => statement.build(SqliteQueryBuilder),
        };
        self.texts(&sql, values).await
    }

    /// The rows of a statement in SQL, likewise.
    pub(crate) async fn texts(
        &mut self,
        sql: &str,
        values: Values,
    ) -> Result<Vec<Vec<Cell>>, Error> {
        let (sql, values) = (AssertSqlSafe(sql), SqlxValues(values));
        on_each!(self, connection => {
            let rows = sqlx::query_with(sql, values).fetch_all(&mut **connection).await?;
            let cells = |row: &_| cells(row);
            Ok(rows.iter().map(cells).collect())
        })
    }

    /// The names of the types of the columns that a statement would answer with, in one
    /// row.
    pub(crate) async fn types(
        &mut self,
        statement: &SelectStatement,
    ) -> Result<Vec<Vec<Cell>>, Error> {
        let sql = match self {
            Self::Postgres(_) => statement.to_string(PostgresQueryBuilder),
            Self::MySql(_) => statement.to_string(MysqlQueryBuilder),
            Self::Sqlite(_) => statement.to_string(SqliteQueryBuilder),
        };
        let sql = AssertSqlSafe(sql).into_sql_str();
        on_each!(self, connection => {
            let prepared = connection.prepare(sql).await?;
            let columns = prepared.columns().iter();
            let names = columns.map(|column| column.type_info().name().to_ascii_uppercase());
            Ok(vec![names.map(|name| Ok(Some(name))).collect()])
        })
    }
}

fn cells<R>(row: &R) -> Vec<Cell>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    for<'a> Option<String>: sqlx::Decode<'a, R::Database> + sqlx::Type<R::Database>,
{
    (0..row.len())
        .map(|index| row.try_get(index).map_err(|_| NoText))
        .collect()
}
