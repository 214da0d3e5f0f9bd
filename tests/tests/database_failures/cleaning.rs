//! Deleting what has expired on MariaDB reads what it deletes, and not the table
//! again for every batch.

use std::time::Duration;

use countersign_tests::{Backend, DatabaseServer, World, comes_true, on_a_backend};

/// Doublings of one session: 32,768 that live, and as many that have expired.
const DOUBLINGS: u32 = 15;
/// How many rows may be read for each that is deleted, those of the indexes and
/// of the tables that point at it included.
const READ_PER_DELETED: i64 = 10;
const CLEANED_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn cleaning_reads_a_bounded_number_of_rows_for_each_it_deletes() {
    on_a_backend(Backend::MariaDb, async |backend| {
        let Some(server) = DatabaseServer::start(backend).await else {
            return;
        };
        let world = World::on(backend).on_server(&server).start().await;
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        world.replica(0).kill().await;
        let expired = fill(&world).await;

        let (read_before, deleted_before) = (read(&server).await, deleted(&server).await);
        world.replica(0).start().await;
        let is_clean = || async { deleted(&server).await - deleted_before >= expired };
        let cleaned = comes_true(CLEANED_WITHIN, is_clean).await;
        let was_deleted = deleted(&server).await - deleted_before;
        let was_read = read(&server).await - read_before;
        let left = world.rows("sessions").await;
        countersign_tests::say!(
            "cleaning on {backend}: {was_deleted} of {expired} expired sessions among as many that \
             live deleted after {cleaned:?}, {was_read} rows read: {} for each",
            was_read / was_deleted.max(1)
        );
        assert!(
            cleaned.is_some(),
            "they are deleted within {CLEANED_WITHIN:?}"
        );
        assert_eq!(left, expired + 1, "those that live are left");
        assert!(was_read <= was_deleted * READ_PER_DELETED);
        let refreshed = world.gateway().refresh(&tokens.refresh_token).await;
        assert!(refreshed.is_ok(), "{refreshed:?}");
    });
}

/// Copies the session many times: half of the copies live, the other half is
/// four hundred days older. How many have expired.
async fn fill(world: &World) -> i64 {
    world
        .execute("CREATE TABLE stock AS SELECT * FROM sessions")
        .await;
    for _ in 0..DOUBLINGS {
        world.execute("INSERT INTO stock SELECT * FROM stock").await;
    }
    let renew = "UPDATE stock SET id = RANDOM_BYTES(16)";
    let insert = "INSERT INTO sessions SELECT * FROM stock";
    world.execute(renew).await;
    world.execute(insert).await;
    world.execute(renew).await;
    // Whatever the columns are called: times are milliseconds or days.
    for column in world.number_columns("stock").await {
        let older = format!(
            "UPDATE stock SET {column} = CASE WHEN {column} > 1000000000000 \
             THEN {column} - 400 * 86400000 WHEN {column} BETWEEN 15000 AND 60000 \
             THEN {column} - 400 ELSE {column} END"
        );
        world.execute(&older).await;
    }
    let inserted = world.execute(insert).await;
    world.execute("DROP TABLE stock").await;
    world.execute("ANALYZE TABLE sessions").await;
    i64::try_from(inserted).expect("a count")
}

/// Rows that the server has read, by key and by scanning.
async fn read(server: &DatabaseServer) -> i64 {
    status(server, "HANDLER_READ%").await
}

/// Rows that the server has deleted.
async fn deleted(server: &DatabaseServer) -> i64 {
    status(server, "HANDLER_DELETE").await
}

async fn status(server: &DatabaseServer, variables: &str) -> i64 {
    let query = format!(
        "SELECT CAST(SUM(CAST(VARIABLE_VALUE AS UNSIGNED)) AS CHAR) \
         FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME LIKE '{variables}'"
    );
    let found = server.texts(&query).await;
    found[0].parse().expect("a number")
}
