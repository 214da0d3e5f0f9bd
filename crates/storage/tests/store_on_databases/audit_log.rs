//! The audit log in a database: rows that cannot be read, and what a page of a million
//! costs.

use std::time::Duration;

use countersign_domain::model::{
    AuditAction, AuditCursor, AuditEvent, AuditFilter, GroupId, Origin, PageSize, SessionId,
    Timestamp, UserId,
};
use countersign_domain::ports::{AuditLog as _, Retention, Store as _};
use countersign_domain::testing::SeededRandom;
use countersign_storage::Database;

use crate::damage::{listen, literal};
use crate::many_users::now;
use crate::rows::{count, open, run_sql};

const EVENTS: u64 = 1_000_000;
/// When the first of them was; each is a second later.
const FIRST: i64 = 1_790_000_000_000;
/// How often each page is read.
const TIMES: u32 = 5;

/// Damaged events are left out, named once, and in nobody's way; they are deleted with
/// their time.
pub(crate) async fn damaged_events(url: &str) {
    let store = open(url, 2).await;
    let random = SeededRandom::new(1);
    let at = |second: i64| Timestamp::from_millis(FIRST + second * 1000);
    let events: Vec<_> = (0..30)
        .map(|second| {
            AuditEvent::new(
                AuditAction::GroupUpdated,
                Origin::server(),
                at(second),
                &random,
            )
            .on_group(&GroupId::fallback())
        })
        .collect();
    let mut uow = store.begin().await.expect("a unit of work");
    for event in &events {
        uow.insert_audit_event(event).await.expect("written");
    }
    uow.commit().await.expect("committed");
    let spoilt = [
        (3, "action = 'canary'"),
        (4, "actor = 'canary'"),
        (11, "peer = 'canary'"),
        (12, "group_id = 'CANARY'"),
        (13, "refused = 1"),
        (14, "refusal = 'canary'"),
    ];
    for (place, change) in spoilt {
        let id = literal(url, SessionId::from_bytes(*events[place].id.as_bytes()));
        let spoil = format!("UPDATE audit_events SET {change} WHERE id = {id}");
        run_sql(url, &spoil).await;
    }
    let is_good = |place: &usize| spoilt.iter().all(|(bad, _)| bad != place);
    let mut good: Vec<_> = (0..30)
        .filter(is_good)
        .map(|place| &events[place])
        .collect();
    good.reverse();

    let (log, _guard) = listen();
    for _ in 0..3 {
        let listed = all(&store, &AuditFilter::default()).await;
        assert_eq!(listed.iter().collect::<Vec<_>>(), good);
    }
    let logged = log.take();
    assert_eq!(logged.lines().count(), spoilt.len(), "{logged}");
    for column in ["action", "actor", "peer", "group_id", "refusal"] {
        let named = format!("audit_events.{column}");
        assert!(logged.contains(&named), "{named}: {logged}");
    }
    assert!(!logged.to_lowercase().contains("canary"), "{logged}");

    let retention = Retention {
        now: at(0),
        sessions_before: at(0),
        audit_before: at(20),
    };
    let deleted = store.delete_expired(retention, 100).await;
    assert_eq!(deleted.expect("deleted"), 20);
    assert_eq!(count(url, "SELECT COUNT(*) FROM audit_events").await, 10);
}

async fn all(store: &Database, filter: &AuditFilter) -> Vec<AuditEvent> {
    let size = PageSize::parse(4).expect("a size");
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = store.audit_events(filter, size, after.as_ref()).await;
        let page = page.expect("readable");
        events.extend(page.events);
        match page.next {
            Some(next) => after = Some(next),
            None => return events,
        }
    }
}

