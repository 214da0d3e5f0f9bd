//! Commands beside the servers work on the database that is there: `migrate`
//! alone makes tables, and each command names the database.

use countersign_tests::{Backend, World, on_every_shared_backend};

on_every_shared_backend!(only_migrate_makes_tables);

async fn only_migrate_makes_tables(backend: Backend) {
    let world = World::on(backend).build().await;
    let operator = world.replica(0);
    let place = world.database_name().expect("it is on a server");
    for command in [
        &["caller", "new", "--name", "web", "--role", "gateway"][..],
        &["caller", "list"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["backup", "copy"],
    ] {
        let refused = operator.run(command).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
        for words in [
            "absent or not up to date",
            "run countersign migrate, or start the server once",
            place,
        ] {
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
        }
        assert!(world.contents().await.is_empty(), "no tables are made");
    }

    assert_eq!(operator.run(&["migrate"]).await.code, 0);
    let made = operator.run(&["caller", "new", "--name", "web", "--role", "gateway"]);
    let made = made.await;
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(made.stdout.lines().count(), 1, "the key alone");
    let first = made.stderr.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("database: ") && first.ends_with(place),
        "{first}"
    );
}
