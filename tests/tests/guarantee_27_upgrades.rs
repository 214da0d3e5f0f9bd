//! Guarantee 27, so far as one release shows it: it works on tables that a later
//! release has changed in a way that is compatible with it, and refuses clearly
//! to start on others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Finished, PASSWORD, Person, Tally, World, email, on_backends_at_once, reason,
};
use tokio::time::sleep;

const EVERY: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::MariaDb];
const SESSIONS: usize = 8;
/// For how long the load goes on before and after the migration.
const AROUND: Duration = Duration::from_secs(3);
/// The version of the tables that this release knows.
const KNOWN: i64 = 15;
const TABLES: [&str; 22] = [
    "audit_events",
    "users",
    "identifiers",
    "identifier_undos",
    "credentials",
    "devices",
    "sessions",
    "revocations",
    "signing_keys",
    "callers",
    "caller_keys",
    "caller_key_uses",
    "caller_sans",
    "factors",
    "federated_identities",
    "factor_credentials",
    "recovery_codes",
    "outbox",
    "heartbeat",
    "groups",
    "service_accounts",
    "service_account_credentials",
];

#[test]
fn a_release_goes_on_and_starts_beside_a_newer_compatible_schema() {
    on_backends_at_once(&EVERY, compatible);
}

#[test]
fn a_release_refuses_to_start_beside_a_schema_that_it_does_not_know() {
    on_backends_at_once(&EVERY, incompatible);
}

