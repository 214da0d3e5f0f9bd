//! From rows to values. What cannot be read is named by its table and column,
//! never by its value.

use countersign_domain::model::{SessionId, Timestamp};
use countersign_domain::ports::StoreError;
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, DbErr, EntityTrait, FromQueryResult as _, QueryResult,
    QueryTrait, RuntimeErr,
};

use crate::database::connection::NamedStatement;
use crate::database::error::store_error;

/// The prefixes of the two tables' columns where a selection has two.
pub(in crate::database) const FIRST: &str = "A_";
pub(in crate::database) const SECOND: &str = "B_";
/// The prefix where it has one.
pub(in crate::database) const ALONE: &str = "";

/// All rows of a selection.
pub(in crate::database) async fn all<Q>(
    select: Q,
    statement: &NamedStatement<'_>,
) -> Result<Vec<QueryResult>, StoreError>
where
    Q: QueryTrait,
    Q::QueryStatement: Sync,
{
    let rows = statement.query_all(&select.into_query()).await;
    rows.map_err(store_error)
}

/// The first row of a selection.
pub(in crate::database) async fn first<Q>(
    select: Q,
    statement: &NamedStatement<'_>,
) -> Result<Option<QueryResult>, StoreError>
where
    Q: QueryTrait,
    Q::QueryStatement: Sync,
{
    let rows = all(select, statement).await?;
    Ok(rows.into_iter().next())
}

/// The columns of a table in a row, whose names begin with `prefix`.
pub(in crate::database) fn model<E: EntityTrait>(
    row: &QueryResult,
    prefix: &str,
) -> Result<E::Model, StoreError> {
    E::Model::from_query_result(row, prefix).map_err(|error| unreadable::<E>(&error, prefix))
}

/// Names the column that is of another type than it should be, or NULL.
fn unreadable<E: EntityTrait>(error: &DbErr, prefix: &str) -> StoreError {
    let column = match error {
        DbErr::Query(RuntimeErr::SqlxError(error)) => match error.as_ref() {
            sqlx::Error::ColumnDecode { index, .. } => index.trim_matches('"'),
            sqlx::Error::ColumnNotFound(column) => column,
            _ => "*",
        },
        // "A null value was encountered while decoding "column""
        DbErr::Type(text) => text.split('"').nth(1).unwrap_or("*"),
        _ => "*",
    };
    let table = E::default().table_name().to_owned();
    corrupt_in(&table, column.strip_prefix(prefix).unwrap_or(column))
}

fn corrupt_in(table: &str, column: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "{table}.{column} holds a value that cannot be read"
    ))
}

/// A column holds what it cannot.
pub(super) fn corrupt<C: ColumnTrait>(column: C) -> StoreError {
    corrupt_in(&column.entity_name().to_string(), column.as_str())
}

/// The value, if there is one.
pub(super) fn parsed<T>(column: impl ColumnTrait, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| corrupt(column))
}

/// So many bytes.
pub(super) fn bytes<const N: usize>(
    column: impl ColumnTrait,
    value: Vec<u8>,
) -> Result<[u8; N], StoreError> {
    value.try_into().map_err(|_| corrupt(column))
}

/// The bytes of the id in a column, whatever they are.
pub(super) fn stored_id(
    row: &QueryResult,
    column: impl ColumnTrait,
) -> Result<Vec<u8>, StoreError> {
    let id = row.try_get("", column.as_str());
    id.map_err(|_| corrupt(column))
}

/// The id in a column as people write it, or how many bytes are there instead.
pub(super) fn key_of_id(row: &QueryResult, column: impl ColumnTrait) -> Option<String> {
    let id = stored_id(row, column).ok()?;
    let text = match <[u8; 16]>::try_from(id.as_slice()) {
        Ok(id) => SessionId::from_bytes(id).to_string(),
        Err(_) => format!("{} bytes", id.len()),
    };
    Some(text)
}

/// Words, each as `read` understands it.
pub(super) fn words<T>(
    column: impl ColumnTrait,
    value: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let words = value.split_ascii_whitespace().map(read).collect();
    parsed(column, words)
}

/// Words as they are stored.
pub(super) fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// An instant that can be told: of the years 1 to 9999, as RFC 3339 and protobuf have
/// them.
pub(super) fn instant(column: impl ColumnTrait, millis: i64) -> Result<Timestamp, StoreError> {
    const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;
    let instant = YEARS.contains(&millis);
    parsed(column, instant.then(|| Timestamp::from_millis(millis)))
}

/// An instant that may be absent.
pub(super) fn time(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}
