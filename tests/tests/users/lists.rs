//! Lists of users: filters, pages, and what is damaged.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, PATIENCE, World, email, eventually, on_every_backend, phone, reason, username,
};

use crate::mask;

on_every_backend!(
    users_are_found_by_what_they_are,
    a_page_token_is_good_for_its_own_query_alone,
    a_damaged_user_is_left_out_of_lists_and_named,
    users_who_come_meanwhile_move_nobody,
);

fn of_group(group: &str) -> v1::ListUsersRequest {
    v1::ListUsersRequest {
        page_size: 2,
        group_id: group.into(),
        ..Default::default()
    }
}

/// Adds users to a group, and returns their ids, newest first.
async fn create(world: &World, group: &str, number: usize) -> Vec<String> {
    world.make_groups(&[group]).await;
    let mut ids = Vec::new();
    for number in 0..number {
        let request = v1::CreateUserRequest {
            group_id: group.into(),
            identifiers: vec![
                email(&format!("mina{number}@{group}.example")),
                phone(&format!("+8210123456{number:02}")),
                username(&format!("mina{number}.{group}")),
            ],
            roles: vec![["even", "odd"][number % 2].into()],
            ..Default::default()
        };
        let user = world.gateway().create_user(request).await.expect("created");
        ids.push(user.user_id);
    }
    ids.reverse();
    ids
}

async fn users_are_found_by_what_they_are(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let ours = create(&world, "ours", 5).await;
    let theirs = create(&world, "theirs", 3).await;
    let list = async |query| gateway.list_users(&query).await.expect("a list");
    let newest_first: Vec<_> = theirs.iter().chain(&ours).cloned().collect();
    assert_eq!(list(of_group("")).await, newest_first);
    assert_eq!(list(of_group("ours")).await, ours);
    let oldest = v1::ListUsersRequest {
        order: v1::UserOrder::OldestFirst.into(),
        ..of_group("ours")
    };
    let reversed: Vec<_> = ours.iter().rev().cloned().collect();
    assert_eq!(list(oldest).await, reversed);
    let even = v1::ListUsersRequest {
        role: "even".into(),
        ..of_group("ours")
    };
    assert_eq!(list(even).await, [&*ours[0], &*ours[2], &*ours[4]]);

    gateway.suspend(&ours[1], "").await.expect("suspended");
    for (state, expected) in [
        (v1::UserState::Suspended, vec![ours[1].clone()]),
        (v1::UserState::Withdrawn, Vec::new()),
        (v1::UserState::Active, [&ours[..1], &ours[2..]].concat()),
    ] {
        let query = v1::ListUsersRequest {
            state: state.into(),
            ..of_group("ours")
        };
        assert_eq!(list(query).await, expected, "{state:?}");
    }
    use v1::identifier_prefix::Value;
    for (value, expected) in [
        (Value::Email("MINA".into()), &reversed[..]),
        (Value::Email("mina3@".into()), &reversed[3..4]),
        (Value::Phone("+8210123456".into()), &reversed),
        (Value::Username("mina1.".into()), &reversed[1..2]),
        (Value::Email("eve".into()), &[]),
    ] {
        let query = v1::ListUsersRequest {
            identifier_prefix: Some(v1::IdentifierPrefix { value: Some(value) }),
            ..of_group("ours")
        };
        assert_eq!(list(query).await, expected);
    }
    let first = gateway.user(&ours[4]).await.expect("shown");
    let since = v1::ListUsersRequest {
        created_before: gateway.user(&ours[2]).await.expect("shown").create_time,
        created_from: first.create_time,
        ..of_group("ours")
    };
    let between = list(since).await;
    assert!(
        between.contains(&ours[4]) && !between.contains(&ours[2]),
        "{between:?}"
    );
    let mut identifiers: Vec<_> = first.identifiers.clone();
    identifiers.sort_by_key(|identifier| format!("{identifier:?}"));
    assert_eq!(
        identifiers,
        [
            email("mina0@ours.example"),
            phone("+821012345600"),
            username("mina0.ours")
        ]
    );
}

