//! Groups: made by operators, known to all replicas, each with its own policy; and
//! nothing crosses from one to another.

mod boundaries;

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::profile_attribute::Type;
use countersign_tests::{
    Backend, Details, Gateway, PASSWORD, PATIENCE, World, comes_true, email, on_a_backend,
    on_every_backend, reason,
};
use tonic::{Code, Status};

on_every_backend!(
    a_group_is_known_to_all_replicas_within_its_bound,
    nothing_crosses_groups,
);

use boundaries::nothing_crosses_groups;

/// Within which another replica knows what an operator has changed, on a machine that
/// has nothing else to do.
const BOUND: Duration = Duration::from_secs(3);

async fn a_group_is_known_to_all_replicas_within_its_bound(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .start()
        .await;
    let here = world.replica(0).gateway();
    let there = world.replica(world.replicas().len() - 1).gateway();
    let mut waits = Vec::new();
    for (number, sign_up) in [None, Some(true), Some(false)].into_iter().enumerate() {
        let id = format!("shop-{number}");
        let policy = v1::GroupPolicy {
            sign_up,
            ..Default::default()
        };
        here.make_group(&id, policy).await.expect("a new group");
        assert!(here.knows_group(&id).await, "with the answer");
        let is_known = || there.knows_group(&id);
        waits.push(comes_true(PATIENCE, is_known).await.expect("it is known"));
    }
    assert_eq!(may_sign_up(&world, &there, "shop-0").await, "OK");
    assert_eq!(may_sign_up(&world, &there, "shop-1").await, "OK");
    assert_eq!(
        may_sign_up(&world, &there, "shop-2").await,
        "SIGN_UP_NOT_ALLOWED"
    );

    let closed = v1::GroupPolicy {
        sign_up: Some(false),
        ..Default::default()
    };
    here.change_policy("shop-0", closed).await.expect("changed");
    assert_eq!(
        may_sign_up(&world, &here, "shop-0").await,
        "SIGN_UP_NOT_ALLOWED"
    );
    let is_closed = || async { may_sign_up(&world, &there, "shop-0").await != "OK" };
    waits.push(comes_true(PATIENCE, is_closed).await.expect("it is closed"));

    let delete = v1::DeleteGroupRequest {
        group_id: "shop-0".into(),
        etag: String::new(),
    };
    let deleted = here.groups().delete_group(delete).await;
    deleted.expect("nobody is in it");
    assert!(!here.knows_group("shop-0").await, "with the answer");
    let is_gone = || async { !there.knows_group("shop-0").await };
    waits.push(comes_true(PATIENCE, is_gone).await.expect("it is gone"));
    let late = waits.iter().filter(|wait| **wait > BOUND).count();
    countersign_tests::say!(
        "groups on {backend}, {} replica(s): {} changes, known to another replica at the latest \
         after {:?}; later than {BOUND:?}: {late}",
        world.replicas().len(),
        waits.len(),
        waits.iter().max().copied().unwrap_or_default(),
    );
}

async fn may_sign_up(world: &World, gateway: &Gateway, group: &str) -> String {
    let request = v1::SignUpRequest {
        group_id: group.into(),
        identifier: Some(email(&world.new_email())),
        password: PASSWORD.into(),
        ..Default::default()
    };
    reason(&gateway.ask_to_sign_up(request).await)
}

fn violations<T: std::fmt::Debug>(refused: Result<T, Status>) -> Vec<String> {
    let status = refused.expect_err("a violation");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    Details::of(&status).fields
}

