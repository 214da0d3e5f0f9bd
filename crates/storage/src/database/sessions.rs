//! Sessions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::{
    AuthenticationMethod, ClientContext, GroupId, PageSize, PageToken, Revocation, Scope, Session,
    SessionId, Timestamp, User, UserId,
};
use countersign_domain::ports::StoreError;
use sea_orm::DatabaseConnection;
use sea_orm::sea_query::{Cond, Expr, ExprTrait as _, Order, Query, SelectStatement};

use super::batches::Asked;
use super::connection::{Connection, Watch};
use super::line::Line;
use super::row::{Row, corrupt, joined};
use super::tables::{Column as _, Sessions, Users};
use super::{revocations, users};

const MILLIS_A_DAY: i64 = 86_400_000;
/// How many ids one statement names.
const BATCH: usize = 500;

/// The day on which an instant lies. Cleaning looks for sessions by it: an
/// index on `expires_at` itself would change with every refresh, and PostgreSQL
/// could no longer update the row in place (HOT) and would write to every index
/// of the table.
pub(super) fn day(instant: Timestamp) -> i64 {
    instant.as_millis().div_euclid(MILLIS_A_DAY)
}

/// Reads the columns of [`Sessions::all`].
fn read(row: &mut Row) -> Result<Session, StoreError> {
    let session = Session {
        id: SessionId::from_bytes(row.bytes(Sessions::Id)?),
        user_id: UserId::from_bytes(row.bytes(Sessions::UserId)?),
        group: row.text(Sessions::GroupId, |text| GroupId::parse(text).ok())?,
        client_id: row.value(Sessions::ClientId)?,
        audience: row.value(Sessions::Audience)?,
        scopes: row.words(Sessions::Scopes, |word| Scope::parse(word).ok())?,
        methods: row.words(Sessions::Methods, AuthenticationMethod::from_stored)?,
        client: ClientContext {
            ip_address: read_ip_address(row)?,
            user_agent: row.value(Sessions::UserAgent)?,
        },
        salt: row.bytes(Sessions::Salt)?,
        generation: row.value(Sessions::Generation)?,
        parent: row.value(Sessions::Parent)?,
        minted_at: row.time(Sessions::MintedAt)?,
        created_at: row.time(Sessions::CreatedAt)?,
        expires_at: row.time(Sessions::ExpiresAt)?,
        ends_at: row.time(Sessions::EndsAt)?,
        revoked_at: row.optional_time(Sessions::RevokedAt)?,
    };
    let _over_day: i64 = row.value(Sessions::OverDay)?;
    Ok(session)
}

fn read_ip_address(row: &mut Row) -> Result<Option<IpAddr>, StoreError> {
    let text: Option<String> = row.value(Sessions::IpAddress)?;
    text.map(|text| text.parse().map_err(|_| corrupt(Sessions::IpAddress)))
        .transpose()
}

fn select() -> SelectStatement {
    Query::select()
        .columns(Sessions::all())
        .from(Sessions::Table)
        .take()
}

/// As [`Session::is_live`].
fn is_live(now: Timestamp) -> Cond {
    Cond::all()
        .add(Sessions::RevokedAt.col().is_null())
        .add(Sessions::ExpiresAt.col().gt(now.as_millis()))
}

pub(super) async fn session(
    db: &Connection<'_>,
    id: SessionId,
) -> Result<Option<Session>, StoreError> {
    let select = select().and_where(Sessions::Id.col().eq(bytes(id))).take();
    let row = db.first(&select).await?;
    row.map(|mut row| read(&mut row)).transpose()
}

/// Many sessions and their users. One that cannot be read spoils no other.
pub(super) async fn carry_out(
    pool: DatabaseConnection,
    line: Arc<Option<Line>>,
    watch: Watch,
    batch: Vec<Asked<SessionId, Option<(Session, User)>>>,
) {
    let db = Connection::over_line(&pool, line.as_ref().as_ref(), &watch);
    let ids: Vec<_> = batch.iter().map(|asked| asked.what).collect();
    match with_users(&db, &ids).await {
        Ok(found) => {
            for asked in batch {
                let answer = found.get(&asked.what).cloned().transpose();
                asked.answer(answer);
            }
        }
        Err(error) => {
            for asked in batch {
                asked.answer(Err(error.clone()));
            }
        }
    }
}

type Found = HashMap<SessionId, Result<(Session, User), StoreError>>;

