//! Spending refresh tokens: one conditional statement for one session, and one
//! commit for many.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use countersign_domain::model::{Rotation, SessionId};
use countersign_domain::ports::{StoreError, UnitOfWork as _};
use sea_orm::sea_query::{ArrayType, ExprTrait as _, Query, Value};
use sea_orm::{DatabaseConnection, DbBackend, Statement};

use super::batches::Asked;
use super::connection::{Connection, Watch};
use super::line::Line;
use super::sessions::{bytes, day};
use super::tables::{Column as _, Sessions};
use super::unit_of_work::SqlUnitOfWork;

/// A request to rotate.
pub(super) type AskedRotation = Asked<(SessionId, Rotation), bool>;

/// One conditional statement: of many at once, one succeeds.
pub(super) async fn rotate(
    db: &Connection<'_>,
    id: SessionId,
    rotation: Rotation,
) -> Result<bool, StoreError> {
    let update = Query::update()
        .table(Sessions::Table)
        .value(Sessions::Generation, rotation.to)
        .value(Sessions::Parent, rotation.parent)
        .value(Sessions::MintedAt, rotation.minted_at.as_millis())
        .value(Sessions::ExpiresAt, rotation.expires_at.as_millis())
        .value(Sessions::OverDay, day(rotation.expires_at))
        .and_where(Sessions::Id.col().eq(bytes(id)))
        .and_where(Sessions::Generation.col().eq(rotation.from))
        .and_where(Sessions::RevokedAt.col().is_null())
        .take();
    Ok(db.execute(&update).await? == 1)
}

/// Rotates many sessions. Each is answered as [`rotate`] would answer it.
///
/// MySQL has no statement that changes several rows and tells which; there each
/// rotation is its own, and the server commits them in groups.
pub(super) async fn carry_out(
    pool: DatabaseConnection,
    line: Arc<Option<Line>>,
    watch: Watch,
    batch: Vec<AskedRotation>,
) {
    match (pool.get_database_backend(), line.as_ref()) {
        (DbBackend::Postgres, Some(line)) => together(&pool, line, &watch, batch).await,
        (DbBackend::Sqlite, _) => in_one_transaction(&pool, &watch, batch).await,
        _ => one_by_one(&pool, &watch, batch),
    }
}

/// Each as a task: one that waits for a lock does not keep the others waiting.
fn one_by_one(pool: &DatabaseConnection, watch: &Watch, batch: Vec<AskedRotation>) {
    for asked in batch {
        let (pool, watch) = (pool.clone(), watch.clone());
        tokio::spawn(async move {
            let (id, rotation) = asked.what;
            let db = Connection::new(&pool, &watch);
            asked.answer(rotate(&db, id, rotation).await);
        });
    }
}

/// SQLite's file has one writer: many changes in one transaction, one sync.
async fn in_one_transaction(pool: &DatabaseConnection, watch: &Watch, batch: Vec<AskedRotation>) {
    let rotate_all = async {
        let unit = SqlUnitOfWork::begin(pool, watch).await?;
        let mut rotated = Vec::with_capacity(batch.len());
        for asked in &batch {
            let (id, rotation) = asked.what;
            rotated.push(rotate(&unit.db(), id, rotation).await?);
        }
        Box::new(unit).commit().await?;
        Ok(rotated)
    };
    match rotate_all.await {
        Ok(rotated) => {
            for (asked, was_rotated) in batch.into_iter().zip(rotated) {
                asked.answer(Ok(was_rotated));
            }
        }
        Err(error) => fail(batch, &error),
    }
}

fn fail(batch: Vec<AskedRotation>, error: &StoreError) {
    for asked in batch {
        asked.answer(Err(error.clone()));
    }
}

/// Rotates in one statement what can be rotated at once, and the rest one by
/// one: second requests for the same session, rows that somebody has locked,
/// and those who have lost, who must hear it from a statement of their own.
async fn together(
    pool: &DatabaseConnection,
    line: &Line,
    watch: &Watch,
    batch: Vec<AskedRotation>,
) {
    let mut firsts = HashMap::new();
    let mut rest = Vec::new();
    for asked in batch {
        let (id, _) = asked.what;
        if let Some(earlier) = firsts.insert(id, asked) {
            rest.push(earlier);
        }
    }
    let asked: Vec<_> = firsts.values().map(|asked| asked.what).collect();
    let db = Connection::over_line(pool, Some(line), watch);
    let rotated = match rotate_at_once(&db, &asked).await {
        Ok(rotated) => rotated,
        Err(StoreError::Conflict) => HashSet::new(),
        Err(error) => {
            rest.extend(firsts.into_values());
            return fail(rest, &error);
        }
    };
    for (id, asked) in firsts {
        if rotated.contains(&id) {
            asked.answer(Ok(true));
        } else {
            rest.push(asked);
        }
    }
    one_by_one(pool, watch, rest);
}

/// PostgreSQL only. Rows that are locked are skipped, not waited for: neither
/// can batches deadlock nor can one stuck session hold the others up.
async fn rotate_at_once(
    db: &Connection<'_>,
    rotations: &[(SessionId, Rotation)],
) -> Result<HashSet<SessionId>, StoreError> {
    const SQL: &str = "\
        WITH asked AS ( \
            SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], \
                $5::bigint[], $6::bigint[], $7::bigint[]) \
            AS asked (id, was, generation, parent, minted_at, expires_at, over_day) \
        ), free AS ( \
            SELECT sessions.id FROM sessions JOIN asked ON asked.id = sessions.id \
            WHERE sessions.generation = asked.was AND sessions.revoked_at IS NULL \
            FOR UPDATE OF sessions SKIP LOCKED \
        ) \
        UPDATE sessions SET generation = asked.generation, parent = asked.parent, \
            minted_at = asked.minted_at, expires_at = asked.expires_at, \
            over_day = asked.over_day \
        FROM asked JOIN free ON free.id = asked.id \
        WHERE sessions.id = asked.id AND sessions.generation = asked.was \
            AND sessions.revoked_at IS NULL \
        RETURNING sessions.id";
    let numbers = |number: fn(&Rotation) -> i64| {
        let values = rotations
            .iter()
            .map(|(_, rotation)| number(rotation).into());
        array(ArrayType::BigInt, values.collect())
    };
    let ids = rotations.iter().map(|(id, _)| bytes(*id).into()).collect();
    let values = [
        array(ArrayType::Bytes, ids),
        numbers(|rotation| rotation.from),
        numbers(|rotation| rotation.to),
        numbers(|rotation| rotation.parent),
        numbers(|rotation| rotation.minted_at.as_millis()),
        numbers(|rotation| rotation.expires_at.as_millis()),
        numbers(|rotation| day(rotation.expires_at)),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, SQL, values);
    let rotated = db
        .all_of(statement, |row| {
            row.bytes(Sessions::Id).map(SessionId::from_bytes)
        })
        .await?;
    Ok(rotated.into_iter().collect())
}

fn array(of: ArrayType, values: Vec<Value>) -> Value {
    Value::Array(of, Some(Box::new(values)))
}
