//! The programs that may call, each with the hash of the key that it was made
//! with: the one that releases know which know one key alone.

use std::collections::HashMap;

use async_trait::async_trait;
use countersign_domain::model::{
    Caller, CallerKey, CallerName, KeyHash, KeyUse, Role, SubjectAltName, Timestamp,
};
use countersign_domain::ports::{AllCallers, CallerChanges, Callers, StoreError, UnitOfWork as _};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, joined, parsed, words};
use super::{caller_key_uses, caller_keys, caller_sans};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// Stands where there is no key: nothing that can be found hashes to it.
const NO_KEY: [u8; 32] = [0; 32];

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "callers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub roles: String,
    pub key_hash: Vec<u8>,
    pub created_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A caller with the key of its own row.
impl TryFrom<Model> for Caller {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let created_at = Timestamp::from_millis(row.created_at);
        let hash = bytes(Column::KeyHash, row.key_hash)?;
        let key = CallerKey {
            hash: KeyHash::from_bytes(hash),
            created_at,
            expires_at: None,
            last_used_at: None,
        };
        Ok(Self {
            name: parsed(Column::Name, CallerName::parse(&row.name).ok())?,
            roles: words(Column::Roles, &row.roles, |word| word.parse().ok())?,
            keys: if hash == NO_KEY { vec![] } else { vec![key] },
            sans: vec![],
            created_at,
        })
    }
}

/// The key that stands in the caller's own row. A release that knows no other
/// place knows no expiry, and no other time of creation either.
fn own_key(caller: &Caller) -> Option<&CallerKey> {
    let is_own = |key: &&CallerKey| key.expires_at.is_none() && key.created_at == caller.created_at;
    caller.keys.iter().find(is_own)
}

#[async_trait]
impl Callers for Database {
    async fn callers(&self) -> Result<AllCallers, StoreError> {
        let select = Entity::find().order_by_asc(Column::Name);
        let db = self.reader();
        let rows = rows::all(select, &db.statement("callers.all")).await?;
        let keys = rows::all(caller_keys::select(), &db.statement("caller_keys.all")).await?;
        let sans = rows::all(caller_sans::select(), &db.statement("caller_sans.all")).await?;
        let uses = caller_key_uses::select();
        let uses = rows::all(uses, &db.statement("caller_key_uses.all")).await?;

        let name = |row: &QueryResult| row.try_get("", Column::Name.as_str()).ok();
        let damaged = &self.damaged;
        let (callers, unreadable) = damaged.sorted("callers", &rows, name, |row| {
            rows::model::<Entity>(row, ALONE)?.try_into()
        });
        let caller_of = caller_keys::caller_of;
        let (keys, mut incomplete) =
            damaged.sorted("caller_keys", &keys, caller_of, caller_keys::read);
        let caller_of = caller_sans::caller_of;
        let (sans, of_sans) = damaged.sorted("caller_sans", &sans, caller_of, caller_sans::read);
        incomplete.extend(of_sans);
        incomplete.sort();
        incomplete.dedup();
        let caller_of = caller_key_uses::caller_of;
        let uses = damaged.readable("caller_key_uses", &uses, caller_of, caller_key_uses::read);
        Ok(AllCallers {
            readable: complete(callers, keys, sans, uses),
            unreadable,
            incomplete,
        })
    }

    async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let unit = SqlUnitOfWork::begin(&self.pools.writer, self.pools.patience).await?;
        for used in uses {
            caller_key_uses::note(&unit.db(), used).await?;
        }
        Box::new(unit).commit().await
    }
}

/// Callers with all their keys, oldest first, when each was used last, and the
/// names in their certificates.
fn complete(
    mut callers: Vec<Caller>,
    keys: Vec<(CallerName, CallerKey)>,
    sans: Vec<(CallerName, SubjectAltName)>,
    uses: Vec<(KeyHash, Timestamp)>,
) -> Vec<Caller> {
    let (mut keys, mut sans) = (by_caller(keys), by_caller(sans));
    let uses: HashMap<_, _> = uses.into_iter().collect();
    for caller in &mut callers {
        caller
            .keys
            .extend(keys.remove(&caller.name).into_iter().flatten());
        caller.sans = sans.remove(&caller.name).unwrap_or_default();
        caller.sans.sort();
        for key in &mut caller.keys {
            key.last_used_at = uses.get(&key.hash).copied();
        }
    }
    callers
}

