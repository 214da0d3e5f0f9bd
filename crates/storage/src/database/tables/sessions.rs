//! Sessions: one sign-in on one device each.

use std::net::IpAddr;

use async_trait::async_trait;
use countersign_domain::model::{
    AuthenticationMethod, ClientContext, GroupId, PageSize, PageToken, Reauthentication,
    Revocation, Rotation, Scope, Session, SessionId, Timestamp, User, UserId,
};
use countersign_domain::ports::{SessionChanges, Sessions, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, ExprTrait as _, Func};
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes as fixed, corrupt, instant, joined, parsed, time, words};
use super::{revocations, users};
use crate::database::connection::Db;
use crate::database::damaged_rows::name;
use crate::database::error::store_error;
use crate::database::group_commit;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

const MILLIS_A_DAY: i64 = 86_400_000;
/// How many ids one statement names.
const BATCH: usize = 500;

/// A row. `expiry_day` is the day, counted from 1970-01-01, on which the session
/// ended or expires. Without an `authenticated_at`, as earlier releases write it, the
/// person was authenticated at the sign-in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub user_id: Vec<u8>,
    pub group_id: String,
    pub client_id: String,
    pub audience: String,
    pub scopes: String,
    pub methods: String,
    pub ip_address: Option<String>,
    pub user_agent: String,
    pub salt: Vec<u8>,
    pub generation: i64,
    pub parent: i64,
    pub minted_at: i64,
    pub access_expires_at: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub ends_at: i64,
    pub revoked_at: Option<i64>,
    pub expiry_day: i64,
    pub authenticated_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "Column::UserId",
        to = "super::users::Column::Id"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Session> for Model {
    fn from(session: &Session) -> Self {
        let ended_at = session.revoked_at.unwrap_or(session.expires_at);
        Self {
            id: bytes(session.id),
            user_id: users::stored(session.user_id),
            group_id: session.group.as_str().into(),
            client_id: session.client_id.clone(),
            audience: session.audience.clone(),
            scopes: joined(session.scopes.iter().map(Scope::as_str)),
            methods: joined(session.methods.iter().map(|method| method.as_str())),
            ip_address: session.client.ip_address.map(|ip| ip.to_string()),
            user_agent: session.client.user_agent.clone(),
            salt: session.salt.to_vec(),
            generation: session.generation,
            parent: session.parent,
            minted_at: session.minted_at.as_millis(),
            access_expires_at: session.access_expires_at.as_millis(),
            created_at: session.created_at.as_millis(),
            expires_at: session.expires_at.as_millis(),
            ends_at: session.ends_at.as_millis(),
            revoked_at: session.revoked_at.map(Timestamp::as_millis),
            expiry_day: expiry_day(ended_at.min(session.expires_at)),
            authenticated_at: Some(session.authenticated_at.as_millis()),
        }
    }
}

impl TryFrom<Model> for Session {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId::from_bytes(fixed(Column::Id, row.id)?),
            user_id: UserId::from_bytes(fixed(Column::UserId, row.user_id)?),
            group: parsed(Column::GroupId, GroupId::parse(&row.group_id).ok())?,
            client_id: row.client_id,
            audience: row.audience,
            scopes: words(Column::Scopes, &row.scopes, |word| Scope::parse(word).ok())?,
            methods: words(
                Column::Methods,
                &row.methods,
                AuthenticationMethod::from_stored,
            )?,
            client: ClientContext {
                ip_address: read_ip_address(row.ip_address.as_deref())?,
                user_agent: row.user_agent,
            },
            salt: fixed(Column::Salt, row.salt)?,
            generation: row.generation,
            parent: row.parent,
            minted_at: Timestamp::from_millis(row.minted_at),
            access_expires_at: Timestamp::from_millis(row.access_expires_at),
            created_at: instant(Column::CreatedAt, row.created_at)?,
            authenticated_at: instant(
                Column::AuthenticatedAt,
                row.authenticated_at.unwrap_or(row.created_at),
            )?,
            expires_at: instant(Column::ExpiresAt, row.expires_at)?,
            ends_at: instant(Column::EndsAt, row.ends_at)?,
            revoked_at: time(row.revoked_at),
        })
    }
}

fn read_ip_address(text: Option<&str>) -> Result<Option<IpAddr>, StoreError> {
    text.map(|text| parsed(Column::IpAddress, text.parse().ok()))
        .transpose()
}

