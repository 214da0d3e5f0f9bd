//! Operators read the log by filters and in pages, while more comes, and beside damaged rows;
//! old events go.

use std::collections::BTreeSet;

use countersign_proto::v1;
use countersign_tests::{
    Backend, PATIENCE, World, device, email, eventually, on_every_backend, reason,
};

use crate::{action, all, of_user, page};

on_every_backend!(
    events_are_found_by_each_filter,
    pages_have_each_event_once_while_more_come,
    a_damaged_event_harms_no_other,
    old_events_go
);

async fn events_are_found_by_each_filter(backend: Backend) {
    let world = World::start(backend, 1).await;
    world.make_groups(&["shop"]).await;
    let gateway = world.new_caller("web", &["gateway"]).await;
    let desk = world.new_caller("desk", &["operator"]).await;
    let mina = world.sign_up_at(&gateway).await;
    let grant = v1::PasswordGrant {
        identifier: Some(email(&mina.email)),
        password: countersign_tests::PASSWORD.into(),
    };
    let request = v1::IssueTokensRequest {
        grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
        client_context: device("203.0.113.9"),
        ..Default::default()
    };
    let tokens = gateway.issue_tokens(request).await.expect("signed in");
    desk.suspend(&mina.user_id, "spam")
        .await
        .expect("suspended");

    let none = v1::ListAuditEventsRequest::default();
    let found = async |query: v1::ListAuditEventsRequest| {
        let found = all(&desk, &query, 2).await;
        found.iter().map(action).collect::<Vec<_>>()
    };
    let user_id = mina.user_id.clone();
    let of_mina = v1::ListAuditEventsRequest {
        user_id,
        ..none.clone()
    };
    assert_eq!(
        found(of_mina.clone()).await,
        ["user_suspended", "session_opened", "user_signed_up"]
    );
    let by_desk = v1::ListAuditEventsRequest {
        caller_id: "desk".into(),
        ..none.clone()
    };
    assert_eq!(found(by_desk).await, ["user_suspended"]);
    let of_session = v1::ListAuditEventsRequest {
        session_id: tokens.session_id.clone(),
        ..none.clone()
    };
    assert_eq!(found(of_session).await, ["session_opened"]);
    let of_group = v1::ListAuditEventsRequest {
        group_id: "shop".into(),
        ..none.clone()
    };
    assert_eq!(found(of_group).await, ["group_created"]);
    let of_actions = v1::ListAuditEventsRequest {
        actions: vec![
            v1::AuditAction::CallerAdded.into(),
            v1::AuditAction::UserSignedUp.into(),
        ],
        ..none.clone()
    };
    assert_eq!(
        found(of_actions).await,
        ["user_signed_up", "caller_added", "caller_added"]
    );
    let refused = v1::ListAuditEventsRequest {
        outcome: v1::AuditOutcome::Refused.into(),
        ..none.clone()
    };
    assert_eq!(found(refused).await, [""; 0]);

    // Who did it, and from where.
    let events = of_user(&desk, &mina.user_id).await;
    let opened = events[1].clone();
    let actor = opened.actor.expect("an actor");
    assert_eq!(actor.kind(), v1::AuditActorKind::Caller);
    assert_eq!(
        (actor.caller_id, actor.user_id),
        ("web".into(), mina.user_id.clone())
    );
    let origin = opened.origin.expect("an origin");
    assert_eq!(origin.client_ip_address, "203.0.113.9");
    assert_eq!(origin.peer_ip_address, "127.0.0.1");
    assert!(!origin.request_id.is_empty());
    let suspended = events[2].actor.as_ref().expect("an actor");
    assert_eq!(
        (suspended.caller_id.as_str(), suspended.user_id.as_str()),
        ("desk", "")
    );
    let since = v1::ListAuditEventsRequest {
        start_time: events[2].create_time,
        ..of_mina.clone()
    };
    assert_eq!(
        found(since).await.first().map(String::as_str),
        Some("user_suspended")
    );
    let until = v1::ListAuditEventsRequest {
        end_time: events[0].create_time,
        ..of_mina
    };
    assert_eq!(found(until).await, [""; 0]);

    let not_permitted = page(&gateway, none.clone()).await;
    assert_eq!(reason(&not_permitted), "CALLER_NOT_PERMITTED");
    for wrong in [
        v1::ListAuditEventsRequest {
            user_id: "nobody".into(),
            ..none.clone()
        },
        v1::ListAuditEventsRequest {
            actions: vec![0],
            ..none.clone()
        },
        v1::ListAuditEventsRequest {
            actions: vec![9999],
            ..none.clone()
        },
        v1::ListAuditEventsRequest {
            outcome: 9,
            ..none.clone()
        },
        v1::ListAuditEventsRequest {
            page_size: -1,
            ..none.clone()
        },
        v1::ListAuditEventsRequest {
            page_token: "nonsense".into(),
            ..none
        },
    ] {
        let refused = page(&desk, wrong.clone()).await;
        assert_eq!(reason(&refused), "FIELD_INVALID", "{wrong:?}");
    }
}

