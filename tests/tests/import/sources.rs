//! CSV, JSON Lines and an existing database: the same users, who sign in.

use countersign_proto::v1;
use countersign_tests::{Backend, PASSWORD, World, email, on_every_backend, reason};

use super::{hash_of_everybody, import, write_file};

on_every_backend!(users_are_imported_from_each_source);

async fn users_are_imported_from_each_source(backend: Backend) {
    let mut builder = World::on(backend);
    for (name, value) in [
        ("legacy.email_column", "email"),
        ("legacy.phone_column", "phone"),
        ("legacy.password_column", "hash"),
        ("legacy.active_column", "active"),
        ("legacy.banned_column", "banned"),
    ] {
        builder = builder.set(name, value);
    }
    let world = builder.start().await;
    let hash = hash_of_everybody(&world).await;

    let csv = format!(
        "external_id,email,phone,username,name,roles,password_hash,state,withdrawn_at,created_at,\
         attributes\r\n\
         c1,Csv1@Example.com,010-1111-2222,csv_one,\"Kim, \"\"Mina\"\"\",\"staff,vip\",\"{hash}\",,,\
         2020-01-31 09:30:00,\"{{\"\"tier\"\":7}}\"\r\n\
         c2,csv2@example.com,,,,,\"{hash}\",suspended,,,\r\n\
         c3,csv3@example.com,,,\"two\nlines\",,\"{hash}\",,,,\r\n\
         c4,csv4@example.com,,,,,\"{hash}\",,2026-11-29,,\r\n"
    );
    let csv = write_file(&world, "users.csv", csv);
    let dry = import(&world, &csv, &["--dry-run"]).await;
    assert_eq!((dry.code, dry.counts()), (1, [3, 0, 1]), "{}", dry.stderr);
    assert_eq!(world.rows("users").await, 1);
    let done = import(&world, &csv, &[]).await;
    assert_eq!(
        (done.code, done.counts()),
        (1, [3, 0, 1]),
        "{}",
        done.stderr
    );
    assert_eq!(done.report.len(), 1);
    assert_eq!(done.report[0]["line"], 4);
    assert_eq!(done.report[0]["external_id"], "c3");
    assert_eq!(done.report[0]["violations"][0]["field"], "name");
    let again = import(&world, &csv, &[]).await;
    assert_eq!((again.code, again.counts()), (1, [0, 3, 1]));

    let gateway = world.gateway();
    for name in ["csv1@example.com", "CSV1@example.com"] {
        let tokens = gateway.sign_in(email(name), PASSWORD).await;
        let id = tokens.expect("imported").user_id;
        let user = gateway.user(&id).await.expect("it is there");
        assert_eq!(user.external_id, "c1");
        assert_eq!(user.roles, ["staff", "vip"]);
        assert_eq!(user.identifiers.len(), 3);
        assert_eq!(user.create_time.map(|at| at.seconds), Some(1_580_463_000));
        let profile = user.profile.expect("a profile");
        assert_eq!(profile.name, "Kim, \"Mina\"");
        assert!(profile.attributes.is_some());
    }
    for (address, told) in [
        ("csv2@example.com", "USER_SUSPENDED"),
        ("csv4@example.com", "USER_WITHDRAWN"),
    ] {
        let refused = gateway.sign_in(email(address), PASSWORD).await;
        assert_eq!(reason(&refused), told, "{address}");
    }

    let lines = format!(
        "{{\"external_id\":\"j1\",\"emails\":[\"json1@example.com\",\"json1b@example.com\"],\
         \"password_hash\":\"{hash}\",\"attributes\":{{\"tier\":7}},\"roles\":[\"staff\"]}}\n\n\
         {{\"external_id\":7,\"email\":\"json2@example.com\",\"email_verified\":true,\
         \"password_hash\":\"{hash}\",\"phone\":\"821033334444\",\"name\":null}}\n\
         {{\"external_id\":\"j3\",\"email\":\"json3@example.com\",\"email_verified\":false,\
         \"username\":\"json_three\",\"password_hash\":\"{hash}\"}}"
    );
    let lines = write_file(&world, "users.jsonl", lines);
    let done = import(&world, &lines, &[]).await;
    assert_eq!(
        (done.code, done.counts()),
        (0, [3, 0, 0]),
        "{}",
        done.stderr
    );
    for address in [
        "json1@example.com",
        "json1b@example.com",
        "json2@example.com",
    ] {
        let tokens = gateway.sign_in(email(address), PASSWORD).await;
        tokens.expect("imported");
    }
    // An address that was not verified is nobody's: whoever proves it has it.
    let refused = gateway.sign_in(email("json3@example.com"), PASSWORD).await;
    assert_eq!(reason(&refused), "SIGN_IN_REFUSED");
    let stranger = email("json3@example.com");
    let proof = gateway.prove(stranger.clone(), v1::Purpose::SignUp).await;
    let proof = proof.expect("proved");
    let signed_up = gateway.sign_up_proven(stranger, "", PASSWORD, &proof).await;
    signed_up.expect("whoever proves the address has it");

    let table = "CREATE TABLE old_users (id integer PRIMARY KEY, email varchar(255), \
                 phone varchar(32), hash varchar(255), active boolean, banned varchar(1))";
    world.execute(table).await;
    for (id, address, phone, active, banned) in [
        (1, "old1@example.com", "010-5555-6666", true, "N"),
        (2, "not an address", "01077778888", true, "N"),
        (3, "old3@example.com", "", true, "Y"),
        (4, "old4@example.com", "", false, "N"),
        (5, "old5@example.com", "", true, "?"),
        (6, "csv1@example.com", "", true, "N"),
    ] {
        let insert = format!(
            "INSERT INTO old_users VALUES ({id}, '{address}', '{phone}', '{hash}', {active}, \
             '{banned}')"
        );
        world.execute(&insert).await;
    }
    world.change_setting(0, "legacy.url", world.database_url());
    world.change_setting(0, "legacy.table", "old_users");
    let done = import(&world, "database", &[]).await;
    assert_eq!(
        (done.code, done.counts()),
        (1, [4, 0, 2]),
        "{}",
        done.stderr
    );
    assert_eq!(done.summary["in_part"], 1);
    let mut told: Vec<_> = done
        .report
        .iter()
        .map(|row| (row["external_id"].as_str(), row["reason"].as_str()))
        .collect();
    told.sort_unstable();
    let expected = [
        (Some("2"), Some("LEFT_OUT")),
        (Some("5"), Some("FIELD_INVALID")),
        (Some("6"), Some("IDENTIFIER_TAKEN")),
    ];
    assert_eq!(told, expected);
    gateway
        .sign_in(email("old1@example.com"), PASSWORD)
        .await
        .expect("imported");
    for (address, told) in [
        ("old3@example.com", "USER_SUSPENDED"),
        ("old4@example.com", "USER_WITHDRAWN"),
    ] {
        let refused = gateway.sign_in(email(address), PASSWORD).await;
        assert_eq!(reason(&refused), told, "{address}");
    }
    let rows = world.texts("SELECT email FROM old_users ORDER BY id").await;
    assert_eq!(rows.len(), 6);
    println!(
        "{backend}: imported from CSV 3 of 4, from JSON Lines 3 of 3, from a table 4 of 6; \
         refused as they should be 3 of 3"
    );
}
