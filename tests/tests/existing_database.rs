//! A server that adopts the users of an existing database, which it reads as a user
//! who may write nothing more: each once, whatever races, and with one answer to all
//! who are refused.

use std::collections::BTreeSet;

use countersign_tests::{
    Backend, Mode, PASSWORD, Proxy, World, email, on_every_backend, on_every_shared_backend, reason,
};

on_every_backend!(
    users_are_adopted_once_and_the_old_table_stays_as_it_is,
    the_check_tells_what_cannot_be_adopted,
);
on_every_shared_backend!(an_outage_there_keeps_nobody_out_who_is_known_here);

/// Users of the old table who can sign in.
const USERS: usize = 12;
/// Who signs in at the same time, for each.
const AT_ONCE: usize = 4;

const SIGNED_IN: &str = "old_users";

/// A world with an old table beside the tables of the service, whose users have the
/// password of everybody.
async fn world_with_old_users(backend: Backend) -> World {
    let mut builder = World::on(backend).replicas(backend.replicas());
    for (name, column) in [
        ("legacy.email_column", "email"),
        ("legacy.password_column", "hashed_password"),
        ("legacy.active_column", "is_active"),
        ("legacy.banned_column", "banned"),
    ] {
        builder = builder.set(name, column);
    }
    let world = builder.start().await;
    let person = world.sign_up().await;
    let hash = world.texts("SELECT hash FROM credentials").await;
    let hash = hash.first().expect("a hash").clone();
    world
        .execute(
            "CREATE TABLE old_users (id integer PRIMARY KEY, email varchar(255), \
             hashed_password varchar(255), is_active boolean, banned varchar(1))",
        )
        .await;
    let mut rows: Vec<_> = (1..=USERS)
        .map(|id| (id, format!("User{id}@example.com"), hash.clone(), true, "N"))
        .collect();
    rows.extend([
        (101, "banned@example.com".into(), hash.clone(), true, "Y"),
        (102, "gone@example.com".into(), hash.clone(), false, "N"),
        (103, "twice@example.com".into(), hash.clone(), true, "N"),
        (104, "TWICE@example.com".into(), hash.clone(), true, "N"),
        (105, "odd@example.com".into(), hash.clone(), true, "?"),
        (
            106,
            "nonsense@example.com".into(),
            "hunter2".into(),
            true,
            "N",
        ),
        (107, person.email.clone(), hash, true, "N"),
    ]);
    for (id, email, hash, active, banned) in rows {
        let insert = format!(
            "INSERT INTO old_users VALUES ({id}, '{email}', '{hash}', {active}, '{banned}')"
        );
        world.execute(&insert).await;
    }
    world
}

/// Has all replicas adopt from a database.
async fn adopt_from(world: &World, url: &str) {
    for (number, replica) in world.replicas().iter().enumerate() {
        world.change_setting(number, "legacy.url", url);
        world.change_setting(number, "legacy.table", SIGNED_IN);
        replica.restart().await;
    }
}

async fn contents(world: &World) -> Vec<String> {
    let columns = "email, '|', hashed_password, '|', is_active, '|', banned";
    let text = match world.backend() {
        Backend::Sqlite => columns.replace(", ", " || "),
        Backend::Postgres | Backend::MariaDb => format!("CONCAT({columns})"),
    };
    world
        .texts(&format!("SELECT {text} FROM old_users ORDER BY id"))
        .await
}

async fn users_are_adopted_once_and_the_old_table_stays_as_it_is(backend: Backend) {
    let world = world_with_old_users(backend).await;
    adopt_from(&world, world.database_url()).await;
    let before = contents(&world).await;
    let gateways = world.gateways_of_replicas();

    let (mut signed_in, mut repeated) = (0, 0);
    for id in 1..=USERS {
        let address = format!("user{id}@example.com");
        let tries: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let gateway = gateways[number % gateways.len()].clone();
                let address = address.clone();
                tokio::spawn(async move { gateway.sign_in(email(&address), PASSWORD).await })
            })
            .collect();
        let mut users = BTreeSet::new();
        for tried in tries {
            match tried.await.expect("no panic") {
                Ok(tokens) => {
                    users.insert(tokens.user_id);
                }
                Err(status) => {
                    // Somebody else was faster, or too many waited: to be repeated.
                    let reason = reason::<()>(&Err(status));
                    assert_ne!(reason, "SIGN_IN_REFUSED", "{address}");
                    repeated += 1;
                }
            }
        }
        let again = gateways[0].sign_in(email(&address), PASSWORD).await;
        users.insert(again.expect("it has an account").user_id);
        assert_eq!(users.len(), 1, "{address} is adopted once");
        signed_in += 1;
    }
    let adopted = world.rows("users WHERE external_id IS NOT NULL").await;
    assert_eq!(adopted, i64::try_from(USERS).expect("few"));

    // Everybody who is refused hears the same, known here or there or nowhere.
    for address in [
        "nobody@example.com",
        "user1@example.com",
        "banned@example.com",
        "gone@example.com",
        "twice@example.com",
        "odd@example.com",
    ] {
        let refused = gateways[0].sign_in(email(address), "a wrong guess").await;
        assert_eq!(reason(&refused), "SIGN_IN_REFUSED", "{address}");
    }
    for address in [
        "twice@example.com",
        "odd@example.com",
        "nonsense@example.com",
    ] {
        let refused = gateways[0].sign_in(email(address), PASSWORD).await;
        assert_eq!(reason(&refused), "SIGN_IN_REFUSED", "{address}");
    }
    for (address, told) in [
        ("banned@example.com", "USER_SUSPENDED"),
        ("gone@example.com", "USER_WITHDRAWN"),
    ] {
        let refused = gateways[0].sign_in(email(address), PASSWORD).await;
        assert_eq!(reason(&refused), told, "{address}");
    }
    let after = contents(&world).await;
    let written = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert_eq!(before.len(), after.len());
    assert_eq!(written, 0);
    println!(
        "{backend}: users adopted {signed_in} of {USERS} by {AT_ONCE} sign-ins at once each \
         ({repeated} to be repeated), adopted twice 0, rows of the old table changed {written} of {}",
        after.len()
    );
}

