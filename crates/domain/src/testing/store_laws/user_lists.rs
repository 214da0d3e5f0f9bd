//! Lists of users.

use super::subject::{StoreSubject, email, username};
use crate::model::{
    GroupId, Identifier, IdentifierKind, IdentifierPrefix, PageSize, StateFilter, Suspension,
    SuspensionReason, User, UserId, UserQuery, UserRole, UserState, Withdrawal,
};
use crate::ports::ListedUser;

/// Lists all pages of a query, of so many users each.
async fn all(law: &StoreSubject, query: &UserQuery, size: i32) -> Vec<ListedUser> {
    let size = PageSize::parse(size).expect("a size");
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = law.store.list_users(query, size, after.as_ref()).await;
        let page = page.expect("readable");
        assert!(page.users.len() <= size.get() as usize);
        listed.extend(page.users);
        // Through its token, as callers give it back.
        let Some(next) = page.next else { break };
        let token = query.page_token(&next);
        after = query.parse_page_token(&token).expect("its own token");
    }
    listed
}

async fn ids(law: &StoreSubject, query: &UserQuery, size: i32) -> Vec<UserId> {
    let listed = all(law, query, size).await;
    listed.iter().map(|listed| listed.user.id).collect()
}

fn of_group(group: &GroupId) -> UserQuery {
    UserQuery {
        group: Some(group.clone()),
        ..UserQuery::default()
    }
}

fn role(text: &str) -> UserRole {
    UserRole::parse(text).expect("a role")
}

/// Users of a group, three of which were created in the same millisecond.
async fn made(law: &StoreSubject) -> Vec<User> {
    let mut users = Vec::new();
    for number in 0..7_u64 {
        let user = User {
            created_at: law.later(number / 3),
            roles: match number % 2 {
                0 => vec![role("even"), role("all")],
                _ => vec![role("all")],
            },
            ..law.new_user()
        };
        law.insert(&user, &[]).await;
        users.push(user);
    }
    users.sort_by_key(|user| (user.created_at, user.id));
    users
}

/// Each user is told once, in the order that was asked for, whatever the size of a page.
pub async fn users_are_listed_page_by_page(law: &StoreSubject) {
    let users = made(law).await;
    let elsewhere = User {
        group: law.other_group(),
        ..law.new_user()
    };
    law.insert(&elsewhere, &[]).await;
    let oldest: Vec<_> = users.iter().map(|user| user.id).collect();
    let newest: Vec<_> = oldest.iter().rev().copied().collect();
    let newest_first = of_group(&law.group);
    let oldest_first = UserQuery {
        oldest_first: true,
        ..newest_first.clone()
    };
    for size in [1, 2, 3, 6, 7, 8] {
        assert_eq!(ids(law, &newest_first, size).await, newest, "{size}");
        assert_eq!(ids(law, &oldest_first, size).await, oldest, "{size}");
    }
    let of_role = UserQuery {
        role: Some(role("all")),
        ..newest_first.clone()
    };
    assert_eq!(ids(law, &of_role, 2).await, newest);
    let between = UserQuery {
        created_from: Some(law.later(1)),
        created_before: Some(law.later(2)),
        ..oldest_first
    };
    assert_eq!(ids(law, &between, 2).await, oldest[3..6]);
    // Over all groups, those of this law among others.
    let everywhere = UserQuery {
        created_from: Some(law.now),
        created_before: Some(law.later(3)),
        ..UserQuery::default()
    };
    let found = ids(law, &everywhere, 3).await;
    let own = found.iter().filter(|id| newest.contains(id)).copied();
    assert_eq!(own.collect::<Vec<_>>(), newest);
    assert!(found.contains(&elsewhere.id));
}