#[test]
fn a_policy_is_read_within_the_servers_configuration() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("tokens.access_ttl", "5m")
            .set("tokens.idle_ttl", "1d")
            .set("tokens.session_ttl", "10d")
            .start()
            .await;
        let gateway = world.gateway();
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let bad = v1::GroupPolicy {
            password_min_length: Some(0),
            mfa_policy: 99,
            access_token_ttl: seconds(301),
            idle_ttl: seconds(9),
            session_ttl: Some(prost_types::Duration {
                seconds: 60,
                nanos: 1,
            }),
            sign_in_ways: vec![0],
            audiences: vec!["elsewhere".into()],
            scopes: vec!["a b".into()],
            sign_up: None,
            profile_attributes: vec![
                attribute("Size", Type::String, 0),
                attribute("size", Type::Unspecified, 0),
                attribute("size", Type::Number, 5),
                attribute("long", Type::String, 4_097),
                attribute("fits", Type::String, 4_096),
            ],
        };
        let refused = gateway.make_group("Staff", bad).await;
        let mut named = violations(refused);
        named.sort();
        assert_eq!(
            named,
            [
                "group_id",
                "policy.access_token_ttl",
                "policy.audiences[0]",
                "policy.idle_ttl",
                "policy.mfa_policy",
                "policy.password_min_length",
                "policy.profile_attributes[0]",
                "policy.profile_attributes[1]",
                "policy.profile_attributes[2]",
                "policy.profile_attributes[2].name",
                "policy.profile_attributes[3]",
                "policy.scopes[0]",
                "policy.session_ttl",
                "policy.sign_in_ways[0]",
            ]
        );
        let good = v1::GroupPolicy {
            password_min_length: Some(12),
            mfa_policy: v1::MfaPolicy::Required.into(),
            access_token_ttl: seconds(60),
            idle_ttl: seconds(3_600),
            session_ttl: seconds(86_400),
            sign_in_ways: vec![
                v1::SignInWay::Password.into(),
                v1::SignInWay::VerifiedCode.into(),
                v1::SignInWay::Password.into(),
            ],
            audiences: Vec::new(),
            scopes: vec!["orders:read".into()],
            sign_up: Some(false),
            profile_attributes: vec![
                attribute("nickname", Type::String, 20),
                attribute("newsletter", Type::Boolean, 0),
                attribute("size", Type::Number, 0),
            ],
        };
        let made = gateway.make_group("staff", good.clone()).await;
        let made = made.expect("a new group");
        let policy = v1::GroupPolicy {
            sign_in_ways: vec![
                v1::SignInWay::Password.into(),
                v1::SignInWay::VerifiedCode.into(),
            ],
            ..good
        };
        assert_eq!(made.policy.as_ref(), Some(&policy));
        let request = v1::GetGroupRequest {
            group_id: "staff".into(),
        };
        let read = gateway.groups().get_group(request).await.expect("a group");
        assert_eq!(read.into_inner().group.as_ref(), Some(&made));

        let update = |paths: &[&str], etag: &str| v1::UpdateGroupRequest {
            group: Some(v1::Group {
                group_id: "staff".into(),
                display_name: "Staff".into(),
                etag: etag.into(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: paths.iter().map(|&path| path.into()).collect(),
            }),
        };
        for (paths, field) in [
            (&[][..], "update_mask"),
            (&["policy.mfa"], "update_mask.paths[0]"),
        ] {
            let refused = gateway.groups().update_group(update(paths, "")).await;
            assert_eq!(violations(refused), [field]);
        }
        let paths = ["display_name", "policy.mfa_policy"];
        let changed = gateway
            .groups()
            .update_group(update(&paths, &made.etag))
            .await;
        let changed = changed.expect("changed").into_inner().group;
        let changed = changed.expect("a group");
        assert_eq!(changed.display_name, "Staff");
        let expected = v1::GroupPolicy {
            mfa_policy: 0,
            ..policy
        };
        assert_eq!(changed.policy, Some(expected));
        let stale = gateway
            .groups()
            .update_group(update(&paths, &made.etag))
            .await;
        assert_eq!(stale.as_ref().expect_err("stale").code(), Code::Aborted);
        assert_eq!(reason(&stale), "GROUP_CHANGED");
    });
}

fn attribute(name: &str, kind: Type, max_length: i32) -> v1::ProfileAttribute {
    v1::ProfileAttribute {
        name: name.into(),
        r#type: kind.into(),
        max_length,
        writable: kind == Type::Boolean,
    }
}

#[test]
fn groups_are_listed_by_pages() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("mfa.group_policies", vec!["staff=off"])
            .start()
            .await;
        let gateway = world.gateway();
        for number in 0..5 {
            let id = format!("g{number}");
            let made = gateway.make_group(&id, v1::GroupPolicy::default());
            made.await.expect("a new group");
        }
        let (mut listed, mut page_token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let request = v1::ListGroupsRequest {
                page_size: 3,
                page_token,
            };
            let page = gateway.groups().list_groups(request).await.expect("a page");
            let page = page.into_inner();
            pages += 1;
            listed.extend(page.groups.into_iter().map(|group| group.group_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, ["default", "g0", "g1", "g2", "g3", "g4", "staff"]);
        assert_eq!(pages, 3);
        page_tokens_are_refused(&world).await;
    });
}

/// Those of another list, and those that were cut or changed.
async fn page_tokens_are_refused(world: &World) {
    let gateway = world.gateway();
    let page_of_groups = |page_token: String| v1::ListGroupsRequest {
        page_size: 3,
        page_token,
    };
    let first = page_of_groups(String::new());
    let first = gateway.groups().list_groups(first).await.expect("a page");
    let whole = first.into_inner().next_page_token;
    for _ in 0..2 {
        world.sign_up().await;
    }
    let users = v1::ListUsersRequest {
        page_size: 1,
        ..Default::default()
    };
    let users = gateway.page_of_users(users).await.expect("a page");
    assert!(!users.next_page_token.is_empty(), "there are two users");
    let mut bad = vec!["AAAA".into(), users.next_page_token, format!("{whole}AAAA")];
    bad.extend((1..whole.len()).map(|end| whole[..end].to_owned()));
    let changed = whole.char_indices().map(|(at, letter)| {
        let other = if letter == 'A' { "B" } else { "A" };
        format!("{}{other}{}", &whole[..at], &whole[at + 1..])
    });
    bad.extend(changed);
    for page_token in bad {
        let refused = gateway
            .groups()
            .list_groups(page_of_groups(page_token))
            .await;
        assert_eq!(violations(refused), ["page_token"]);
    }
}

#[test]
fn groups_outlive_a_restart_and_those_of_users_are_made() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let mina = world.sign_up().await;
        world.make_groups(&["shop"]).await;
        for table in ["users", "identifiers"] {
            let update = format!("UPDATE {table} SET group_id = 'old-tenant'");
            world.execute(&update).await;
        }
        world.replica(0).restart().await;
        let gateway = world.gateway();
        assert!(gateway.knows_group("shop").await);
        assert!(!gateway.knows_group("nowhere").await);
        let grant = v1::PasswordGrant {
            identifier: Some(email(&mina.email)),
            password: PASSWORD.into(),
        };
        let request = v1::IssueTokensRequest {
            group_id: "old-tenant".into(),
            grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
            ..Default::default()
        };
        gateway.issue_tokens(request).await.expect("signed in");
    });
}