async fn an_outage_there_keeps_nobody_out_who_is_known_here(backend: Backend) {
    let world = world_with_old_users(backend).await;
    let url = world.database_url().to_owned();
    let (_, rest) = url.rsplit_once('@').expect("a URL with a user");
    let (place, _) = rest.split_once('/').expect("a URL with a database");
    let proxy = Proxy::to(place.parse().expect("an address")).await;
    let by_way = url.replace(place, &proxy.address().to_string());
    adopt_from(&world, &by_way).await;
    let gateway = world.gateway();
    let first = gateway.sign_in(email("user1@example.com"), PASSWORD).await;
    first.expect("adopted");
    for mode in [Mode::Cut, Mode::Swallow] {
        proxy.set(mode);
        for round in 0..5 {
            for address in ["user2@example.com", "nobody@example.com"] {
                let answer = gateway.sign_in(email(address), PASSWORD).await;
                let code = answer.map(|_| ()).expect_err("nobody knows").code();
                assert_eq!(code, tonic::Code::Unavailable, "{address} in round {round}");
            }
            let known = gateway.sign_in(email("user1@example.com"), PASSWORD).await;
            known.expect("as ever");
        }
    }
    proxy.set(Mode::Pass);
    // It is left alone for some seconds, and then asked again.
    let mut tries = 0;
    while gateway
        .sign_in(email("user2@example.com"), PASSWORD)
        .await
        .is_err()
    {
        tries += 1;
        assert!(tries < 100, "it is never asked again");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

async fn the_check_tells_what_cannot_be_adopted(backend: Backend) {
    let world = world_with_old_users(backend).await;
    let replica = world.replica(0);
    let unset = replica.run(&["legacy", "check"]).await;
    assert_eq!(unset.code, 78, "{}", unset.stderr);
    adopt_from(&world, world.database_url()).await;
    let checked = replica.run(&["legacy", "check", "--json"]).await;
    assert_eq!(checked.code, 1, "{}", checked.stderr);
    let report: serde_json::Value = serde_json::from_str(&checked.stdout).expect("JSON");
    assert_eq!(report["rows"], USERS + 7, "{report}");
    assert_eq!(report["refused"], 1, "{report}");
    assert_eq!(report["in_part"], 1, "{report}");
    assert_eq!(report["states"]["suspended"], 1);
    assert_eq!(report["states"]["withdrawn"], 1);
    assert_eq!(report["hashes"]["argon2id"], USERS + 5, "{report}");
    assert_eq!(report["hashes"]["unknown"], 1, "{report}");
    let problems = report["problems"].as_array().expect("a list");
    let ids: Vec<_> = problems
        .iter()
        .map(|row| row["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, ["104", "105"]);
    let table = replica.run(&["legacy", "check"]).await;
    for output in [&checked.stdout, &table.stdout] {
        for secret in ["User1@", "user1@", "hunter2", "$argon2id$v"] {
            assert!(!output.contains(secret), "{output}");
        }
    }
    let one = replica
        .run(&["legacy", "check", "--id", "1", "--json"])
        .await;
    assert_eq!(one.code, 0, "{}", one.stderr);
    let none = replica.run(&["legacy", "check", "--id", "999"]).await;
    assert_eq!(none.code, 1);
    world.change_setting(0, "legacy.banned_column", "no_such_column");
    let unfit = replica.run(&["legacy", "check"]).await;
    assert_eq!(unfit.code, 78, "{}", unfit.stderr);
    assert!(unfit.stderr.contains("no_such_column"), "{}", unfit.stderr);
}