/// The list of ids is filled up to a power of two, so that there are few
/// statements to be prepared.
async fn with_users(db: &Connection<'_>, ids: &[SessionId]) -> Result<Found, StoreError> {
    let size = ids.len().next_power_of_two();
    let filled = ids.iter().chain(ids.iter().cycle()).take(size);
    let select = select()
        .columns(Users::all())
        .inner_join(Users::Table, Users::Id.col().eq(Sessions::UserId.col()))
        .and_where(Sessions::Id.col().is_in(filled.map(|id| bytes(*id))))
        .take();
    let rows = db
        .all(&select, |row| {
            let id = SessionId::from_bytes(row.bytes(Sessions::Id)?);
            row.rewind();
            let both = read(row).and_then(|session| Ok((session, users::read(row)?)));
            Ok((id, both))
        })
        .await?;
    Ok(rows.into_iter().collect())
}

/// Newest first: the ids are UUIDs of version 7 and sort by age.
pub(super) async fn live(
    db: &Connection<'_>,
    user: UserId,
    now: Timestamp,
    size: PageSize,
    after: Option<PageToken>,
) -> Result<Vec<Session>, StoreError> {
    let select = select()
        .and_where(Sessions::UserId.col().eq(users::bytes(user)))
        .and_where_option(after.map(|PageToken(id)| Sessions::Id.col().lt(bytes(id))))
        .cond_where(is_live(now))
        .order_by((Sessions::Table, Sessions::Id), Order::Desc)
        .limit(u64::from(size.get()) + 1)
        .take();
    db.all(&select, read).await
}

pub(super) async fn insert(db: &Connection<'_>, session: &Session) -> Result<(), StoreError> {
    let ends_first = session.revoked_at.unwrap_or(session.expires_at);
    let insert = Query::insert()
        .into_table(Sessions::Table)
        .columns(Sessions::ALL.iter().copied())
        .values_panic([
            bytes(session.id).into(),
            users::bytes(session.user_id).into(),
            session.group.as_str().into(),
            session.client_id.as_str().into(),
            session.audience.as_str().into(),
            joined(session.scopes.iter().map(Scope::as_str)).into(),
            joined(session.methods.iter().map(|method| method.as_str())).into(),
            session.client.ip_address.map(|ip| ip.to_string()).into(),
            session.client.user_agent.as_str().into(),
            session.salt.to_vec().into(),
            session.generation.into(),
            session.parent.into(),
            session.minted_at.as_millis().into(),
            session.created_at.as_millis().into(),
            session.expires_at.as_millis().into(),
            session.ends_at.as_millis().into(),
            session.revoked_at.map(Timestamp::as_millis).into(),
            day(ends_first.min(session.expires_at)).into(),
        ])
        .take();
    db.execute(&insert).await.map(drop)
}

pub(super) async fn revoke(
    db: &Connection<'_>,
    id: SessionId,
    now: Timestamp,
    needed_for: Duration,
) -> Result<bool, StoreError> {
    if end(db, Sessions::Id.col().eq(bytes(id)), now).await? == 0 {
        return Ok(false);
    }
    revocations::insert(db, &[revocation(id, now, needed_for)]).await?;
    Ok(true)
}

pub(super) async fn revoke_all(
    db: &Connection<'_>,
    user: UserId,
    keep: Option<SessionId>,
    now: Timestamp,
    needed_for: Duration,
) -> Result<Vec<SessionId>, StoreError> {
    let select = Query::select()
        .expr(Sessions::Id.col())
        .from(Sessions::Table)
        .and_where(Sessions::UserId.col().eq(users::bytes(user)))
        .and_where_option(keep.map(|id| Sessions::Id.col().ne(bytes(id))))
        .cond_where(is_live(now))
        .order_by((Sessions::Table, Sessions::Id), Order::Asc)
        .lock_exclusive()
        .take();
    let ids = db
        .all(&select, |row| {
            row.bytes(Sessions::Id).map(SessionId::from_bytes)
        })
        .await?;
    for batch in ids.chunks(BATCH) {
        let named = Sessions::Id.col().is_in(batch.iter().map(|id| bytes(*id)));
        end(db, named, now).await?;
        let entries: Vec<_> = batch
            .iter()
            .map(|id| revocation(*id, now, needed_for))
            .collect();
        revocations::insert(db, &entries).await?;
    }
    Ok(ids)
}

/// Ends those of the sessions that are live, and tells how many.
async fn end(db: &Connection<'_>, which: Expr, now: Timestamp) -> Result<u64, StoreError> {
    let update = Query::update()
        .table(Sessions::Table)
        .value(Sessions::RevokedAt, now.as_millis())
        .value(Sessions::OverDay, day(now))
        .and_where(which)
        .cond_where(is_live(now))
        .take();
    db.execute(&update).await
}

fn revocation(session_id: SessionId, now: Timestamp, needed_for: Duration) -> Revocation {
    Revocation {
        session_id,
        revoked_at: now,
        expires_at: now.plus(needed_for),
    }
}

/// An id as it is stored.
pub(super) fn bytes(id: SessionId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
