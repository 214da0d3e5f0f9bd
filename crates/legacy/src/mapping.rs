//! What the columns of the table are, which is looked at once: it decides how they
//! are compared.

use countersign_domain::ports::ExistingUsersError;
use sea_orm::sea_query::Values;

use crate::connection::{Connections, Question};
use crate::driver::Kind;
use crate::error::mapping;
use crate::limits::STATEMENT_LIMIT;
use crate::settings::{Field, TableName};
use crate::table::raw_columns;

/// The table, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) kind: Kind,
    pub(crate) table: TableName,
    /// The columns that are read, in the order in which they are asked for.
    pub(crate) columns: Vec<(Field, String)>,
    pub(crate) id: IdKind,
    /// Columns of which comparing them as they are ignores case.
    pub(crate) ignoring_case: Vec<Field>,
}

/// What ids are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    Integer,
    Uuid,
    Text,
}

impl Mapping {
    /// The name of a column, if it is read.
    pub(crate) fn column(&self, field: Field) -> Option<&str> {
        let column = self.columns.iter().find(|(of, _)| *of == field);
        column.map(|(_, name)| name.as_str())
    }

    /// Looks at the table.
    ///
    /// # Errors
    /// The database does not answer; the table or a column is not there, or is of a type
    /// that is not read as what it is named for.
    pub(crate) async fn look(
        connections: &Connections,
        kind: Kind,
        table: TableName,
        columns: Vec<(Field, String)>,
    ) -> Result<Self, ExistingUsersError> {
        let raw = raw_columns(&table, &columns);
        let types = connections.ask(STATEMENT_LIMIT, Question::Types(&raw));
        let types = types.await?.into_iter().flatten();
        let types = types.map(|name| name.ok().flatten().unwrap_or_default());
        let ignoring_case = match kind {
            Kind::MySql => ignoring_case(connections, &table, &columns).await?,
            Kind::Postgres | Kind::Sqlite => Vec::new(),
        };
        let mut id = IdKind::Text;
        for ((field, name), type_name) in columns.iter().zip(types) {
            match field {
                Field::Id => id = id_kind(name, &type_name)?,
                Field::Email | Field::Phone | Field::Username | Field::Password => {
                    check_text(name, &type_name)?;
                }
                Field::Name | Field::Active | Field::Banned | Field::WithdrawnAt => {}
            }
        }
        Ok(Self {
            kind,
            table,
            columns,
            id,
            ignoring_case,
        })
    }
}

/// The columns whose collation ignores case.
async fn ignoring_case(
    connections: &Connections,
    table: &TableName,
    columns: &[(Field, String)],
) -> Result<Vec<Field>, ExistingUsersError> {
    let mut ignoring = Vec::new();
    for (field, name) in columns {
        if !matches!(field, Field::Email | Field::Username) {
            continue;
        }
        let values = Values(vec![
            table.schema.clone().into(),
            table.table.clone().into(),
            name.clone().into(),
        ]);
        let asked = connections.ask(STATEMENT_LIMIT, Question::Collation(&values));
        let collation = asked.await?.into_iter().flatten().next();
        if let Some(Ok(Some(collation))) = collation
            && collation.ends_with("_ci")
        {
            ignoring.push(*field);
        }
    }
    Ok(ignoring)
}

fn id_kind(name: &str, type_name: &str) -> Result<IdKind, ExistingUsersError> {
    let is_whole = ["INT", "SERIAL"]
        .iter()
        .any(|part| type_name.contains(part));
    if is_whole && type_name != "INTERVAL" && type_name != "POINT" {
        return Ok(IdKind::Integer);
    }
    if type_name == "UUID" {
        return Ok(IdKind::Uuid);
    }
    match is_text(type_name) {
        true => Ok(IdKind::Text),
        false => Err(mapping(format!(
            "the column {name} is {type_name}: an id must be a whole number, a UUID or a text"
        ))),
    }
}

fn check_text(name: &str, type_name: &str) -> Result<(), ExistingUsersError> {
    match is_text(type_name) {
        true => Ok(()),
        false => Err(mapping(format!(
            "the column {name} is {type_name}: it must be a text"
        ))),
    }
}

/// Whether a type is one of texts. SQLite has no type for columns that name none.
fn is_text(type_name: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "BINARY", "BIT", "BLOB", "BOOL", "BYTEA", "DATE", "DEC", "DOUBLE", "FLOAT", "INT", "JSON",
        "NUMERIC", "REAL", "TIME",
    ];
    !OTHERS.iter().any(|other| type_name.contains(other))
}
