//! Lists of users.

use super::tables::Tables;
use crate::model::{
    Identifier, PageSize, StateFilter, User, UserCursor, UserId, UserQuery, UserState,
};
use crate::ports::{ListedUser, UserPage};

impl Tables {
    pub(super) fn listed(&self, user: &User) -> ListedUser {
        ListedUser {
            user: user.clone(),
            identifiers: self.identifiers_of(user.id),
        }
    }

    pub(super) fn identifiers_of(&self, id: UserId) -> Vec<Identifier> {
        let of_user = self.identifiers.iter().filter(|(_, user)| **user == id);
        of_user
            .map(|((_, identifier), _)| identifier.clone())
            .collect()
    }

    pub(super) fn list(
        &self,
        query: &UserQuery,
        size: PageSize,
        after: Option<&UserCursor>,
    ) -> UserPage {
        let users = self.users.values().filter(|user| fits(query, user));
        let mut found: Vec<_> = users
            .flat_map(|user| self.cursors(query, user).map(move |cursor| (cursor, user)))
            .collect();
        found.sort_by_key(|(cursor, _)| key(cursor));
        let is_newest_first = query.prefix.is_none() && !query.oldest_first;
        if is_newest_first {
            found.reverse();
        }
        if let Some(after) = after {
            found.retain(|(cursor, _)| match is_newest_first {
                true => key(cursor) < key(after),
                false => key(cursor) > key(after),
            });
        }
        let size = size.get() as usize;
        let next = (found.len() > size).then(|| found[size - 1].0.clone());
        let page = found.into_iter().take(size);
        UserPage {
            users: page.map(|(_, user)| self.listed(user)).collect(),
            next,
        }
    }

    /// The places that a user has in a list.
    fn cursors(&self, query: &UserQuery, user: &User) -> impl Iterator<Item = UserCursor> {
        let created = UserCursor::Created(user.created_at, user.id);
        let created = query.prefix.is_none().then_some(created);
        let own = query.prefix.as_ref().map(|prefix| {
            let own = self.identifiers_of(user.id).into_iter();
            let prefix = prefix.clone();
            own.filter(move |own| {
                own.kind() == prefix.kind() && own.as_str().starts_with(prefix.as_str())
            })
            .min_by(|one, other| one.as_str().cmp(other.as_str()))
        });
        let own = own.into_iter().flatten();
        created
            .into_iter()
            .chain(own.map(|own| UserCursor::Identifier(own.as_str().to_owned())))
    }
}

/// What cursors are ordered by.
fn key(cursor: &UserCursor) -> (i64, Vec<u8>) {
    match cursor {
        UserCursor::Created(at, id) => (at.as_millis(), id.as_bytes().to_vec()),
        UserCursor::Identifier(text) => (0, text.as_bytes().to_vec()),
    }
}

fn fits(query: &UserQuery, user: &User) -> bool {
    let state = match &user.state {
        UserState::Pending => StateFilter::Pending,
        UserState::Active => StateFilter::Active,
        UserState::Suspended(_) => StateFilter::Suspended,
        UserState::Withdrawn(withdrawal) if withdrawal.erased => StateFilter::Erased,
        UserState::Withdrawn(_) => StateFilter::Withdrawn,
    };
    let group = query.group.as_ref();
    let role = query.role.as_ref();
    group.is_none_or(|group| user.group == *group)
        && query.state.is_none_or(|wanted| state == wanted)
        && role.is_none_or(|role| user.roles.contains(role))
        && query
            .created_from
            .is_none_or(|from| user.created_at >= from)
        && query
            .created_before
            .is_none_or(|before| user.created_at < before)
}
