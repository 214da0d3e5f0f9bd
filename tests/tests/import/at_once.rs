//! Two imports of the same users at once, in orders that cross each other, beside people
//! who sign in and are adopted meanwhile.

use countersign_tests::{Backend, PASSWORD, World, email, on_every_backend, say};

use super::{hash_of_everybody, import, write_file};

on_every_backend!(two_imports_at_once_double_nothing);

const USERS: usize = 400;

async fn two_imports_at_once_double_nothing(backend: Backend) {
    let mut builder = World::on(backend).replicas(backend.replicas());
    for (name, value) in [
        ("legacy.email_column", "email"),
        ("legacy.password_column", "hash"),
    ] {
        builder = builder.set(name, value);
    }
    let world = builder.start().await;
    let hash = hash_of_everybody(&world).await;
    let before = world.rows("identifiers").await;
    world
        .execute("CREATE TABLE old_users (id integer PRIMARY KEY, email varchar(255), hash varchar(255))")
        .await;
    let mut lines = Vec::new();
    for id in 0..USERS {
        let address = format!("user{id}@example.com");
        let insert = format!("INSERT INTO old_users VALUES ({id}, '{address}', '{hash}')");
        world.execute(&insert).await;
        lines.push(format!(
            "{{\"external_id\":\"{id}\",\"email\":\"{address}\",\"password_hash\":\"{hash}\"}}"
        ));
    }
    lines.reverse();
    let file = write_file(&world, "users.jsonl", lines.join("\n"));
    for (number, replica) in world.replicas().iter().enumerate() {
        world.change_setting(number, "legacy.url", world.database_url());
        world.change_setting(number, "legacy.table", "old_users");
        replica.restart().await;
    }
    let sign_ins = async {
        let gateways = world.gateways_of_replicas();
        let mut adopted = 0;
        for id in (0..USERS).step_by(29) {
            let gateway = &gateways[id % gateways.len()];
            let address = email(&format!("user{id}@example.com"));
            adopted += usize::from(gateway.sign_in(address, PASSWORD).await.is_ok());
        }
        adopted
    };
    let small = ["--batch", "40", "--in-flight", "3"];
    let (first, second, signed_in) = tokio::join!(
        import(&world, &file, &small),
        import(&world, "database", &small),
        sign_ins,
    );
    for imported in [&first, &second] {
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        let [new, there, refused] = imported.counts();
        assert_eq!((new + there, refused), (USERS as u64, 0));
    }
    let new = first.counts()[0] + second.counts()[0];
    let adopted = USERS as u64 - new;
    let rows = world.rows("users WHERE external_id IS NOT NULL").await;
    let identifiers = world.rows("identifiers").await - before;
    let credentials = world.rows("credentials").await - 1;
    say!(
        "{backend}: {USERS} users imported twice at once beside {signed_in} who sign in: \
         imported by the one {}, by the other {}, adopted {adopted}; rows {rows}",
        first.counts()[0],
        second.counts()[0],
    );
    let expected = i64::try_from(USERS).expect("few");
    assert_eq!(
        (rows, identifiers, credentials),
        (expected, expected, expected)
    );
    for id in 0..5 {
        let address = email(&format!("user{id}@example.com"));
        let tokens = world.gateway().sign_in(address, PASSWORD).await;
        tokens.expect("it is there");
    }
}
