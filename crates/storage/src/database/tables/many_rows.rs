//! Inserting many rows of a table at once. PostgreSQL is given the columns as arrays: one
//! prepared statement for any number of rows, which it plans once. The others get one
//! row of values for each.

use std::thread;

use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{
    ActiveModelTrait, ActiveValue, DbBackend, IntoActiveModel, Iterable as _, Statement,
};

use crate::database::connection::Db;
use crate::database::error::{store_error, unavailable};

/// How many rows of values a statement has at the most. SQLite works in this process, where
/// calls wait for a core meanwhile: a statement is soon made and done.
const ROWS: usize = 50;

/// Adds rows; [`StoreError::Taken`] if one of them is there already.
pub(super) async fn insert<E>(
    db: &Db<'_>,
    name: &'static str,
    rows: Vec<E::Model>,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    let rows: Vec<E::ActiveModel> = rows.collect();
    let statement = db.statement(name);
    if db.dialect().backend == DbBackend::Postgres {
        let insert = of_arrays::<E>(&rows)?;
        let inserted = statement.execute_raw(insert).await;
        return inserted.map(drop).map_err(store_error);
    }
    for rows in rows.chunks(ROWS) {
        thread::yield_now();
        E::insert_many(rows.to_vec())
            .exec_without_returning(&statement)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

/// What stands in an array for NULL, of which the driver knows none: a control
/// character, and a number, that no column has.
const NO_TEXT: &str = "\u{1}";
const NO_NUMBER: i64 = i64::MIN;

/// The statement that inserts rows by their columns.
fn of_arrays<E>(rows: &[E::ActiveModel]) -> Result<Statement, StoreError>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
{
    let (mut names, mut arrays, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut aliases, mut selected) = (Vec::new(), Vec::new());
    for (number, column) in (1..).zip(E::Column::iter()) {
        let (array, type_name, null) = match column.def().get_column_type() {
            ColumnType::BigInteger => (ArrayType::BigInt, "bigint", NO_NUMBER.to_string()),
            ColumnType::String(_) | ColumnType::Text => {
                (ArrayType::String, "text", "chr(1)".to_owned())
            }
            _ => (ArrayType::Bytes, "bytea", "NULL".to_owned()),
        };
        let of_column = rows.iter().map(|row| match row.get(column) {
            ActiveValue::Set(value) | ActiveValue::Unchanged(value) => Some(match value {
                Value::String(None) => NO_TEXT.into(),
                Value::BigInt(None) => NO_NUMBER.into(),
                value => value,
            }),
            ActiveValue::NotSet => None,
        });
        let of_column: Option<Vec<Value>> = of_column.collect();
        let of_column = of_column.ok_or_else(|| unavailable("a column of a row is not set"))?;
        names.push(format!("\"{}\"", column.as_str()));
        arrays.push(format!("${number}::{type_name}[]"));
        aliases.push(format!("c{number}"));
        selected.push(match column.def().is_null() {
            true => format!("NULLIF(c{number}, {null})"),
            false => format!("c{number}"),
        });
        values.push(Value::Array(array, Some(Box::new(of_column))));
    }
    let table = E::default();
    let sql = format!(
        "INSERT INTO \"{}\" ({}) SELECT {} FROM unnest({}) AS rows ({})",
        table.table_name(),
        names.join(", "),
        selected.join(", "),
        arrays.join(", "),
        aliases.join(", "),
    );
    Ok(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
}