/// The day on which an instant lies. Cleaning looks for sessions by it: an
/// index on `expires_at` itself would change with every refresh, and PostgreSQL
/// could no longer update the row in place (HOT) and would write to every index
/// of the table.
pub(in crate::database) fn expiry_day(instant: Timestamp) -> i64 {
    instant.as_millis().div_euclid(MILLIS_A_DAY)
}

/// Whether the person was last authenticated then.
fn is_authenticated_at(instant: Timestamp) -> Expr {
    let columns = [Column::AuthenticatedAt, Column::CreatedAt].map(Expr::col);
    Expr::from(Func::coalesce(columns)).eq(instant.as_millis())
}

/// As [`Session::is_live`].
fn is_live(now: Timestamp) -> Condition {
    Cond::all()
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now.as_millis()))
}

#[async_trait]
impl Sessions for Database {
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let select = Entity::find_by_id(bytes(id));
        let row = rows::first(select, &self.reader().statement("sessions.by_id")).await?;
        row.map(|row| read(&row, ALONE)).transpose()
    }

    async fn session_with_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Session, User)>, StoreError> {
        group_commit::ask(&self.session_reads, id).await
    }

    /// Newest first: the ids are UUIDs of version 7 and sort by age. What cannot
    /// be read is left out, and the page filled up.
    async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        size: PageSize,
        after: Option<PageToken>,
    ) -> Result<Vec<Session>, StoreError> {
        let wanted = size.get() as usize + 1;
        let mut after = after.map(|PageToken(id)| bytes(id));
        let mut sessions = Vec::with_capacity(wanted);
        loop {
            let mut select = Entity::find()
                .filter(Column::UserId.eq(users::stored(user)))
                .filter(is_live(now))
                .order_by_desc(Column::Id)
                .limit(u64::from(size.get()) + 1);
            if let Some(id) = after {
                select = select.filter(Column::Id.lt(id));
            }
            let rows = rows::all(select, &self.reader().statement("sessions.live")).await?;
            let key = |row: &QueryResult| rows::key_of_id(row, Column::Id);
            let readable = |row: &QueryResult| read(row, ALONE);
            sessions.extend(self.damaged.readable("sessions", &rows, key, readable));
            match rows.last().map(|row| rows::stored_id(row, Column::Id)) {
                Some(Ok(id)) if rows.len() == wanted && sessions.len() < wanted => {
                    after = Some(id);
                }
                _ => break,
            }
        }
        sessions.truncate(wanted);
        Ok(sessions)
    }

    async fn rotate(&self, session: SessionId, rotation: Rotation) -> Result<bool, StoreError> {
        group_commit::ask(&self.rotations, (session, rotation)).await
    }
}

#[async_trait]
impl SessionChanges for SqlUnitOfWork {
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        Entity::insert(Model::from(session).into_active_model())
            .exec_without_returning(&self.db().statement("sessions.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let select = Entity::find_by_id(bytes(id)).lock_exclusive();
        let row = rows::first(select, &self.db().statement("sessions.lock")).await?;
        row.map(|row| read(&row, ALONE)).transpose()
    }

    async fn reauthenticate_session(
        &mut self,
        id: SessionId,
        change: &Reauthentication,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let expires_at = change.access_expires_at.as_millis();
        let is_sooner = Expr::col(Column::AccessExpiresAt).lt(expires_at);
        let latest = Expr::case(is_sooner, expires_at).finally(Expr::col(Column::AccessExpiresAt));
        let methods = joined(change.methods.iter().map(|method| method.as_str()));
        let updated = Entity::update_many()
            .col_expr(Column::AuthenticatedAt, Expr::value(change.at.as_millis()))
            .col_expr(Column::Methods, Expr::value(methods))
            .col_expr(Column::AccessExpiresAt, latest.into())
            .filter(Column::Id.eq(bytes(id)))
            .filter(is_live(now))
            .exec(&self.db().statement("sessions.reauthenticate"))
            .await
            .map_err(store_error)?;
        Ok(updated.rows_affected == 1)
    }

    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<Revocation>, StoreError> {
        let session = Entity::find_by_id(bytes(id)).filter(is_live(now));
        let ended = end(&self.db(), session).await?;
        Ok(ended.into_iter().next())
    }

    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        let mut sessions = Entity::find()
            .filter(Column::UserId.eq(users::stored(user)))
            .filter(is_live(now))
            .order_by_asc(Column::Id);
        if let Some(keep) = keep {
            sessions = sessions.filter(Column::Id.ne(bytes(keep)));
        }
        end(&self.db(), sessions).await
    }
}

