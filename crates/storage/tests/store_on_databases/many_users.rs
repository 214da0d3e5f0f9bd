//! Lists of a million users: what a page costs, in each order and behind each filter.

use std::time::Duration;

use countersign_domain::model::{
    GroupId, IdentifierKind, IdentifierPrefix, PageSize, StateFilter, Timestamp, UserCursor,
    UserId, UserQuery, UserRole,
};
use countersign_domain::ports::Users as _;

use crate::rows::{open, run_sql};

const USERS: u64 = 1_000_000;
const CREATED: i64 = 1_700_000_000_000;
/// How often each page is read.
const TIMES: u32 = 5;

/// Prints how long a page of each list takes, at the beginning and in the middle.
pub(crate) async fn listed(url: &str) {
    let store = open(url, 2).await;
    fill(url).await;
    let group = |text| GroupId::parse(text).ok();
    let none = UserQuery::default();
    let prefix = |text| IdentifierPrefix::parse(IdentifierKind::Email, text).ok();
    let lists = [
        ("all", none.clone()),
        (
            "oldest first",
            UserQuery {
                oldest_first: true,
                ..none.clone()
            },
        ),
        (
            "a group of 1,000",
            UserQuery {
                group: group("small"),
                ..none.clone()
            },
        ),
        (
            "a group of 999,000",
            UserQuery {
                group: group("default"),
                ..none.clone()
            },
        ),
        (
            "1,000,000 with a role",
            UserQuery {
                role: UserRole::parse("user").ok(),
                ..none.clone()
            },
        ),
        (
            "1,000 suspended",
            UserQuery {
                state: Some(StateFilter::Suspended),
                ..none.clone()
            },
        ),
        (
            "1,000 suspended, in a group of 999,000",
            UserQuery {
                state: Some(StateFilter::Suspended),
                group: group("default"),
                ..none.clone()
            },
        ),
        (
            "999,000 active",
            UserQuery {
                state: Some(StateFilter::Active),
                ..none.clone()
            },
        ),
        (
            "1,000 with a role",
            UserQuery {
                role: UserRole::parse("admin").ok(),
                ..none.clone()
            },
        ),
        (
            "999,000 that begin alike",
            UserQuery {
                prefix: prefix("user"),
                group: group("default"),
                ..none
            },
        ),
    ];
    let size = PageSize::parse(100).expect("a size");
    for (name, query) in lists {
        let middle = match query.prefix {
            Some(_) => UserCursor::Identifier("user5@example.com".into()),
            None => UserCursor::Created(
                Timestamp::from_millis(CREATED + 500_000),
                UserId::from_bytes(500_000_u128.to_be_bytes()),
            ),
        };
        for (place, after) in [("first", None), ("middle", Some(&middle))] {
            let mut took = Duration::MAX;
            for _ in 0..TIMES {
                let before = now();
                let page = store.list_users(&query, size, after).await;
                took = took.min(now() - before);
                assert_eq!(page.expect("readable").users.len(), 100, "{name}");
            }
            eprintln!("{USERS} users, {name}, {place} page: {took:.1?}, best of {TIMES}");
        }
    }
}

async fn fill(url: &str) {
    let (series, id, text) = if url.starts_with("postgres") {
        (
            format!("generate_series(1, {USERS}) AS s(n)"),
            "decode(lpad(to_hex(n), 32, '0'), 'hex')",
            "n::text",
        )
    } else if url.starts_with("mysql") {
        (
            format!("(SELECT seq AS n FROM seq_1_to_{USERS}) AS s"),
            "UNHEX(LPAD(HEX(n), 32, '0'))",
            "CAST(n AS CHAR)",
        )
    } else {
        (
            format!(
                "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s \
                 WHERE n < {USERS}) SELECT n FROM s)"
            ),
            "unhex(printf('%032x', n))",
            "CAST(n AS TEXT)",
        )
    };
    let concat = match url.starts_with("mysql") {
        true => format!("CONCAT('user', {text}, '@example.com')"),
        false => format!("'user' || {text} || '@example.com'"),
    };
    let group = "CASE WHEN n % 1000 = 3 THEN 'small' ELSE 'default' END";
    for statement in [
        format!(
            "INSERT INTO users (id, group_id, state, credential_version, created_at, blocked, \
             blocked_at, blocked_reason, roles) SELECT {id}, {group}, \
             CASE WHEN n % 1000 = 1 THEN 'pending' ELSE 'active' END, 0, {CREATED} + n, \
             CASE WHEN n % 1000 = 1 THEN 'suspended' END, \
             CASE WHEN n % 1000 = 1 THEN {CREATED} + n END, \
             CASE WHEN n % 1000 = 1 THEN '' END, \
             CASE WHEN n % 1000 = 2 THEN 'admin user' ELSE 'user' END FROM {series}"
        ),
        format!(
            "INSERT INTO identifiers (group_id, kind, value, user_id) \
             SELECT {group}, 'email', {concat}, {id} FROM {series}"
        ),
        format!(
            "INSERT INTO user_roles (role, created_at, user_id) \
             SELECT 'user', {CREATED} + n, {id} FROM {series}"
        ),
        format!(
            "INSERT INTO user_roles (role, created_at, user_id) \
             SELECT 'admin', {CREATED} + n, {id} FROM {series} WHERE n % 1000 = 2"
        ),
    ] {
        run_sql(url, &statement).await;
    }
    for table in ["users", "identifiers", "user_roles"] {
        let analyze = match url.starts_with("mysql") {
            true => format!("ANALYZE TABLE {table}"),
            false => format!("ANALYZE {table}"),
        };
        run_sql(url, &analyze).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tells how long a statement takes, and decides nothing by it"
)]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}
