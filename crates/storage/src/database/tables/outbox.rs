//! Messages on their way out, sealed.

use async_trait::async_trait;
use countersign_domain::model::{
    Backlog, ClaimedMessage, DeliveryState, MessageId, MessageKind, QueuedMessage, Settlement,
    Timestamp,
};
use countersign_domain::ports::{Outbox, OutboxChanges, StoreError, UnitOfWork as _};
use metrics::counter;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, ExprTrait as _, LockBehavior, LockType};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, parsed};
use crate::database::connection::Db;
use crate::database::error::{store_error, unavailable};
use crate::database::group_commit;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. `due_at` is when it may be claimed: while it is being sent, when the
/// claim ends; NULL when it is not sent any more.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub kind: String,
    pub state: String,
    pub sealed: Vec<u8>,
    pub attempts: i64,
    pub due_at: Option<i64>,
    pub created_at: i64,
    pub expires_at: i64,
}

/// The columns of the backlog.
const MESSAGES: &str = "messages";
const OLDEST: &str = "oldest";

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

impl From<&QueuedMessage> for Model {
    fn from(message: &QueuedMessage) -> Self {
        Self {
            id: stored(message.id),
            kind: message.kind.as_str().into(),
            state: DeliveryState::Queued.as_str().into(),
            sealed: message.sealed.clone(),
            attempts: 0,
            due_at: Some(message.created_at.as_millis()),
            created_at: message.created_at.as_millis(),
            expires_at: message.expires_at.as_millis(),
        }
    }
}

impl TryFrom<Model> for ClaimedMessage {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let state = parsed(Column::State, DeliveryState::from_stored(&row.state))?;
        let message = QueuedMessage {
            id: MessageId::from_bytes(bytes(Column::Id, row.id)?),
            kind: parsed(Column::Kind, MessageKind::from_stored(&row.kind))?,
            sealed: row.sealed,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        };
        Ok(Self {
            message,
            attempts: parsed(Column::Attempts, row.attempts.try_into().ok())?,
            is_doubtful: state == DeliveryState::Sending,
        })
    }
}

#[async_trait]
impl Outbox for Database {
    async fn enqueue(&self, message: &QueuedMessage) -> Result<(), StoreError> {
        group_commit::ask_for_a_change(&self.messages, message.clone()).await
    }