/// A role is searched as it is now.
pub async fn users_are_listed_by_their_roles(law: &StoreSubject) {
    let users = made(law).await;
    let even = UserQuery {
        role: Some(role("even")),
        ..of_group(&law.group)
    };
    let expected = |users: &[User]| {
        let with_role = users
            .iter()
            .rev()
            .filter(|user| user.roles.contains(&role("even")));
        with_role.map(|user| user.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(law, &even, 2).await, expected(&users));

    let mut changed = users.clone();
    for user in &mut changed {
        user.roles = match user.roles.len() {
            1 => vec![role("even")],
            _ => Vec::new(),
        };
        let mut uow = law.begin().await;
        uow.update_user(user).await.expect("written");
        uow.commit().await.expect("committed");
    }
    assert_eq!(ids(law, &even, 2).await, expected(&changed));
    let mut uow = law.begin().await;
    let first = expected(&changed)[0];
    uow.delete_user(first).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(ids(law, &even, 2).await, expected(&changed)[1..]);
}

/// A state is searched as it is stored.
pub async fn users_are_listed_by_their_states(law: &StoreSubject) {
    let withdrawn = |erased| {
        UserState::Withdrawn(Withdrawal {
            at: law.now,
            rejoin_at: law.now,
            erased,
        })
    };
    let suspended = UserState::Suspended(Suspension {
        reason: SuspensionReason::default(),
        since: law.now,
        until: Some(law.now),
    });
    for (state, filter) in [
        (UserState::Pending, StateFilter::Pending),
        (UserState::Active, StateFilter::Active),
        (suspended, StateFilter::Suspended),
        (withdrawn(false), StateFilter::Withdrawn),
        (withdrawn(true), StateFilter::Erased),
    ] {
        let mut made = Vec::new();
        for _ in 0..3 {
            let user = User {
                state: state.clone(),
                ..law.new_user()
            };
            law.insert(&user, &[]).await;
            made.push(user.id);
        }
        made.sort();
        made.reverse();
        let query = UserQuery {
            state: Some(filter),
            ..of_group(&law.group)
        };
        assert_eq!(ids(law, &query, 2).await, made, "{filter:?}");
    }
}

/// Identifiers of a kind are searched by their first bytes, and listed in their order.
pub async fn users_are_listed_by_the_beginning_of_an_identifier(law: &StoreSubject) {
    let addresses = [
        "ab@example.com",
        "ab-c@example.com",
        "abc@example.com",
        "abd@example.com",
        "ac@example.com",
        "B@example.com",
        "가나@example.com",
    ];
    let mut made = Vec::new();
    for address in addresses {
        let user = law.new_user();
        let address = Identifier::Email(email(address));
        law.insert(&user, &[&address]).await;
        made.push((address.as_str().to_owned(), user.id));
    }
    let named = law.new_user();
    law.insert(
        &named,
        &[
            &username("abcd"),
            &Identifier::Email(email("z@example.com")),
        ],
    )
    .await;
    let elsewhere = User {
        group: law.other_group(),
        ..law.new_user()
    };
    law.insert(&elsewhere, &[&Identifier::Email(email("abc@example.com"))])
        .await;
    made.sort();
    for prefix in [
        "a",
        "ab",
        "abc",
        "ab-",
        "b",
        "가",
        "abc@example.com",
        "x",
        "a%",
        "_b",
    ] {
        let query = UserQuery {
            prefix: IdentifierPrefix::parse(IdentifierKind::Email, prefix).ok(),
            ..of_group(&law.group)
        };
        let fitting = made
            .iter()
            .filter(|(address, _)| address.starts_with(prefix));
        let expected: Vec<_> = fitting.map(|(_, id)| *id).collect();
        for size in [1, 2, 100] {
            assert_eq!(ids(law, &query, size).await, expected, "{prefix} {size}");
        }
    }
    // Who is found by several is told once, with all of them.
    let several = law.new_user();
    let own = ["q1@example.com", "q2@example.com", "q3@example.com"];
    let own = own.map(|address| Identifier::Email(email(address)));
    law.insert(&several, &[&own[2], &own[0], &own[1]]).await;
    let query = UserQuery {
        prefix: IdentifierPrefix::parse(IdentifierKind::Email, "q").ok(),
        ..of_group(&law.group)
    };
    for size in [1, 2, 100] {
        let listed = all(law, &query, size).await;
        let found: Vec<_> = listed.iter().map(|listed| listed.user.id).collect();
        assert_eq!(found, [several.id], "{size}");
        assert_eq!(listed[0].identifiers.len(), 3, "{size}");
    }
    let by_name = UserQuery {
        prefix: IdentifierPrefix::parse(IdentifierKind::Username, "ABC").ok(),
        ..of_group(&law.group)
    };
    let listed = all(law, &by_name, 2).await;
    let expected = ListedUser {
        user: named.clone(),
        identifiers: vec![Identifier::Email(email("z@example.com")), username("abcd")],
    };
    assert_eq!(listed, std::slice::from_ref(&expected));
    let shown = law.store.listed_user(named.id).await.expect("readable");
    assert_eq!(shown, Some(expected));
    let nobody = law.new_user().id;
    assert_eq!(law.store.listed_user(nobody).await.expect("readable"), None);
}
