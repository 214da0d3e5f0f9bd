//! What an outage does: an answer within a short time that it is unavailable, and the
//! database left alone for a while.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::ports::{ExistingUsers as _, ExistingUsersError, Holder};
use countersign_domain::testing::HandClock;
use tokio::time::timeout;

use crate::database::{Backend, Database, users_at};
use crate::proxy::{Proxy, State};
use crate::reading::{django, email, make_django};

const MINA: &str = "mina@example.com";

fn is_unavailable(answer: &Result<Holder, ExistingUsersError>) -> bool {
    matches!(answer, Err(ExistingUsersError::Unavailable(_)))
}

fn is_found(answer: &Result<Holder, ExistingUsersError>) -> bool {
    matches!(answer, Ok(Holder::User(_)))
}

#[tokio::test]
async fn connections_that_were_cut_between_two_lookups_are_replaced() {
    for backend in [Backend::Postgres, Backend::MariaDb] {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        make_django(
            &database,
            &["('mina', 'mina@example.com', 'HASH', '', true)"],
        )
        .await;
        let way = Proxy::to(&database.reader).await;
        let users = Arc::new(users_at(&way.url, "auth_user", django(), &Arc::default()));
        let mut lookups = 0;
        for _ in 0..5 {
            // Several connections, all of which are cut.
            let asked: Vec<_> = (0..8)
                .map(|_| {
                    let users = Arc::clone(&users);
                    tokio::spawn(async move { users.holder(&email(MINA)).await })
                })
                .collect();
            for answer in asked {
                let answer = answer.await.expect("no panic");
                assert!(is_found(&answer), "{backend:?}: {answer:?}");
                lookups += 1;
            }
            way.set(State::Cut);
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            way.set(State::Good);
        }
        println!(
            "{backend:?}: {lookups} of {lookups} lookups answered, all connections cut 5 times"
        );
        drop(users);
        database.drop_it().await;
    }
}

#[tokio::test]
async fn a_database_that_hangs_is_left_alone_and_found_again() {
    for backend in [Backend::Postgres, Backend::MariaDb] {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        make_django(
            &database,
            &["('mina', 'mina@example.com', 'HASH', '', true)"],
        )
        .await;
        let way = Proxy::to(&database.reader).await;
        let clock = Arc::new(HandClock::new());
        let users = users_at(&way.url, "auth_user", django(), &clock);
        assert!(is_found(&users.holder(&email(MINA)).await));
        way.set(State::Silent);
        for _ in 0..3 {
            let answer = timeout(Duration::from_secs(5), users.holder(&email(MINA))).await;
            let answer = answer.expect("within its own limit");
            assert!(is_unavailable(&answer), "{backend:?}: {answer:?}");
        }
        // From now on nobody waits: a thousand answers come without a question.
        let answers = async {
            for _ in 0..1_000 {
                assert!(is_unavailable(&users.holder(&email(MINA)).await));
            }
        };
        let at_once = timeout(Duration::from_millis(900), answers).await;
        at_once.expect("none of them waits");
        way.set(State::Good);
        assert!(is_unavailable(&users.holder(&email(MINA)).await));
        clock.advance(Duration::from_secs(6));
        let answer = users.holder(&email(MINA)).await;
        assert!(is_found(&answer), "{backend:?}: {answer:?}");
        assert!(is_found(&users.holder(&email(MINA)).await));
        drop(users);
        database.drop_it().await;
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    for url in [
        "postgres://reader@127.0.0.1:1/old",
        "mysql://reader@127.0.0.1:1/old",
        "sqlite:///nowhere/old.db",
    ] {
        let users = users_at(url, "auth_user", django(), &Arc::default());
        let answer = users.holder(&email(MINA)).await;
        assert!(is_unavailable(&answer), "{url}: {answer:?}");
    }
}