async fn a_page_token_is_good_for_its_own_query_alone(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    create(&world, "ours", 5).await;
    let page = gateway
        .page_of_users(of_group("ours"))
        .await
        .expect("a page");
    assert!(!page.next_page_token.is_empty());
    let with_token = |query| v1::ListUsersRequest {
        page_token: page.next_page_token.clone(),
        ..query
    };
    let bigger = v1::ListUsersRequest {
        page_size: 100,
        ..with_token(of_group("ours"))
    };
    let rest = gateway
        .page_of_users(bigger)
        .await
        .expect("the size may change");
    assert_eq!((rest.users.len(), rest.next_page_token.as_str()), (3, ""));
    for other in [
        of_group(""),
        of_group("theirs"),
        v1::ListUsersRequest {
            role: "odd".into(),
            ..of_group("ours")
        },
        v1::ListUsersRequest {
            order: v1::UserOrder::OldestFirst.into(),
            ..of_group("ours")
        },
    ] {
        let refused = gateway.page_of_users(with_token(other)).await;
        let details = Details::of(&refused.expect_err("another query"));
        assert_eq!(details.fields, ["page_token"]);
    }
    // Of another list, cut, lengthened, changed: none begins elsewhere in this one.
    let whole = page.next_page_token.clone();
    let others = v1::ListGroupsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let others = gateway.groups().list_groups(others).await.expect("a page");
    let others = others.into_inner().next_page_token;
    assert!(!others.is_empty(), "there are two groups");
    let mut bad = vec!["AAAA".into(), "!".into(), others, format!("{whole}AAAA")];
    bad.extend((1..whole.len()).map(|end| whole[..end].to_owned()));
    let changed = whole.char_indices().map(|(at, letter)| {
        let other = if letter == 'A' { "B" } else { "A" };
        format!("{}{other}{}", &whole[..at], &whole[at + 1..])
    });
    bad.extend(changed);
    for page_token in bad {
        let request = v1::ListUsersRequest {
            page_token: page_token.clone(),
            ..of_group("ours")
        };
        let refused = gateway.page_of_users(request).await;
        let details = Details::of(&refused.expect_err(&page_token));
        assert_eq!(details.fields, ["page_token"], "{page_token}");
    }
}

async fn a_damaged_user_is_left_out_of_lists_and_named(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let ids = create(&world, "ours", 7).await;
    let mut left = ids.clone();
    for (at, spoil) in [
        (5, "roles = 'ca\"nary'"),
        (3, "state = 'canary'"),
        (2, "blocked = 'suspended'"),
        (0, "attributes = 'canary'"),
    ] {
        let id = backend.bytes(&ids[at]);
        let spoiled = world
            .execute(&format!("UPDATE users SET {spoil} WHERE id = {id}"))
            .await;
        assert_eq!(spoiled, 1);
        let gone = left
            .iter()
            .position(|id| *id == ids[at])
            .expect("it is there");
        let gone = left.remove(gone);
        assert_eq!(reason(&gateway.user(&gone).await), "INTERNAL", "{spoil}");
    }
    let id = backend.bytes(&ids[1]);
    let spoiled =
        format!("UPDATE identifiers SET value = '' WHERE user_id = {id} AND kind = 'phone'");
    assert_eq!(world.execute(&spoiled).await, 1);
    for size in [1, 2, 3, 100] {
        let query = v1::ListUsersRequest {
            page_size: size,
            ..of_group("ours")
        };
        let listed = gateway.list_users(&query).await.expect("a list");
        assert_eq!(listed, left, "pages of {size}");
    }
    for named in [
        "users.roles",
        "users.state",
        "users.attributes",
        "identifiers.value",
    ] {
        let is_named = || async { world.log().text(0).contains(named).then_some(()) };
        eventually(named, PATIENCE, is_named).await;
    }
    assert!(!world.log().text(0).contains("canary"));
    let shown = gateway.user(&ids[1]).await.expect("its other identifiers");
    assert_eq!(shown.identifiers.len(), 2);
    let update = v1::UpdateUserRequest {
        user_id: ids[3].clone(),
        update_mask: mask(&["roles"]),
        ..Default::default()
    };
    assert_eq!(reason(&gateway.update_user(update).await), "INTERNAL");
    gateway
        .delete_user(&ids[6])
        .await
        .expect("another is deleted");
}

async fn users_who_come_meanwhile_move_nobody(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let ids = create(&world, "ours", 6).await;
    let mut request = of_group("ours");
    let mut found = Vec::new();
    for turn in 0.. {
        let page = gateway
            .page_of_users(request.clone())
            .await
            .expect("a page");
        found.extend(page.users.into_iter().map(|user| user.user_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        let new = v1::CreateUserRequest {
            group_id: "ours".into(),
            identifiers: vec![email(&format!("new{turn}@ours.example"))],
            ..Default::default()
        };
        gateway.create_user(new).await.expect("created");
        // The last of the page goes, where the next one begins.
        let last = found.last().expect("a user");
        gateway.delete_user(last).await.expect("deleted");
    }
    assert_eq!(found, ids);
}
