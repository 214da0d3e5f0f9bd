//! Devices on which people have signed in. One that cannot be read is not known.

use async_trait::async_trait;
use countersign_domain::model::{Device, DeviceDigest, Timestamp, UserId};
use countersign_domain::ports::{DeviceChanges, DeviceTouch, Devices, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func, OnConflict, Query};
use sea_orm::{QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, parsed, time};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. The devices of a user are numbered as they come; the place of each is
/// its number modulo the places that there are.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i64,
    pub number: i64,
    pub digest: Vec<u8>,
    pub credential_version: i64,
    pub failures: i64,
    pub factor_shown_at: Option<i64>,
    pub created_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
}

/// More than will ever be given.
const NUMBERS: i64 = 1 << 62;

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

fn read(row: &QueryResult) -> Result<Device, StoreError> {
    let row = rows::model::<Entity>(row, ALONE)?;
    Ok(Device {
        digest: DeviceDigest::from_bytes(bytes(Column::Digest, row.digest)?),
        user_id: UserId::from_bytes(bytes(Column::UserId, row.user_id)?),
        credential_version: row.credential_version,
        failures: parsed(Column::Failures, row.failures.try_into().ok())?,
        factor_shown_at: time(row.factor_shown_at),
        created_at: Timestamp::from_millis(row.created_at),
        seen_at: Timestamp::from_millis(row.seen_at),
        expires_at: Timestamp::from_millis(row.expires_at),
    })
}

#[async_trait]
impl Devices for Database {
    async fn device(&self, digest: &DeviceDigest) -> Result<Option<Device>, StoreError> {
        let select = Entity::find().filter(is(digest));
        let row = rows::first(select, &self.reader().statement("devices.by_digest")).await?;
        let device = row.map(|row| {
            read(&row).inspect_err(|cause| {
                let key = rows::key_of_id(&row, Column::UserId);
                let key = key.unwrap_or_else(|| "(its user cannot be read)".into());
                let consequence = "a row cannot be read: the device is not known any more";
                self.damaged
                    .report("devices", &key, &cause.to_string(), consequence);
            })
        });
        Ok(device.and_then(Result::ok))
    }

    async fn has_devices(&self, user: UserId) -> Result<bool, StoreError> {
        let select = Entity::find()
            .select_only()
            .column(Column::Place)
            .filter(Column::UserId.eq(stored(user)))
            .limit(1);
        let row = rows::first(select, &self.reader().statement("devices.any_of_user")).await?;
        Ok(row.is_some())
    }

    /// One conditional statement: of many at once, `cap` succeed. A negative
    /// number is damage, and lets nobody try.
    async fn count_device_attempt(
        &self,
        digest: &DeviceDigest,
        cap: u32,
    ) -> Result<bool, StoreError> {
        let updated = Entity::update_many()
            .col_expr(Column::Failures, Expr::col(Column::Failures).add(1_i64))
            .filter(is(digest))
            .filter(Column::Failures.gte(0_i64))
            .filter(Column::Failures.lt(i64::from(cap)))
            .exec(&self.writer().statement("devices.count_attempt"))
            .await
            .map_err(store_error)?;
        Ok(updated.rows_affected == 1)
    }
}

#[async_trait]
impl DeviceChanges for SqlUnitOfWork {
    /// One statement, which numbers the device after the newest.
    async fn insert_device(&mut self, device: &Device) -> Result<(), StoreError> {
        let newest = Expr::col(Column::Number).max();
        let number = Expr::from(Func::coalesce([newest, Expr::value(-1_i64)])).add(1_i64);
        let place = number.clone().modulo(i64::from(Device::PER_USER));
        let shown_at = device.factor_shown_at.map(Timestamp::as_millis);
        let row = [
            (Column::UserId, Expr::value(stored(device.user_id))),
            (Column::Place, place),
            (Column::Number, number),
            (
                Column::Digest,
                Expr::value(device.digest.as_bytes().to_vec()),
            ),
            (
                Column::CredentialVersion,
                Expr::value(device.credential_version),
            ),
            (Column::Failures, Expr::value(i64::from(device.failures))),
            (Column::FactorShownAt, Expr::value(shown_at)),
            (
                Column::CreatedAt,
                Expr::value(device.created_at.as_millis()),
            ),
            (Column::SeenAt, Expr::value(device.seen_at.as_millis())),
            (
                Column::ExpiresAt,
                Expr::value(device.expires_at.as_millis()),
            ),
        ];
        let columns = row.each_ref().map(|(column, _)| *column);
        let values = Query::select()
            .exprs(row.map(|(_, value)| value))
            .from(Entity)
            .and_where(Expr::col(Column::UserId).eq(stored(device.user_id)))
            // Beyond it is damage, which must not stay the newest for ever.
            .and_where(Expr::col(Column::Number).between(0_i64, NUMBERS))
            .take();
        let [_, _, rest @ ..] = columns;
        let in_place_of_the_first = OnConflict::columns([Column::UserId, Column::Place])
            .update_columns(rest)
            .to_owned();
        let insert = Query::insert()
            .into_table(Entity)
            .columns(columns)
            .select_from(values)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?
            .on_conflict(in_place_of_the_first)
            .take();
        let done = self.db().statement("devices.insert").execute(&insert).await;
        done.map(drop).map_err(store_error)
    }

    /// One conditional statement.
    async fn touch_device(&mut self, touch: &DeviceTouch<'_>) -> Result<bool, StoreError> {
        let seen_at = touch.seen_at.as_millis();
        let mut update = Entity::update_many()
            .col_expr(Column::Failures, Expr::value(0_i64))
            .col_expr(Column::SeenAt, Expr::value(seen_at))
            .col_expr(Column::ExpiresAt, Expr::value(touch.expires_at.as_millis()))
            .filter(is(touch.digest))
            .filter(Column::UserId.eq(stored(touch.user.id)))
            .filter(Column::CredentialVersion.eq(touch.user.credential_version))
            .filter(Column::ExpiresAt.gt(seen_at));
        let shown_at = match touch.shown {
            true => Expr::value(seen_at),
            // One in the future is of a clock that was set back since.
            false => Expr::case(
                Expr::col(Column::FactorShownAt).lte(seen_at),
                Expr::col(Column::FactorShownAt),
            )
            .finally(Expr::value(Option::<i64>::None))
            .into(),
        };
        update = update.col_expr(Column::FactorShownAt, shown_at);
        let updated = update.exec(&self.db().statement("devices.touch")).await;
        Ok(updated.map_err(store_error)?.rows_affected == 1)
    }

    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::CredentialVersion, Expr::value(Device::FORGOTTEN))
            .filter(Column::UserId.eq(stored(user)))
            .exec(&self.db().statement("devices.forget"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn forget_shown_factors(&mut self, user: UserId) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::FactorShownAt, Expr::value(Option::<i64>::None))
            .filter(Column::UserId.eq(stored(user)))
            .exec(&self.db().statement("devices.forget_factors"))
            .await
            .map(drop)
            .map_err(store_error)
    }
}

fn is(digest: &DeviceDigest) -> Expr {
    Column::Digest.eq(digest.as_bytes().to_vec())
}

fn stored(user: UserId) -> Vec<u8> {
    user.as_bytes().to_vec()
}
