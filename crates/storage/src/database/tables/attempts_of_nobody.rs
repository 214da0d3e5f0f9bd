//! Attempts at passwords of those who are not there, so that they take as long
//! as those of users: a durable change of one row.

use countersign_domain::ports::StoreError;
use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;

use crate::database::connection::Db;
use crate::database::error::store_error;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts_of_nobody")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub attempts: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The count begins anew at this number: none is too large for one more.
const MOST: i64 = 1_000_000_000;

/// Counts one. A row is made when it is first needed.
pub(super) async fn count(db: &Db<'_>, row: u8) -> Result<(), StoreError> {
    let id = i64::from(row);
    let updated = Entity::update_many()
        .col_expr(
            Column::Attempts,
            Expr::col(Column::Attempts).modulo(MOST).add(1_i64),
        )
        .filter(Column::Id.eq(id))
        .exec(&db.statement("attempts_of_nobody.count"))
        .await
        .map_err(store_error)?;
    if updated.rows_affected > 0 {
        return Ok(());
    }
    let first = Model { id, attempts: 1 }.into_active_model();
    let inserted = Entity::insert(first)
        .exec_without_returning(&db.statement("attempts_of_nobody.insert"))
        .await;
    match inserted.map_err(store_error) {
        // Somebody else was faster.
        Ok(_) | Err(StoreError::Taken) => Ok(()),
        Err(error) => Err(error),
    }
}
