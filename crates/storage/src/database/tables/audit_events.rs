//! The audit log: what is written, and what a row says.

use std::net::IpAddr;

use async_trait::async_trait;
use countersign_domain::model::{
    AuditAction, AuditActor, AuditCursor, AuditEvent, AuditEventId, AuditOutcome, AuditRefusal,
    AuditTarget, EventDevice, GroupId, Origin, RefusedAttempts, SessionId, Timestamp, UserId,
};
use countersign_domain::ports::{AuditChanges, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, OnConflict};
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

use super::rows::{self, bytes, corrupt, instant, parsed};
use crate::database::error::store_error;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. Nothing in it points at another table: it outlives what it tells of.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub(crate) struct Model {
    /// Begins with the time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub action: String,
    /// 1 or 0, for the index.
    pub refused: i16,
    pub refusal: Option<String>,
    pub attempts: Option<i64>,
    pub last_at: Option<i64>,
    pub actor: String,
    pub caller: Option<String>,
    pub person: Option<Vec<u8>>,
    pub user_id: Option<Vec<u8>>,
    pub group_id: Option<String>,
    pub session_id: Option<Vec<u8>>,
    pub target: Option<String>,
    pub masked: Option<String>,
    pub peer: Option<String>,
    pub client_ip: Option<String>,
    pub user_agent: String,
    pub request_id: Option<String>,
    pub detail: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&AuditEvent> for Model {
    fn from(event: &AuditEvent) -> Self {
        let refused = match event.outcome {
            AuditOutcome::Succeeded => None,
            AuditOutcome::Refused(attempts) => Some(attempts),
        };
        let (origin, target) = (&event.origin, &event.target);
        let address = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string());
        Self {
            id: event.id.as_bytes().to_vec(),
            action: event.action.as_str().into(),
            refused: i16::from(refused.is_some()),
            refusal: refused.map(|attempts| attempts.reason.as_str().into()),
            attempts: refused.map(|attempts| attempts.count.into()),
            last_at: refused.map(|attempts| attempts.last_at.as_millis()),
            actor: origin.actor.kind().into(),
            caller: origin.actor.caller().map(str::to_owned),
            person: event.person.map(|id| id.as_bytes().to_vec()),
            user_id: target.user.map(|id| id.as_bytes().to_vec()),
            group_id: target.group.as_ref().map(|id| id.as_str().into()),
            session_id: target.session.map(|id| id.as_bytes().to_vec()),
            target: target.name.clone(),
            masked: target.masked.clone(),
            peer: address(origin.peer),
            client_ip: address(event.device.ip_address),
            user_agent: event.device.user_agent.clone(),
            request_id: origin.request_id.clone(),
            detail: event.detail.clone(),
        }
    }
}

impl TryFrom<Model> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let outcome = row.outcome()?;
        let actor = AuditActor::from_stored(&row.actor, row.caller.as_deref());
        let action = AuditAction::from_stored(&row.action);
        let user = |column: Column, id: Option<Vec<u8>>| {
            let id = id.map(|id| bytes(column, id)).transpose()?;
            Ok::<_, StoreError>(id.map(UserId::from_bytes))
        };
        let session = row.session_id.map(|id| bytes(Column::SessionId, id));
        let group = |text: String| {
            let id = (!text.is_empty()).then(|| GroupId::parse(&text).ok());
            parsed(Column::GroupId, id.flatten())
        };
        Ok(Self {
            id: AuditEventId::from_bytes(bytes(Column::Id, row.id)?),
            action: parsed(Column::Action, action)?,
            outcome,
            origin: Origin {
                actor: parsed(Column::Actor, actor)?,
                peer: ip_address(Column::Peer, row.peer)?,
                request_id: row.request_id,
            },
            person: user(Column::Person, row.person)?,
            device: EventDevice {
                ip_address: ip_address(Column::ClientIp, row.client_ip)?,
                user_agent: row.user_agent,
            },
            target: AuditTarget {
                user: user(Column::UserId, row.user_id)?,
                group: row.group_id.map(group).transpose()?,
                session: session.transpose()?.map(SessionId::from_bytes),
                name: row.target,
                masked: row.masked,
            },
            detail: row.detail,
        })
    }
}

