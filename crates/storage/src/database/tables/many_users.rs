//! Many users at once: each table is written in one statement, or in few where a
//! statement takes no more parameters.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use countersign_domain::model::{
    ExternalId, GroupId, HeldDigest, Identifier, IdentifierKind, Timestamp, Tombstone,
    TombstoneDigest, UserId,
};
use countersign_domain::ports::{ManyUserChanges, ManyUsers, NewAccount, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{DbBackend, QueryResult, QuerySelect as _, Statement};

use super::many_rows;
use super::rows::{self, ALONE, bytes, corrupt, parsed};
use super::{credentials, identifier_undos, identifiers, tombstones, user_roles, users};
use crate::database::connection::NamedStatement;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// How many keys a statement looks for.
const KEYS: usize = 500;

#[async_trait]
impl ManyUsers for Database {
    async fn users_by_external_ids(
        &self,
        group: &GroupId,
        ids: &[&ExternalId],
    ) -> Result<HashMap<ExternalId, UserId>, StoreError> {
        use users::{Column, Entity};
        let reader = self.reader();
        let mut found = HashMap::new();
        for ids in ids.chunks(KEYS) {
            let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
            let statement = reader.statement("users.by_external_ids");
            let rows = if reader.dialect().backend == DbBackend::Postgres {
                let values = [group.as_str().into(), array(&ids)];
                one_by_one(&statement, USERS_ONE_BY_ONE, values).await?
            } else {
                let select = Entity::find()
                    .select_only()
                    .column(Column::Id)
                    .column(Column::ExternalId)
                    .filter(Column::GroupId.eq(group.as_str()))
                    .filter(Column::ExternalId.is_in(ids));
                rows::all(select, &statement).await?
            };
            for row in rows {
                let id = UserId::from_bytes(bytes(Column::Id, rows::stored_id(&row, Column::Id)?)?);
                let external_id = text(&row, Column::ExternalId)?;
                let external_id = ExternalId::parse(&external_id).ok();
                found.insert(parsed(Column::ExternalId, external_id)?, id);
            }
        }
        Ok(found)
    }

    async fn held_identifiers(
        &self,
        group: &GroupId,
        wanted: &[&Identifier],
    ) -> Result<HashSet<Identifier>, StoreError> {
        use identifiers::{Column, Entity};
        let reader = self.reader();
        let mut held = HashSet::new();
        for kind in [
            IdentifierKind::Email,
            IdentifierKind::Phone,
            IdentifierKind::Username,
        ] {
            let of_kind = wanted.iter().filter(|one| one.kind() == kind);
            let by_value: HashMap<_, _> = of_kind.map(|one| (one.as_str(), *one)).collect();
            let values: Vec<_> = by_value.keys().copied().collect();
            for values in values.chunks(KEYS) {
                let statement = reader.statement("identifiers.held");
                let rows = if reader.dialect().backend == DbBackend::Postgres {
                    let values = [group.as_str().into(), kind.as_str().into(), array(values)];
                    one_by_one(&statement, IDENTIFIERS_ONE_BY_ONE, values).await?
                } else {
                    let select = Entity::find()
                        .select_only()
                        .column(Column::Value)
                        .filter(Column::GroupId.eq(group.as_str()))
                        .filter(Column::Kind.eq(kind.as_str()))
                        .filter(Column::Value.is_in(values.iter().copied()));
                    rows::all(select, &statement).await?
                };
                for row in rows {
                    let value = text(&row, Column::Value)?;
                    let one = by_value.get(value.as_str());
                    held.insert((*parsed(Column::Value, one)?).clone());
                }
            }
        }
        Ok(held)
    }
}

/// PostgreSQL: each key is looked up in the index that holds it once. In a list of keys
/// it would go by what it knows of the tables, which during an import is that they are
/// empty, and read the whole group instead: a plan that was made for a small table is
/// kept while the table grows. Of users the order is asked for that this index alone has.
/// Identifiers have two such indexes, each of which is given the whole key.
const USERS_ONE_BY_ONE: &str = "\
    SELECT found.id, found.external_id FROM unnest($2::text[]) AS wanted (key) \
    CROSS JOIN LATERAL (SELECT id, external_id FROM users \
        WHERE group_id = $1 AND external_id >= wanted.key AND external_id <= wanted.key \
        ORDER BY external_id LIMIT 1) AS found";
const IDENTIFIERS_ONE_BY_ONE: &str = "\
    SELECT found.value FROM unnest($3::text[]) AS wanted (key) \
    CROSS JOIN LATERAL (SELECT value FROM identifiers \
        WHERE group_id = $1 AND kind = $2 AND value = wanted.key \
            AND value COLLATE \"C\" = wanted.key LIMIT 1) AS found";

async fn one_by_one<const N: usize>(
    statement: &NamedStatement<'_>,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, StoreError> {
    let select = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    statement.query_all_raw(select).await.map_err(store_error)
}

fn array(texts: &[&str]) -> Value {
    let texts = texts.iter().map(|text| Value::from(*text)).collect();
    Value::Array(ArrayType::String, Some(Box::new(texts)))
}

fn text(row: &QueryResult, column: impl ColumnTrait) -> Result<String, StoreError> {
    let text = row.try_get("", column.as_str());
    text.map_err(|_| corrupt(column))
}

#[async_trait]
impl ManyUserChanges for SqlUnitOfWork {
    /// In the order in which a single user is written, so that nobody waits in a circle:
    /// users before what points at them.
    async fn insert_accounts(&mut self, accounts: &[NewAccount]) -> Result<(), StoreError> {
        let db = self.db();
        let all = accounts.iter().map(|account| &account.user);
        let users = all.clone().map(users::Model::from).collect();
        many_rows::insert::<users::Entity>(&db, "users.insert_many", users).await?;
        let roles = all.flat_map(user_roles::of).collect();
        many_rows::insert::<user_roles::Entity>(&db, "user_roles.insert_many", roles).await?;
        let mut held: Vec<_> = accounts
            .iter()
            .flat_map(|one| one.identifiers.iter().map(|held| (&one.user, held)))
            .collect();
        held.sort_unstable_by_key(|(user, held)| {
            (&user.group, held.kind().as_str(), held.as_str())
        });
        let held = held
            .into_iter()
            .map(|(user, held)| identifiers::Model::of(user, held));
        let held = held.collect();
        many_rows::insert::<identifiers::Entity>(&db, "identifiers.insert_many", held).await?;
        let passwords = accounts.iter().filter_map(|one| one.credential.as_ref());
        let passwords = passwords.map(credentials::Model::from).collect();
        many_rows::insert::<credentials::Entity>(&db, "credentials.insert_many", passwords).await
    }

    async fn held_addresses(
        &mut self,
        held: &[HeldDigest],
        now: Timestamp,
    ) -> Result<Vec<HeldDigest>, StoreError> {
        use identifier_undos::{Column, Entity};
        let mut found = Vec::new();
        for held in held.chunks(KEYS) {
            let select = Entity::find()
                .select_only()
                .column(Column::Held)
                .filter(Column::Held.is_in(held.iter().map(|one| one.as_bytes().to_vec())))
                .filter(Column::ExpiresAt.gt(now.as_millis()));
            let db = self.db();
            let statement = db.statement("identifier_undos.held_of_many");
            for row in rows::all(select, &statement).await? {
                let digest = rows::stored_id(&row, Column::Held)?;
                found.push(HeldDigest::from_bytes(bytes(Column::Held, digest)?));
            }
        }
        Ok(found)
    }

    async fn tombstones(
        &mut self,
        digests: &[TombstoneDigest],
        now: Timestamp,
    ) -> Result<Vec<Tombstone>, StoreError> {
        use tombstones::{Column, Entity};
        let mut found = Vec::new();
        for digests in digests.chunks(KEYS) {
            let select = Entity::find()
                .filter(Column::Digest.is_in(digests.iter().map(|one| one.as_bytes().to_vec())))
                .filter(Column::ExpiresAt.gt(now.as_millis()));
            let db = self.db();
            let statement = db.statement("tombstones.of_many");
            for row in rows::all(select, &statement).await? {
                found.push(rows::model::<Entity>(&row, ALONE)?.try_into()?);
            }
        }
        Ok(found)
    }
}
