//! Groups, and who is in them.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, is_taken, named, scope};
use crate::model::{
    AttributeKind, AttributeName, Group, GroupId, GroupPolicy, MfaPolicy, PageSize,
    ProfileAttribute, SignInWay,
};
use crate::ports::StoreError;

/// Long enough for a unit of work that does not wait.
const A_WHILE: Duration = Duration::from_millis(150);

fn whole_policy() -> GroupPolicy {
    GroupPolicy {
        password_min_length: Some(12),
        mfa: Some(MfaPolicy::RequiredForUnknownDevices),
        access_ttl: Some(Duration::from_secs(60)),
        idle_ttl: Some(Duration::from_secs(3600)),
        session_ttl: Some(Duration::from_secs(86_400)),
        sign_in_ways: Some(SignInWay::ALL.into()),
        audiences: Some(vec!["https://api.example.com".into()]),
        scopes: Some(vec![scope("orders:read")]),
        sign_up: Some(false),
        profile_attributes: Some(
            [
                AttributeKind::Text(9),
                AttributeKind::Boolean,
                AttributeKind::Number,
            ]
            .map(|kind| ProfileAttribute {
                name: AttributeName::parse("nickname").expect("a name"),
                kind,
                writable: kind == AttributeKind::Boolean,
            })
            .into(),
        ),
    }
}

fn new_group(law: &StoreSubject, number: usize) -> Group {
    Group {
        display_name: "우리 가게".into(),
        ..Group::new(named(&format!("{}-{number}", law.group)), law.now)
    }
}

async fn insert(law: &StoreSubject, group: &Group) {
    let mut uow = law.begin().await;
    uow.insert_group(group).await.expect("a new group");
    uow.commit().await.expect("committed");
}

async fn find(law: &StoreSubject, id: &GroupId) -> Option<Group> {
    let all = law.store.groups().await.expect("readable").readable;
    let listed = all.into_iter().find(|group| group.id == *id);
    let found = law.store.group(id).await.expect("readable");
    assert_eq!(listed, found, "both tell the same");
    let is_there = law.store.has_group(id).await.expect("readable");
    assert_eq!(is_there, found.is_some());
    found
}

/// Every field survives.
pub async fn a_group_is_read_as_written(law: &StoreSubject) {
    for (number, policy) in [GroupPolicy::default(), whole_policy()]
        .into_iter()
        .enumerate()
    {
        let group = Group {
            policy,
            revision: 7,
            updated_at: law.later(9),
            ..new_group(law, number)
        };
        insert(law, &group).await;
        assert_eq!(find(law, &group.id).await, Some(group));
    }
    assert_eq!(find(law, &new_group(law, 9).id).await, None);
}

/// An id is one group's.
pub async fn a_group_id_is_taken_once(law: &StoreSubject) {
    let group = new_group(law, 0);
    insert(law, &group).await;
    let mut uow = law.begin().await;
    let again = uow.insert_group(&new_group(law, 0)).await;
    assert!(is_taken(&again), "{again:?}");
    drop(uow);
    assert_eq!(find(law, &group.id).await, Some(group));
}

/// What changes is written, and nothing of another group.
pub async fn a_group_is_changed_and_deleted(law: &StoreSubject) {
    let (group, other) = (new_group(law, 0), new_group(law, 1));
    insert(law, &group).await;
    insert(law, &other).await;
    let mut uow = law.begin().await;
    let locked = uow.lock_group(&group.id).await.expect("readable");
    assert_eq!(locked.as_ref(), Some(&group));
    let changed = Group {
        display_name: "another".into(),
        policy: whole_policy(),
        revision: 2,
        updated_at: law.later(5),
        ..group
    };
    uow.update_group(&changed).await.expect("changed");
    uow.commit().await.expect("committed");
    assert_eq!(find(law, &changed.id).await, Some(changed.clone()));
    assert_eq!(find(law, &other.id).await, Some(other.clone()));

    for was_there in [true, false] {
        let mut uow = law.begin().await;
        let held = uow.hold_group(&changed.id).await.expect("an answer");
        assert_eq!(held, was_there);
        let deleted = uow.delete_group(&changed.id).await;
        assert_eq!(deleted.expect("an answer"), was_there);
        uow.commit().await.expect("committed");
    }
    let mut uow = law.begin().await;
    let gone = uow.update_group(&changed).await;
    assert!(matches!(gone, Err(StoreError::Conflict)), "{gone:?}");
    drop(uow);
    assert_eq!(find(law, &changed.id).await, None);
    assert_eq!(find(law, &other.id).await, Some(other));
}

/// Each once, whatever other groups there are.
pub async fn groups_are_listed_page_by_page(law: &StoreSubject) {
    let mut wanted = Vec::new();
    for number in 0..5 {
        let group = new_group(law, number);
        insert(law, &group).await;
        wanted.push(group.id);
    }
    let size = PageSize::parse(2).expect("a size");
    let (mut listed, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = law.store.groups_after(after.as_deref(), size).await;
        let page = page.expect("readable");
        assert!(page.groups.len() <= 2, "{}", page.groups.len());
        let ids = page.groups.into_iter().map(|group| group.id);
        listed.extend(ids.filter(|id| id.as_str().starts_with(law.group.as_str())));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, wanted);
}

/// Groups that users are in and that are not there are told; and whether anybody is
/// in a group.
pub async fn groups_of_users_are_told(law: &StoreSubject) {
    let is_told = async || {
        let groups = law.store.groups_of_users().await.expect("readable");
        groups.iter().filter(|id| **id == law.group).count()
    };
    let has_users = async || {
        let mut uow = law.begin().await;
        uow.has_users(&law.group).await.expect("an answer")
    };
    assert_eq!((is_told().await, has_users().await), (0, false));
    law.user().await;
    law.user().await;
    assert_eq!((is_told().await, has_users().await), (1, true));
    insert(law, &Group::new(law.group.clone(), law.now)).await;
    assert_eq!((is_told().await, has_users().await), (0, true));
}

/// Whoever deletes a group waits for those who are coming into it, and sees them.
pub async fn a_held_group_is_not_deleted_meanwhile(law: &StoreSubject) {
    insert(law, &Group::new(law.group.clone(), law.now)).await;
    let user = law.new_user();
    let mut coming = law.begin().await;
    assert!(coming.hold_group(&law.group).await.expect("an answer"));
    let (store, group) = (Arc::clone(&law.store), law.group.clone());
    let deleting = tokio::spawn(async move {
        let mut uow = store.begin().await?;
        uow.lock_group(&group).await?;
        uow.has_users(&group).await
    });
    tokio::time::sleep(A_WHILE).await;
    assert!(!deleting.is_finished(), "it did not wait");
    coming.insert_user(&user).await.expect("a new user");
    coming.commit().await.expect("committed");
    let has_users = deleting.await.expect("no panic").expect("an answer");
    assert!(has_users, "the group would be deleted with a user in it");
}