impl Model {
    fn outcome(&self) -> Result<AuditOutcome, StoreError> {
        let Some(refusal) = &self.refusal else {
            return match self.refused {
                0 => Ok(AuditOutcome::Succeeded),
                _ => Err(corrupt(Column::Refusal)),
            };
        };
        let count = self.attempts.and_then(|count| u32::try_from(count).ok());
        let last_at = parsed(Column::LastAt, self.last_at)?;
        Ok(AuditOutcome::Refused(RefusedAttempts {
            reason: parsed(Column::Refusal, AuditRefusal::from_stored(refusal))?,
            count: parsed(Column::Attempts, count)?,
            last_at: instant(Column::LastAt, last_at)?,
        }))
    }
}

fn ip_address(column: Column, text: Option<String>) -> Result<Option<IpAddr>, StoreError> {
    let read = |text: String| parsed(column, text.parse().ok());
    text.map(read).transpose()
}

/// What is not greater than any id of that time or later.
pub(super) fn first_of(at: Timestamp) -> Vec<u8> {
    AuditEventId::lower_bound(at).to_vec()
}

#[async_trait]
impl AuditChanges for SqlUnitOfWork {
    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        Entity::insert(Model::from(event).into_active_model())
            .exec_without_returning(&self.db().statement("audit_events.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    /// One statement: of those who count at the same time none is lost.
    async fn count_refused(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        let row = Model::from(event);
        let counted = Expr::col((Entity, Column::Attempts)).add(row.attempts.unwrap_or(0));
        let counting = OnConflict::column(Column::Id)
            .value(Column::Attempts, counted)
            .update_columns([
                Column::LastAt,
                Column::Actor,
                Column::Caller,
                Column::Peer,
                Column::ClientIp,
                Column::UserAgent,
                Column::RequestId,
                Column::SessionId,
            ])
            .to_owned();
        Entity::insert(row.into_active_model())
            .on_conflict(counting)
            .exec_without_returning(&self.db().statement("audit_events.count"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn erase_from_audit_log(
        &mut self,
        user: UserId,
        after: Option<&AuditCursor>,
        most: u32,
    ) -> Result<Option<AuditCursor>, StoreError> {
        let id = user.as_bytes().to_vec();
        let has_address = Column::Masked.is_not_null();
        let has_device = Column::ClientIp.is_not_null().or(Column::UserAgent.ne(""));
        let is_own = Column::Person.is_null().or(Column::Person.eq(id.clone()));
        let has_own_device = has_device.and(is_own);
        let mut of_user = Condition::all().add(Column::UserId.eq(id));
        if let Some(AuditCursor(after)) = after {
            of_user = of_user.add(Column::Id.gt(after.clone()));
        }
        let select = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(of_user.clone())
            .filter(has_address.clone().or(has_own_device.clone()))
            // Both columns: one index has this order.
            .order_by_asc(Column::UserId)
            .order_by_asc(Column::Id)
            .limit(u64::from(most));
        let found = rows::all(select, &self.db().statement("audit_events.of_user")).await?;
        let Some(last) = found.last() else {
            return Ok(None);
        };
        let last = last.try_get::<Vec<u8>>("", Column::Id.as_str());
        let last = last.map_err(store_error)?;
        let of_user = of_user.add(Column::Id.lte(last.clone()));
        let addresses = Entity::update_many()
            .col_expr(Column::Masked, Expr::value(None::<String>))
            .col_expr(Column::Detail, Expr::value(""))
            .filter(has_address);
        let devices = Entity::update_many()
            .col_expr(Column::ClientIp, Expr::value(None::<String>))
            .col_expr(Column::UserAgent, Expr::value(""))
            .filter(has_own_device);
        for update in [addresses, devices] {
            let update = update.filter(of_user.clone());
            let db = self.db().statement("audit_events.erase");
            update.exec(&db).await.map_err(store_error)?;
        }
        let has_more = found.len() == most as usize;
        Ok(has_more.then_some(AuditCursor(last)))
    }
}
