//! `countersign user` and `countersign session`: through the API, for people and for
//! programs.

use countersign_tests::{Backend, Finished, PASSWORD, World, email, on_every_backend, reason};

on_every_backend!(users_are_looked_after_by_commands);

/// Runs a command against the first replica.
async fn run(world: &World, words: &[&str], key: Option<&str>) -> Finished {
    let address = world.replica(0).address().to_string();
    let mut all = words.to_vec();
    all.extend(["--addr", &address]);
    if let Some(key) = key {
        all.extend(["--api-key", key]);
    }
    world.replica(0).run(&all).await
}

/// Runs a command that must succeed, and reads the JSON that it writes.
async fn json(world: &World, words: &[&str]) -> serde_json::Value {
    let words = [words, &["--json"]].concat();
    let finished = run(world, &words, None).await;
    assert_eq!(finished.code, 0, "{words:?}: {}", finished.stderr);
    serde_json::from_str(&finished.stdout).expect("JSON")
}

async fn users_are_looked_after_by_commands(backend: Backend) {
    let world = World::start(backend, 1).await;
    let password = world.directory().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).expect("written");
    let created = json(
        &world,
        &[
            "user",
            "create",
            "--email",
            "mina@shop.example",
            "--username",
            "minakim",
            "--name",
            "Mina Kim",
            "--roles",
            "staff, admin",
            "--attributes",
            r#"{"tier":7}"#,
            "--password-file",
            &password.display().to_string(),
        ],
    )
    .await;
    assert_eq!(created["state"], "active");
    assert_eq!(created["emails"], serde_json::json!(["mina@shop.example"]));
    assert_eq!(created["roles"], serde_json::json!(["admin", "staff"]));
    assert_eq!(created["attributes"], serde_json::json!({"tier": 7}));
    let id = created["user_id"].as_str().expect("an id").to_owned();
    let mina = email("mina@shop.example");
    let first = world
        .gateway()
        .sign_in(mina.clone(), PASSWORD)
        .await
        .expect("in");
    let second = world
        .gateway()
        .sign_in(mina.clone(), PASSWORD)
        .await
        .expect("in");

    let sessions = json(&world, &["session", "list", "--user", &id]).await;
    assert_eq!(sessions.as_array().map(Vec::len), Some(2));
    assert_eq!(sessions[0]["session_id"], *second.session_id);
    let ended = ["session", "revoke", "--user", &id, &first.session_id];
    let ended = run(&world, &ended, None).await;
    assert_eq!(
        ended.stdout,
        format!("ended {}\n", first.session_id),
        "{}",
        ended.stderr
    );
    let ended = run(&world, &["session", "revoke", "--user", &id, "--all"], None).await;
    assert_eq!(ended.stdout, "ended 1 sessions\n", "{}", ended.stderr);
    assert_eq!(world.gateway().judge(&second.access_token).await, "REVOKED");

    let updated = json(
        &world,
        &["user", "update", &id, "--name", "", "--locale", "ko"],
    )
    .await;
    assert_eq!(
        (&updated["name"], &updated["locale"]),
        (&().into(), &"ko".into())
    );
    assert_eq!(updated["roles"], created["roles"]);
    let etag = created["etag"].as_str().expect("an etag");
    let stale = run(&world, &["user", "suspend", &id, "--etag", etag], None).await;
    assert_eq!(stale.code, 1);
    assert!(stale.stderr.contains("ETAG_MISMATCH"), "{}", stale.stderr);

    let until = "2100-01-31T00:00:00Z";
    let suspend = ["user", "suspend", &id, "--reason", "spam", "--until", until];
    let suspended = run(&world, &suspend, None).await;
    for line in [
        "STATE         suspended",
        "REASON        spam",
        "UNTIL         2100-01-31",
    ] {
        assert!(suspended.stdout.contains(line), "{}", suspended.stdout);
    }
    let tried = world.gateway().sign_in(mina.clone(), PASSWORD).await;
    assert_eq!(reason(&tried), "USER_SUSPENDED");
    world.sign_up().await;
    let listed = run(&world, &["user", "list", "--state", "suspended"], None).await;
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", listed.stdout);
    assert!(lines[0].starts_with("USER") && lines[1].starts_with(&id));
    assert!(
        lines[1].contains("mina@shop.example,minakim"),
        "{}",
        lines[1]
    );
    let one = run(&world, &["user", "list", "--limit", "1"], None).await;
    assert_eq!(one.stdout.lines().count(), 2);
    assert!(one.stderr.contains("there are more"), "{}", one.stderr);
    let found = [
        "user",
        "list",
        "--group",
        "default",
        "--email-prefix",
        "mina@shop",
    ];
    assert_eq!(json(&world, &found).await.as_array().map(Vec::len), Some(1));

    let back = json(&world, &["user", "reinstate", &id]).await;
    assert_eq!(
        (&back["state"], &back["suspended_at"]),
        (&"active".into(), &().into())
    );
    let left = json(&world, &["user", "withdraw", &id]).await;
    assert_eq!(left["state"], "withdrawn");
    assert!(left["rejoin_at"].is_string());
    let shown = json(&world, &["user", "show", &id]).await;
    assert_eq!(shown, left);
    let deleted = run(&world, &["user", "delete", &id], None).await;
    assert_eq!(
        deleted.stdout,
        format!("deleted {id}\n"),
        "{}",
        deleted.stderr
    );
    let gone = run(&world, &["user", "show", &id], None).await;
    assert_eq!((gone.code, gone.stdout.as_str()), (1, ""));
    assert!(gone.stderr.contains("USER_NOT_FOUND"), "{}", gone.stderr);

    for (wrong, code) in [
        (&["user", "update", &id][..], 64),
        (&["user", "update", &id, "--attributes", "[]"], 64),
        (&["user", "list", "--email-prefix", "a"], 64),
        (&["user", "show", "me"], 1),
    ] {
        let refused = run(&world, wrong, None).await;
        assert_eq!(refused.code, code, "{wrong:?}: {}", refused.stderr);
    }
    let shop = world.new_key("shop", &["service", "gateway"]).await;
    let desk = world.new_key("desk", &["operator"]).await;
    let is_known = || async {
        let finished = run(&world, &["user", "list"], Some(&desk)).await;
        let closed = run(&world, &["user", "list"], None).await;
        (finished.code == 0 && closed.code == 1).then_some(closed)
    };
    let patience = countersign_tests::PATIENCE;
    let (closed, _) = countersign_tests::eventually("known", patience, is_known).await;
    assert!(
        closed.stderr.contains("--role operator"),
        "{}",
        closed.stderr
    );
    let refused = run(&world, &["user", "list"], Some(&shop)).await;
    assert!(
        refused.stderr.contains("CALLER_NOT_PERMITTED"),
        "{}",
        refused.stderr
    );
}