/// Ends the selected sessions, and enters them in the feed. They are locked, so
/// that none gets new tokens meanwhile, and stamped with the time at which the
/// last of them was. One that cannot be read is ended too.
async fn end(db: &Db<'_>, sessions: Select<Entity>) -> Result<Vec<Revocation>, StoreError> {
    const STAMP: &str = "stamp";
    let select = sessions
        .select_only()
        .columns([Column::Id, Column::AccessExpiresAt])
        .column_as(Expr::cust(db.dialect().now_millis), STAMP)
        .lock_exclusive();
    let rows = rows::all(select, &db.statement("sessions.lock_to_end")).await?;
    let mut sessions = Vec::with_capacity(rows.len());
    let mut revoked_at = Timestamp::from_millis(0);
    for row in &rows {
        let stamp: i64 = row.try_get("", STAMP).map_err(store_error)?;
        revoked_at = revoked_at.max(Timestamp::from_millis(stamp));
        match id_of(row) {
            Ok(id) => sessions.push((id, last_access_expiry(row, id))),
            // No token names it.
            Err(cause) => {
                let key = rows::key_of_id(row, Column::Id).unwrap_or_default();
                name(
                    "sessions",
                    &key,
                    &cause.to_string(),
                    "a row cannot be ended",
                );
            }
        }
    }
    let ended: Vec<_> = sessions
        .into_iter()
        .map(|(session_id, access_expires_at)| Revocation {
            session_id,
            revoked_at,
            expires_at: Revocation::kept_until(access_expires_at, revoked_at),
        })
        .collect();
    for batch in ended.chunks(BATCH) {
        let ids = batch.iter().map(|revocation| bytes(revocation.session_id));
        Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(revoked_at.as_millis()))
            .col_expr(Column::ExpiryDay, Expr::value(expiry_day(revoked_at)))
            .filter(Column::Id.is_in(ids))
            .exec(&db.statement("sessions.end"))
            .await
            .map_err(store_error)?;
        revocations::insert(db, batch).await?;
    }
    Ok(ended)
}

/// When the last access token of a session expires: if that cannot be read, the
/// revocation is kept for ever.
fn last_access_expiry(row: &QueryResult, id: SessionId) -> Timestamp {
    let millis = row.try_get("", Column::AccessExpiresAt.as_str());
    Timestamp::from_millis(millis.unwrap_or_else(|_: DbErr| {
        let cause = corrupt(Column::AccessExpiresAt).to_string();
        let consequence = "a row cannot be read: its session is ended for good";
        name("sessions", &id.to_string(), &cause, consequence);
        i64::MAX
    }))
}

/// One conditional statement: of many at once, one succeeds.
pub(in crate::database) async fn rotate(
    db: &Db<'_>,
    id: SessionId,
    rotation: Rotation,
) -> Result<bool, DbErr> {
    let time = |instant: Timestamp| Expr::value(instant.as_millis());
    let updated = Entity::update_many()
        .col_expr(Column::Generation, Expr::value(rotation.to))
        .col_expr(Column::Parent, Expr::value(rotation.parent))
        .col_expr(Column::MintedAt, time(rotation.minted_at))
        .col_expr(Column::AccessExpiresAt, time(rotation.access_expires_at))
        .col_expr(Column::ExpiresAt, time(rotation.expires_at))
        .col_expr(
            Column::ExpiryDay,
            Expr::value(expiry_day(rotation.expires_at)),
        )
        .filter(Column::Id.eq(bytes(id)))
        .filter(Column::Generation.eq(rotation.from))
        .filter(is_authenticated_at(rotation.authenticated_at))
        .filter(Column::RevokedAt.is_null())
        .exec(&db.statement("sessions.rotate"))
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The id of a row that has a column `id`.
pub(in crate::database) fn id_of(row: &QueryResult) -> Result<SessionId, StoreError> {
    let id = rows::stored_id(row, Column::Id)?;
    Ok(SessionId::from_bytes(fixed(Column::Id, id)?))
}

/// Reads a session from the columns that begin with `prefix`.
pub(super) fn read(row: &QueryResult, prefix: &str) -> Result<Session, StoreError> {
    rows::model::<Entity>(row, prefix)?.try_into()
}

/// An id as it is stored.
pub(in crate::database) fn bytes(id: SessionId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