async fn pages_have_each_event_once_while_more_come(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let mina = world.sign_up().await;
    for _ in 0..6 {
        mina.sign_in().await;
    }
    let there: Vec<_> = of_user(&gateway, &mina.user_id).await;
    let there: BTreeSet<_> = there.into_iter().map(|event| event.event_id).collect();
    let mut request = v1::ListAuditEventsRequest {
        user_id: mina.user_id.clone(),
        page_size: 2,
        ..Default::default()
    };
    let mut told = Vec::new();
    loop {
        let page = page(&gateway, request.clone()).await.expect("a page");
        told.extend(page.events.into_iter().map(|event| event.event_id));
        mina.sign_in().await;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(told.len(), there.len());
    assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), there);
    let other = v1::ListAuditEventsRequest {
        user_id: String::new(),
        ..request
    };
    assert_eq!(reason(&page(&gateway, other).await), "FIELD_INVALID");
}

async fn a_damaged_event_harms_no_other(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let mina = world.sign_up().await;
    for _ in 0..3 {
        mina.sign_in().await;
    }
    let before = of_user(&gateway, &mina.user_id).await;
    let bad = backend.bytes(&before[1].event_id);
    let spoil = format!("UPDATE audit_events SET action = 'canary' WHERE id = {bad}");
    assert_eq!(world.execute(&spoil).await, 1);
    let after = of_user(&gateway, &mina.user_id).await;
    let mut expected = before;
    expected.remove(1);
    assert_eq!(after, expected);
    // The line may come after the answer.
    let named = || async {
        let named = world.log().warnings(0, 0).into_iter();
        let named: Vec<_> = named.filter(|line| line.contains("audit_events")).collect();
        (!named.is_empty()).then_some(named)
    };
    let (named, _) = eventually("the event is named", PATIENCE, named).await;
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(!named[0].contains("canary"), "{named:?}");
    mina.sign_in().await;
}

async fn old_events_go(backend: Backend) {
    let world = World::on(backend)
        .set("audit.retention", "1d")
        .build()
        .await;
    world.replica(0).start().await;
    let mina = world.sign_up().await;
    mina.sign_in().await;
    // The same, a year before the epoch of this service and two days ago.
    let hex = backend.hex("id");
    let ids = format!("SELECT {hex} FROM audit_events WHERE action = 'session_opened'");
    let id = world.texts(&ids).await.remove(0);
    for millis in [1_u64, 1_700_000_000_000] {
        let old = format!("{millis:012x}{}", &id[12..]);
        let copy = format!(
            "INSERT INTO audit_events (id, action, refused, actor, caller, user_agent, detail) \
             VALUES ({}, 'user_deleted', 0, 'caller', 'web', '', '')",
            backend.bytes(&old)
        );
        assert_eq!(world.execute(&copy).await, 1);
    }
    // The job runs with the start, and each minute.
    world.replica(0).restart().await;
    let gone = || async {
        let left = world
            .rows("audit_events WHERE action = 'user_deleted'")
            .await;
        (left == 0).then_some(())
    };
    eventually("old events are deleted", PATIENCE, gone).await;
    let kept = of_user(&world.gateway(), &mina.user_id).await;
    assert_eq!(
        kept.iter().map(action).collect::<Vec<_>>(),
        ["user_signed_up", "session_opened"]
    );
}