fn by_caller<T>(rows: Vec<(CallerName, T)>) -> HashMap<CallerName, Vec<T>> {
    let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
    for (caller, row) in rows {
        grouped.entry(caller).or_default().push(row);
    }
    grouped
}

#[async_trait]
impl CallerChanges for SqlUnitOfWork {
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        let own = own_key(caller);
        let row = Model {
            name: caller.name.as_str().into(),
            roles: joined(caller.roles.iter().copied().map(Role::as_str)),
            key_hash: own.map_or(NO_KEY, |key| *key.hash.as_bytes()).to_vec(),
            created_at: caller.created_at.as_millis(),
        };
        Entity::insert(row.into_active_model())
            .exec_without_returning(&self.db().statement("callers.insert"))
            .await
            .map_err(store_error)?;
        for key in caller.keys.iter().filter(|key| Some(*key) != own) {
            caller_keys::insert(&self.db(), &caller.name, key).await?;
        }
        for san in &caller.sans {
            caller_sans::insert(&self.db(), &caller.name, san).await?;
        }
        Ok(())
    }

    async fn lock_caller(&mut self, name: &CallerName) -> Result<Option<Caller>, StoreError> {
        let db = self.db();
        let select = Entity::find_by_id(name.as_str()).lock_exclusive();
        let Some(row) = rows::first(select, &db.statement("callers.lock")).await? else {
            return Ok(None);
        };
        let caller = rows::model::<Entity>(&row, ALONE)?.try_into()?;
        let keys = caller_keys::select_of(name);
        let keys = rows::all(keys, &db.statement("caller_keys.of_caller")).await?;
        let keys: Result<Vec<_>, _> = keys.iter().map(caller_keys::read).collect();
        let uses = caller_key_uses::select_of(name);
        let uses = rows::all(uses, &db.statement("caller_key_uses.of_caller")).await?;
        let uses: Result<Vec<_>, _> = uses.iter().map(caller_key_uses::read).collect();
        let sans = caller_sans::select_of(name);
        let sans = rows::all(sans, &db.statement("caller_sans.of_caller")).await?;
        let sans: Result<Vec<_>, _> = sans.iter().map(caller_sans::read).collect();
        Ok(complete(vec![caller], keys?, sans?, uses?).pop())
    }

    async fn insert_caller_key(
        &mut self,
        name: &CallerName,
        key: &CallerKey,
    ) -> Result<(), StoreError> {
        caller_keys::insert(&self.db(), name, key).await
    }

    async fn delete_caller_key(
        &mut self,
        name: &CallerName,
        hash: &KeyHash,
    ) -> Result<bool, StoreError> {
        let db = self.db();
        let cleared = Entity::update_many()
            .col_expr(Column::KeyHash, Expr::value(NO_KEY.to_vec()))
            .filter(Column::Name.eq(name.as_str()))
            .filter(Column::KeyHash.eq(hash.as_bytes().to_vec()))
            .exec(&db.statement("callers.clear_key"))
            .await
            .map_err(store_error)?;
        let was_there = cleared.rows_affected == 1 || caller_keys::delete(&db, name, hash).await?;
        if was_there {
            caller_key_uses::delete(&db, hash).await?;
        }
        Ok(was_there)
    }

    async fn insert_caller_san(
        &mut self,
        name: &CallerName,
        san: &SubjectAltName,
    ) -> Result<(), StoreError> {
        caller_sans::insert(&self.db(), name, san).await
    }

    async fn delete_caller_san(
        &mut self,
        name: &CallerName,
        san: &SubjectAltName,
    ) -> Result<bool, StoreError> {
        caller_sans::delete(&self.db(), name, san).await
    }

    /// Its keys go with it.
    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        let deleted = Entity::delete_by_id(name.as_str())
            .exec(&self.db().statement("callers.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }
}
