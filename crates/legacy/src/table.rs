//! The table, as a statement names it.

use sea_orm::sea_query::{Alias, IntoTableRef as _, Query, SelectStatement, TableRef};

use crate::settings::{Field, TableName};

/// The columns as they are, to be prepared only. Each is named with its table: SQLite
/// takes a quoted name that it does not know for a text.
pub(crate) fn raw_columns(table: &TableName, columns: &[(Field, String)]) -> SelectStatement {
    let mut select = Query::select();
    for (_, name) in columns {
        select.column((Alias::new(&table.table), Alias::new(name)));
    }
    select.from(reference(table)).take()
}

/// The table, with its schema if it has one.
pub(crate) fn reference(table: &TableName) -> TableRef {
    let name = Alias::new(&table.table);
    match &table.schema {
        Some(schema) => (Alias::new(schema), name).into_table_ref(),
        None => name.into_table_ref(),
    }
}
