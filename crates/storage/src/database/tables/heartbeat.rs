//! A row of its own that is written to find out whether the database takes
//! writes.

use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use crate::database::connection::Db;
use crate::database::error::store_error;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "heartbeat")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub beat_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes the row, durably.
pub(in crate::database) async fn beat(db: &Db<'_>) -> Result<(), StoreError> {
    let now = Expr::cust(db.dialect().now_millis);
    Entity::update_many()
        .col_expr(Column::BeatAt, now)
        .exec(&db.statement("heartbeat.beat"))
        .await
        .map(drop)
        .map_err(store_error)
}