/// Prints how long a page of each list takes, at the beginning and in the middle.
pub(crate) async fn a_million_events(url: &str) {
    let store = open(url, 2).await;
    fill(url).await;
    let none = AuditFilter::default();
    let id = |n: u128| n.to_be_bytes();
    let lists = [
        ("all", none.clone()),
        (
            "10 of a user",
            AuditFilter {
                user: Some(UserId::from_bytes(id(77))),
                ..none.clone()
            },
        ),
        (
            "1 of a session",
            AuditFilter {
                session: Some(SessionId::from_bytes(id(777))),
                ..none.clone()
            },
        ),
        (
            "1,000 of a caller",
            AuditFilter {
                caller: Some("desk".into()),
                ..none.clone()
            },
        ),
        (
            "1,000 of a group",
            AuditFilter {
                group: GroupId::parse("small").ok(),
                ..none.clone()
            },
        ),
        (
            "1,000 of two rare actions",
            AuditFilter {
                actions: vec![AuditAction::UserSuspended, AuditAction::CallerRemoved],
                ..none.clone()
            },
        ),
        (
            "1,000 refused",
            AuditFilter {
                refused: Some(true),
                ..none.clone()
            },
        ),
        (
            "none: a rare action in a small group",
            AuditFilter {
                actions: vec![AuditAction::UserSuspended],
                group: GroupId::parse("small").ok(),
                ..none.clone()
            },
        ),
        (
            "none: a caller who is not in the group",
            AuditFilter {
                caller: Some("desk".into()),
                group: GroupId::parse("small").ok(),
                ..none.clone()
            },
        ),
        (
            "an hour",
            AuditFilter {
                from: Some(Timestamp::from_millis(FIRST + 3_600_000)),
                before: Some(Timestamp::from_millis(FIRST + 7_200_000)),
                ..none
            },
        ),
    ];
    let size = PageSize::parse(100).expect("a size");
    let middle = AuditCursor(id((u128::from(FIRST.unsigned_abs() + 500_000_000)) << 80).to_vec());
    for (name, filter) in lists {
        for (place, after) in [("first", None), ("middle", Some(&middle))] {
            let (mut took, mut found) = (Duration::MAX, 0);
            for _ in 0..TIMES {
                let before = now();
                let page = store.audit_events(&filter, size, after).await;
                took = took.min(now() - before);
                found = page.expect("readable").events.len();
            }
            eprintln!(
                "{EVENTS} events, {name}, {place} page: {found} in {took:.1?}, best of {TIMES}"
            );
            assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        }
    }
}

/// An event each second: a sign-in, but for some.
async fn fill(url: &str) {
    let millis = format!("({FIRST} + n * 1000)");
    let (series, event, user, session) = if url.starts_with("postgres") {
        let hex = |text: &str| format!("decode(lpad(to_hex({text}), 32, '0'), 'hex')");
        (
            format!("generate_series(1, {EVENTS}) AS s(n)"),
            format!("decode(lpad(to_hex({millis}), 12, '0') || lpad(to_hex(n), 20, '0'), 'hex')"),
            hex("n % 100000"),
            hex("n"),
        )
    } else if url.starts_with("mysql") {
        let hex = |text: &str| format!("UNHEX(LPAD(HEX({text}), 32, '0'))");
        (
            format!("(SELECT seq AS n FROM seq_1_to_{EVENTS}) AS s"),
            format!("UNHEX(CONCAT(LPAD(HEX({millis}), 12, '0'), LPAD(HEX(n), 20, '0')))"),
            hex("n % 100000"),
            hex("n"),
        )
    } else {
        let hex = |text: &str| format!("unhex(printf('%032x', {text}))");
        (
            format!(
                "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s \
                 WHERE n < {EVENTS}) SELECT n FROM s)"
            ),
            format!("unhex(printf('%012x', {millis}) || printf('%020x', n))"),
            hex("n % 100000"),
            hex("n"),
        )
    };
    let fill = format!(
        "INSERT INTO audit_events (id, action, refused, refusal, attempts, last_at, actor, caller, \
         user_id, group_id, session_id, user_agent, detail) SELECT {event}, \
         CASE WHEN n % 1000 = 1 THEN 'user_suspended' ELSE 'session_opened' END, \
         CASE WHEN n % 1000 = 2 THEN 1 ELSE 0 END, \
         CASE WHEN n % 1000 = 2 THEN 'SIGN_IN_REFUSED' END, \
         CASE WHEN n % 1000 = 2 THEN 1 END, CASE WHEN n % 1000 = 2 THEN {FIRST} END, 'caller', \
         CASE WHEN n % 1000 = 3 THEN 'desk' ELSE 'web' END, {user}, \
         CASE WHEN n % 1000 = 4 THEN 'small' ELSE 'default' END, {session}, '', '' FROM {series}"
    );
    run_sql(url, &fill).await;
    let analyze = match url.starts_with("mysql") {
        true => "ANALYZE TABLE audit_events",
        false => "ANALYZE audit_events",
    };
    run_sql(url, analyze).await;
}