    /// Rows that somebody else is claiming are passed over. Those that cannot be
    /// read are not tried again, or they would be in the way of all others.
    async fn claim_messages(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedMessage>, StoreError> {
        let is_any = Entity::find().filter(is_claimable(now)).limit(1);
        let is_any = rows::first(is_any, &self.reader().statement("outbox.is_any_due")).await?;
        if is_any.is_none() {
            return Ok(Vec::new());
        }
        let unit = SqlUnitOfWork::begin(&self.pools.writer, self.pools.patience).await?;
        let db = unit.db();
        let mut claimed = Vec::new();
        let mut given_up = 0;
        // Of many notices a code waits for none. Each statement has an index of its own,
        // and the second finds none of what the first has claimed.
        let codes = Column::Kind.eq(MessageKind::Code.as_str());
        for of in [Cond::all().add(codes), Cond::all()] {
            let rest = (limit as usize).saturating_sub(claimed.len() + given_up);
            if rest == 0 {
                break;
            }
            let select = Entity::find()
                .filter(of)
                .filter(is_claimable(now))
                .order_by_asc(Column::DueAt)
                .order_by_asc(Column::Id)
                .limit(rest as u64)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            let rows = rows::all(select, &db.statement("outbox.claimable")).await?;
            let (readable, damaged) = self.claim_rows(&db, &rows, until).await?;
            claimed.extend(readable);
            given_up += damaged;
        }
        Box::new(unit).commit().await?;
        count_unreadable(given_up);
        Ok(claimed)
    }

    async fn settle_messages(&self, settled: &[(MessageId, Settlement)]) -> Result<(), StoreError> {
        let ids_of = |is_such: fn(Settlement) -> bool| {
            let of = settled.iter().filter(move |(_, other)| is_such(*other));
            of.map(|(id, _)| stored(*id)).collect::<Vec<_>>()
        };
        let unit = SqlUnitOfWork::begin(&self.pools.writer, self.pools.patience).await?;
        let db = unit.db();
        let sent = ids_of(Settlement::is_final);
        if !sent.is_empty() {
            Entity::delete_many()
                .filter(Column::Id.is_in(sent))
                .exec(&db.statement("outbox.sent"))
                .await
                .map_err(store_error)?;
        }
        let failed = ids_of(|settlement| settlement == Settlement::Failed);
        if !failed.is_empty() {
            put_back(&db, failed, DeliveryState::Failed, None).await?;
        }
        for (id, settlement) in settled {
            if let Settlement::RetryAt(due_at) = settlement {
                put_back(&db, vec![stored(*id)], DeliveryState::Queued, Some(*due_at)).await?;
            }
        }
        Box::new(unit).commit().await
    }

    async fn delivery_state(&self, id: MessageId) -> Result<Option<DeliveryState>, StoreError> {
        let db = self.reader();
        let select = Entity::find_by_id(stored(id))
            .filter(Expr::col(Column::ExpiresAt).gt(Expr::cust(db.dialect().now_millis)));
        let row = rows::first(select, &db.statement("outbox.state")).await?;
        row.map(|row| {
            let row = rows::model::<Entity>(&row, ALONE)?;
            parsed(Column::State, DeliveryState::from_stored(&row.state))
        })
        .transpose()
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let db = self.reader();
        let select = Entity::find()
            .select_only()
            .column_as(Column::Id.count(), MESSAGES)
            .column_as(Column::CreatedAt.min(), OLDEST)
            .filter(Column::DueAt.is_not_null())
            .filter(Expr::col(Column::ExpiresAt).gt(Expr::cust(db.dialect().now_millis)));
        let row = rows::first(select, &db.statement("outbox.backlog")).await?;
        let row = row.ok_or_else(|| unavailable("it did not count its messages"))?;
        let messages: i64 = row.try_get("", MESSAGES).map_err(store_error)?;
        let oldest: Option<i64> = row.try_get("", OLDEST).map_err(store_error)?;
        Ok(Backlog {
            messages: messages.cast_unsigned(),
            oldest: oldest.map(Timestamp::from_millis),
        })
    }
}

#[async_trait]
impl OutboxChanges for SqlUnitOfWork {
    async fn insert_message(&mut self, message: &QueuedMessage) -> Result<(), StoreError> {
        insert(&self.db(), message).await.map_err(store_error)
    }
}

impl Database {
    /// Claims those of the rows that can be read, and gives up the others. How many
    /// these are.
    async fn claim_rows(
        &self,
        db: &Db<'_>,
        rows: &[QueryResult],
        until: Timestamp,
    ) -> Result<(Vec<ClaimedMessage>, usize), StoreError> {
        let claimed = self.damaged.readable("outbox", rows, key, |row| {
            rows::model::<Entity>(row, ALONE)?.try_into()
        });
        let ids = claimed
            .iter()
            .map(|claimed: &ClaimedMessage| stored(claimed.message.id));
        let ids: Vec<_> = ids.collect();
        let all = rows
            .iter()
            .filter_map(|row| row.try_get("", Column::Id.as_str()).ok());
        let damaged: Vec<_> = all.filter(|id| !ids.contains(id)).collect();
        let given_up = damaged.len();
        if !damaged.is_empty() {
            put_back(db, damaged, DeliveryState::Failed, None).await?;
        }
        if !ids.is_empty() {
            Entity::update_many()
                .col_expr(Column::State, Expr::value(DeliveryState::Sending.as_str()))
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1_i64))
                .col_expr(Column::DueAt, Expr::value(until.as_millis()))
                .filter(Column::Id.is_in(ids))
                .exec(&db.statement("outbox.claim"))
                .await
                .map_err(store_error)?;
        }
        Ok((claimed, given_up))
    }
}

/// Of those in doubt the claim has ended, of the others the time has come.
fn is_claimable(now: Timestamp) -> Cond {
    let now = now.as_millis();
    Cond::all()
        .add(Column::DueAt.lte(now))
        .add(Column::ExpiresAt.gt(now))
        .add(
            Cond::any()
                .add(Column::State.eq(DeliveryState::Queued.as_str()))
                .add(Column::DueAt.lt(now)),
        )
}

/// Counts messages that are not sent, as nobody can read them.
pub(in crate::database) fn count_unreadable(messages: usize) {
    counter!("countersign_messages_failed_total", "kind" => "unreadable")
        .increment(messages as u64);
}

async fn put_back(
    db: &Db<'_>,
    ids: Vec<Vec<u8>>,
    state: DeliveryState,
    due_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::DueAt, Expr::value(due_at.map(Timestamp::as_millis)))
        .filter(Column::Id.is_in(ids))
        .exec(&db.statement("outbox.put_back"))
        .await
        .map(drop)
        .map_err(store_error)
}

pub(in crate::database) async fn insert(db: &Db<'_>, message: &QueuedMessage) -> Result<(), DbErr> {
    Entity::insert(Model::from(message).into_active_model())
        .exec_without_returning(&db.statement("outbox.insert"))
        .await
        .map(drop)
}

fn key(row: &QueryResult) -> Option<String> {
    let id: Vec<u8> = row.try_get("", Column::Id.as_str()).ok()?;
    let id = <[u8; 16]>::try_from(id.as_slice()).ok()?;
    Some(MessageId::from_bytes(id).to_string())
}

/// An id as it is stored.
fn stored(id: MessageId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