async fn compatible(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas() + 1)
        .set("validation.feed_bound", "2s")
        .set("validation.poll_interval", "200ms")
        .build()
        .await;
    // The last one starts after the migration: on SQLite the only one again.
    let (late, early) = world.replicas().split_last().expect("replicas");
    for replica in early {
        replica.start().await;
    }
    let mina = world.sign_up().await;
    let mut kept = Vec::new();
    for _ in 0..SESSIONS {
        kept.push(mina.sign_in().await);
    }

    let is_over = AtomicBool::new(false);
    let mut before_and_after = Tally::default();
    let load = async {
        let mut outcomes = Tally::default();
        while !is_over.load(Ordering::Relaxed) {
            outcomes.add_all(&world.main_job(&mina).await);
        }
        outcomes
    };
    let upgrade = async {
        sleep(AROUND).await;
        migrate_as_a_later_release(&world).await;
        if backend != Backend::Sqlite {
            late.start().await;
        }
        sleep(AROUND).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let (during, ()) = tokio::join!(load, upgrade);
    before_and_after.add_all(&refresh_all(&world, &mut kept).await);
    world.replica(0).restart().await;
    let mina = mina.at(&world.gateway());
    before_and_after.add_all(&world.main_job(&mina).await);
    before_and_after.add_all(&everything_else(&world).await);
    let refreshed = refresh_all(&world, &mut kept).await;
    let lost = refreshed.total() - refreshed.count("OK");
    before_and_after.add_all(&refreshed);
    // A caller closes the server to those without a key: it comes last.
    for command in [
        &["migrate"][..],
        &["migrate", "--check"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["caller", "new", "--name", "web", "--role", "gateway"],
    ] {
        let finished = world.replica(0).run(command).await;
        before_and_after.add(if finished.code == 0 {
            "OK"
        } else {
            &finished.stderr
        });
    }

    let (total, ok) = (
        during.total() + before_and_after.total(),
        during.count("OK") + before_and_after.count("OK"),
    );
    countersign_tests::say!(
        "guarantee 27 on {backend}, {} running server(s) and one that starts beside a newer \
         compatible schema: failed calls {} of {total} ({during}; afterwards \
         {before_and_after}); sessions lost {lost} of {SESSIONS}",
        early.len(),
        total - ok,
    );
    during.assert_only(&["OK"]);
    before_and_after.assert_only(&["OK"]);
}

async fn incompatible(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    world.replica(0).kill().await;
    migrate_as_a_later_release(&world).await;
    record(&world, KNOWN + 2, KNOWN + 2).await;
    let before = world.contents().await;

    let words = [
        &*format!("schema version {}", KNOWN + 2),
        &*format!("version {} or later", KNOWN + 2),
        &*format!("knows version {KNOWN}"),
        "use a newer one",
    ];
    let mut refusals = 0;
    for command in [
        &["serve"][..],
        &["migrate"],
        &["migrate", "--check"],
        &["keys", "rotate"],
        &["keys", "list"],
        &["caller", "new", "--name", "web", "--role", "gateway"],
    ] {
        let finished = world.replica(0).run(command).await;
        assert_refused(command, &finished, &words);
        refusals += 1;
    }
    let after = world.contents().await;
    assert_eq!(after, before, "{backend}: nothing is changed");
    world
        .execute(&format!(
            "DELETE FROM schema_versions WHERE version = {}",
            KNOWN + 2
        ))
        .await;
    world.replica(0).start().await;
    let refreshed = world.gateway().refresh(&tokens.refresh_token).await;
    countersign_tests::say!(
        "guarantee 27 on {backend}, beside a schema that needs a newer release: refused with what \
         to do {refusals} of 6 commands, numbers changed in the database 0 of {}; with the older \
         schema again: refresh {}",
        before.len(),
        reason(&refreshed)
    );
    assert_eq!(reason(&refreshed), "OK");
}

/// What a later release's migration would do: it adds, and says with which
/// releases it is compatible.
async fn migrate_as_a_later_release(world: &World) {
    for table in TABLES {
        for column in [
            "added_text VARCHAR(64) NULL",
            "added_number BIGINT NOT NULL DEFAULT 7",
        ] {
            world
                .execute(&format!("ALTER TABLE {table} ADD COLUMN {column}"))
                .await;
        }
    }
    world
        .execute("CREATE TABLE gadgets (id BIGINT PRIMARY KEY, name VARCHAR(64) NOT NULL)")
        .await;
    world
        .execute("CREATE INDEX sessions_by_added_text ON sessions (added_text)")
        .await;
    record(world, KNOWN + 1, KNOWN).await;
}

/// Writes down that a migration was run.
async fn record(world: &World, version: i64, compatible_from: i64) {
    let now = world.backend().now_millis();
    let insert = format!(
        "INSERT INTO schema_versions (version, name, compatible_from, applied_at) \
         VALUES ({version}, 'm{version:04}_of_a_later_release', {compatible_from}, {now})"
    );
    assert_eq!(world.execute(&insert).await, 1);
}

/// Refreshes each session by way of every running replica.
async fn refresh_all(world: &World, sessions: &mut [v1::Tokens]) -> Tally {
    let mut outcomes = Tally::default();
    for gateway in world.running() {
        for tokens in &mut *sessions {
            let refreshed = gateway.refresh(&tokens.refresh_token).await;
            outcomes.add(&reason(&refreshed));
            if let Ok(next) = refreshed {
                *tokens = next;
            }
        }
    }
    outcomes
}

/// What writes the other tables: a new user, a code that arrives, a new
/// password.
async fn everything_else(world: &World) -> Tally {
    let mut outcomes = Tally::default();
    let gateway = world.gateway();
    let person: Person = world.sign_up().await;
    let sent = gateway.send_code(email(&person.email), v1::Purpose::SignIn, "");
    let sent = sent.await;
    outcomes.add(&reason(&sent));
    if let Ok(id) = sent {
        let code = world.read_code(&person.email).await;
        let checked = gateway.check_code(&id, &code).await;
        outcomes.add(&reason(&checked));
        if let Ok(proof) = checked {
            outcomes.add(&reason(&gateway.sign_in_proven(&proof).await));
        }
    }
    let tokens = person.sign_in().await;
    let new = "nine herons on the far pier";
    outcomes.add(&reason(
        &person.change_password(&tokens, PASSWORD, new).await,
    ));
    outcomes
}

fn assert_refused(command: &[&str], finished: &Finished, words: &[&str]) {
    assert_eq!(finished.code, 1, "{command:?}: {}", finished.stderr);
    for word in words {
        let is_said = finished.stderr.contains(word);
        assert!(is_said, "{command:?}: {word} in {}", finished.stderr);
    }
    let has_panicked = finished.stderr.contains("panicked");
    assert!(!has_panicked, "{command:?}: {}", finished.stderr);
}
