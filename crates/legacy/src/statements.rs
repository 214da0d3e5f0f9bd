//! The statements: all of them SELECT. Names are quoted and values bound by the
//! library.

use std::collections::BTreeSet;

use countersign_domain::model::{Identifier, Region};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};

use crate::driver::Kind;
use crate::mapping::{IdKind, Mapping};
use crate::settings::Field;
use crate::table::reference;

/// More rows than this are not read for one identifier.
pub(crate) const MOST_HOLDERS: u64 = 20;

impl Mapping {
    /// The rows that may hold an identifier; `None` if none can.
    pub(crate) fn holders(
        &self,
        identifier: &Identifier,
        region: Region,
    ) -> Option<SelectStatement> {
        let condition = match identifier {
            Identifier::Email(email) => self.same_text(Field::Email, email.as_str())?,
            Identifier::Username(name) => self.same_text(Field::Username, name.as_str())?,
            Identifier::Phone(phone) => {
                let spellings: BTreeSet<String> = phone.spellings(region);
                Expr::col(Alias::new(self.column(Field::Phone)?)).is_in(spellings)
            }
        };
        Some(
            self.select()
                .and_where(condition)
                .limit(MOST_HOLDERS)
                .take(),
        )
    }

    /// The row with an id; `None` if no id can be so.
    pub(crate) fn by_id(&self, id: &str) -> Option<SelectStatement> {
        let condition = self.id_column().eq(self.id_value(id)?);
        Some(self.select().and_where(condition).limit(2).take())
    }

    /// The rows after an id, in the order of ids; `None` if no id can be so.
    pub(crate) fn page(&self, after: Option<&str>, size: u32) -> Option<SelectStatement> {
        let mut select = self.select();
        if let Some(after) = after {
            select.and_where(self.id_column().gt(self.id_value(after)?));
        }
        let column = Alias::new(self.column(Field::Id)?);
        Some(
            select
                .order_by(column, Order::Asc)
                .limit(size.into())
                .take(),
        )
    }

    /// Every column as text.
    fn select(&self) -> SelectStatement {
        let text = match self.kind {
            Kind::Postgres | Kind::Sqlite => "TEXT",
            Kind::MySql => "CHAR",
        };
        let mut select = Query::select();
        for (index, (_, name)) in self.columns.iter().enumerate() {
            let cell = Expr::col(Alias::new(name)).cast_as(Alias::new(text));
            select.expr_as(cell, Alias::new(format!("c{index}")));
        }
        select.from(reference(&self.table)).take()
    }

    /// A column is a text, but for its case.
    fn same_text(&self, field: Field, text: &str) -> Option<Expr> {
        let column = Expr::col(Alias::new(self.column(field)?));
        Some(match self.ignoring_case.contains(&field) {
            true => column.eq(text),
            false => Expr::expr(Func::lower(column)).eq(text),
        })
    }

    fn id_column(&self) -> Expr {
        let name = self.column(Field::Id).unwrap_or_default();
        Expr::col(Alias::new(name))
    }

    /// An id as it is compared with the column.
    fn id_value(&self, id: &str) -> Option<Expr> {
        match self.id {
            IdKind::Integer => {
                // As it is written, and no other way: 7 is not 007.
                let number = id.parse::<i64>().ok().filter(|n| n.to_string() == id);
                let large = || id.parse::<u64>().ok().filter(|n| n.to_string() == id);
                match number {
                    Some(number) => Some(Expr::val(number)),
                    None if self.kind == Kind::MySql => Some(Expr::val(large()?)),
                    None => None,
                }
            }
            IdKind::Uuid => {
                let is_uuid = id.len() == 36
                    && id.bytes().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => byte.is_ascii_hexdigit(),
                    });
                let uuid = is_uuid.then(|| Expr::val(id))?;
                Some(match self.kind {
                    Kind::Postgres => uuid.cast_as(Alias::new("UUID")),
                    Kind::MySql | Kind::Sqlite => uuid,
                })
            }
            IdKind::Text => Some(Expr::val(id)),
        }
    }
}
