//! Lists of the audit log, newest first. Each is read along an index that ends with the id,
//! or along several at once; what else is asked for is looked at row by row, of so many that
//! a page costs the same however large the log is.

use std::collections::VecDeque;

use async_trait::async_trait;
use countersign_domain::model::{AuditAction, AuditCursor, AuditEvent, AuditFilter, PageSize};
use countersign_domain::ports::{AuditLog, AuditPage, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Cond;
use sea_orm::{Condition, QueryOrder as _, QueryResult, QuerySelect as _};

use super::audit_events::{Column, Entity, first_of};
use super::rows::{self, ALONE};
use crate::database::handle::Database;

/// How many indexes are read at once at the most: beyond that all entries are looked at.
const MOST_LANES: usize = 24;
/// How many rows are read at once where not each of them fits.
const STRIDE: usize = 500;

/// The rows that fit one condition, newest first, as far as they were read.
struct Lane {
    which: Condition,
    rows: VecDeque<(Vec<u8>, QueryResult)>,
    after: Option<Vec<u8>>,
    is_read: bool,
}

#[async_trait]
impl AuditLog for Database {
    async fn audit_events(
        &self,
        filter: &AuditFilter,
        size: PageSize,
        after: Option<&AuditCursor>,
    ) -> Result<AuditPage, StoreError> {
        let size = size.get() as usize;
        let (conditions, is_all) = lanes(filter);
        let stride = if is_all { size + 1 } else { STRIDE };
        let lane = |which| Lane {
            which,
            rows: VecDeque::new(),
            after: after.map(|cursor| cursor.0.clone()),
            is_read: false,
        };
        let mut lanes: Vec<_> = conditions.into_iter().map(lane).collect();
        let mut found = Vec::<AuditEvent>::with_capacity(size + 1);
        let mut last = None;
        for _ in 0..AuditFilter::LOOKED_AT.max(size + 1) {
            for lane in &mut lanes {
                self.read_on(lane, filter, stride).await?;
            }
            let newest = lanes.iter_mut().filter(|lane| !lane.rows.is_empty());
            let newest = newest.max_by(|a, b| a.newest().cmp(&b.newest()));
            let Some((id, row)) = newest.and_then(|lane| lane.rows.pop_front()) else {
                return Ok(AuditPage {
                    events: found,
                    next: None,
                });
            };
            let event = self.damaged.readable("audit_events", &[row], key, read);
            if let Some(event) = event.into_iter().find(|event| filter.fits(event)) {
                if found.len() == size {
                    let next = found.last().map(|event| event.id.into());
                    return Ok(AuditPage {
                        events: found,
                        next,
                    });
                }
                found.push(event);
            }
            last = Some(AuditCursor(id));
        }
        Ok(AuditPage {
            events: found,
            next: last,
        })
    }
}

impl Lane {
    fn newest(&self) -> Option<&[u8]> {
        self.rows.front().map(|(id, _)| id.as_slice())
    }
}

impl Database {
    /// Reads the next rows of a lane of which none are left.
    async fn read_on(
        &self,
        lane: &mut Lane,
        filter: &AuditFilter,
        stride: usize,
    ) -> Result<(), StoreError> {
        if lane.is_read || !lane.rows.is_empty() {
            return Ok(());
        }
        let mut which = lane.which.clone();
        if let Some(from) = filter.from {
            which = which.add(Column::Id.gte(first_of(from)));
        }
        if let Some(before) = filter.before {
            which = which.add(Column::Id.lt(first_of(before)));
        }
        if let Some(after) = &lane.after {
            which = which.add(Column::Id.lt(after.clone()));
        }
        let select = Entity::find()
            .filter(which)
            .order_by_desc(Column::Id)
            .limit(stride as u64);
        let rows = rows::all(select, &self.reader().statement("audit_events.list")).await?;
        lane.is_read = rows.len() < stride;
        for row in rows {
            match rows::stored_id(&row, Column::Id) {
                Ok(id) => lane.rows.push_back((id, row)),
                // Nobody could go on from it: it is reported and passed over.
                Err(_) => drop(self.damaged.readable("audit_events", &[row], key, read)),
            }
        }
        match lane.rows.back() {
            Some((id, _)) => lane.after = Some(id.clone()),
            None => lane.is_read = true,
        }
        Ok(())
    }
}

/// The conditions whose rows together have all that fits, each a range of an index; and
/// whether they have nothing else.
fn lanes(filter: &AuditFilter) -> (Vec<Condition>, bool) {
    let others = [
        filter.session.is_some(),
        filter.user.is_some(),
        filter.caller.is_some(),
        filter.group.is_some(),
        !filter.actions.is_empty() || filter.refused.is_some(),
    ];
    let is_one = others.iter().filter(|is_asked| **is_asked).count() <= 1;
    if let Some(session) = filter.session {
        let is = Column::SessionId.eq(session.as_bytes().to_vec());
        return (vec![Cond::all().add(is)], is_one);
    }
    if let Some(user) = filter.user {
        let is = Column::UserId.eq(user.as_bytes().to_vec());
        return (vec![Cond::all().add(is)], is_one);
    }
    if let Some(of_actions) = lanes_of_actions(filter) {
        return (of_actions, is_one);
    }
    if let Some(caller) = &filter.caller {
        let is = Column::Caller.eq(caller.as_str());
        return (vec![Cond::all().add(is)], is_one);
    }
    if let Some(group) = &filter.group {
        let is = Column::GroupId.eq(group.as_str());
        return (vec![Cond::all().add(is)], is_one);
    }
    let is_all = filter.actions.is_empty() && filter.refused.is_none();
    (vec![Cond::all()], is_all)
}

/// One for each action that is asked for, succeeded or refused.
fn lanes_of_actions(filter: &AuditFilter) -> Option<Vec<Condition>> {
    let actions = match (&filter.actions[..], filter.refused) {
        ([], Some(true)) => AuditAction::REFUSED,
        ([], _) => return None,
        (actions, _) => actions,
    };
    let mut lanes = Vec::new();
    for action in actions {
        for is_refused in [false, true] {
            let is_asked = filter.refused.is_none_or(|refused| refused == is_refused);
            let can_be = !is_refused || AuditAction::REFUSED.contains(action);
            if is_asked && can_be {
                lanes.push(
                    Cond::all()
                        .add(Column::Action.eq(action.as_str()))
                        .add(Column::Refused.eq(i16::from(is_refused))),
                );
            }
        }
    }
    (lanes.len() <= MOST_LANES).then_some(lanes)
}

fn key(row: &QueryResult) -> Option<String> {
    rows::key_of_id(row, Column::Id)
}

fn read(row: &QueryResult) -> Result<AuditEvent, StoreError> {
    rows::model::<Entity>(row, ALONE)?.try_into()
}
