//! Sessions, each with its user, many at once: what a refresh reads.

use std::collections::HashMap;

use countersign_domain::model::{Session, SessionId, User};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::{JoinType, QuerySelect as _};

use super::rows::{self, FIRST, SECOND, bytes, corrupt};
use super::sessions::{self, Column, Relation};
use super::users;
use crate::database::connection::Db;

/// What is found of many sessions and their users. One that cannot be read
/// spoils no other.
pub(in crate::database) type Found = HashMap<SessionId, Result<(Session, User), StoreError>>;

/// Sessions and their users. The list of ids is filled up to a power of two, so
/// that there are few statements to be prepared.
pub(in crate::database) async fn with_users(
    db: &Db<'_>,
    ids: &[SessionId],
) -> Result<Found, StoreError> {
    let size = ids.len().next_power_of_two();
    let filled = ids.iter().chain(ids.iter().cycle()).take(size);
    let select = sessions::Entity::find()
        .filter(Column::Id.is_in(filled.map(|id| sessions::bytes(*id))))
        .select_also(users::Entity)
        .join(JoinType::InnerJoin, Relation::User.def());
    let rows = rows::all(select, &db.statement("sessions.with_users")).await?;
    rows.iter()
        .map(|row| {
            let id: Vec<u8> = row
                .try_get(FIRST, Column::Id.as_str())
                .map_err(|_| corrupt(Column::Id))?;
            let id = SessionId::from_bytes(bytes(Column::Id, id)?);
            let session = sessions::read(row, FIRST);
            let both = session.and_then(|session| Ok((session, users::read(row, SECOND)?)));
            Ok((id, both))
        })
        .collect()
}
