//! The words in which migrations are written: the columns that all tables share,
//! and the statements of a step on each database.

use sea_orm::sea_query::{
    ColumnDef, ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index,
    IndexCreateStatement, Table, TableCreateStatement,
};
use sea_orm::{DbBackend, Statement};

/// A change of the tables.
pub(super) struct Migration {
    /// Its number in the list, from 1.
    pub(super) version: i64,
    pub(super) name: &'static str,
    /// The oldest version whose release can work with the tables after this
    /// change: that of the previous release, if it only adds.
    pub(super) compatible_from: i64,
    /// Its statements, each of which can be repeated.
    pub(super) steps: fn(DbBackend) -> Vec<Statement>,
}

/// A table with its indexes, if it is not there yet.
///
/// On MySQL the indexes are part of the statement, which has no other way to say
/// "if it is not there", and so are the character set and the collation: text
/// compares byte for byte, whatever the server's defaults are.
pub(super) fn create(
    backend: DbBackend,
    mut table: TableCreateStatement,
    indexes: Vec<IndexCreateStatement>,
) -> Vec<Statement> {
    table.if_not_exists();
    if backend == DbBackend::MySql {
        table
            .engine("InnoDB")
            .character_set("utf8mb4")
            .collate("utf8mb4_bin");
        for mut index in indexes {
            table.index(&mut index);
        }
        return vec![backend.build(&table)];
    }
    let mut statements = vec![backend.build(&table)];
    statements.extend(indexes.into_iter().map(|mut index| {
        index.if_not_exists();
        backend.build(&index)
    }));
    statements
}

/// A column of a table that is there, if it is not there yet.
///
/// SQLite cannot say "if it is not there", and need not: its migrations are all or
/// nothing. Neither can MySQL, unlike MariaDB: there the statement is made of what
/// the table has.
pub(super) fn add_column(
    backend: DbBackend,
    table: &'static str,
    column: &mut ColumnDef,
) -> Statement {
    let name = column.get_column_name();
    let mut alter = Table::alter().table(table).take();
    match backend {
        DbBackend::Postgres => alter.add_column_if_not_exists(column),
        _ => alter.add_column(column),
    };
    let statement = backend.build(&alter);
    if backend != DbBackend::MySql {
        return statement;
    }
    let sql = format!(
        "SET @step = (SELECT IF(COUNT(*) = 0, '{}', 'DO 0') FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = '{table}' AND column_name = '{name}'); \
         PREPARE step FROM @step; EXECUTE step; DEALLOCATE PREPARE step",
        statement.sql
    );
    Statement::from_string(backend, sql)
}

/// An index of a table that is there, if it is not there yet; on MySQL as above.
pub(super) fn add_index(
    backend: DbBackend,
    table: &'static str,
    columns: &[&'static str],
) -> Statement {
    add(backend, table, columns, index(table, columns))
}

/// The same, of columns whose values are held once.
pub(super) fn add_unique_index(
    backend: DbBackend,
    table: &'static str,
    columns: &[&'static str],
) -> Statement {
    let unique = index(table, columns).unique().take();
    add(backend, table, columns, unique)
}

fn add(
    backend: DbBackend,
    table: &str,
    columns: &[&str],
    mut index: IndexCreateStatement,
) -> Statement {
    if backend != DbBackend::MySql {
        return backend.build(index.if_not_exists());
    }
    let name = index_name(table, columns);
    let sql = format!(
        "SET @step = (SELECT IF(COUNT(*) = 0, '{}', 'DO 0') FROM information_schema.statistics \
         WHERE table_schema = DATABASE() AND table_name = '{table}' AND index_name = '{name}'); \
         PREPARE step FROM @step; EXECUTE step; DEALLOCATE PREPARE step",
        backend.build(&index).sql
    );
    Statement::from_string(backend, sql)
}

pub(super) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

pub(super) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(index_name(table, columns)).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

fn index_name(table: &str, columns: &[&str]) -> String {
    format!("{table}_by_{}", columns.join("_and_"))
}

/// 16 bytes.
pub(super) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(16).not_null().take()
}

pub(super) fn text(name: &'static str, characters: u32) -> ColumnDef {
    ColumnDef::new(name)
        .string_len(characters)
        .not_null()
        .take()
}

/// A number, or a time in milliseconds since 1970.
pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

pub(super) fn optional_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// What is a user's own goes with the user.
pub(super) fn to_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_to_users"))
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

/// What is a caller's own goes with the caller, also where the release before
/// deletes it.
pub(super) fn to_caller(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_to_callers"))
        .from(table, "caller")
        .to("callers", "name")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
