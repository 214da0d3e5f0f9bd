//! `countersign audit`, and what commands beside the server leave in the log.

use countersign_proto::v1;
use countersign_tests::{Backend, Finished, PATIENCE, Person, World, eventually, on_every_backend};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

on_every_backend!(the_log_is_shown_by_commands);

async fn run(world: &World, words: &[&str], key: &str) -> Finished {
    let address = world.replica(0).address().to_string();
    let mut all = words.to_vec();
    all.extend(["--addr", &address, "--api-key", key]);
    let finished = world.replica(0).run(&all).await;
    assert_eq!(finished.code, 0, "{words:?}: {}", finished.stderr);
    finished
}

async fn events(world: &World, words: &[&str], key: &str) -> Vec<Value> {
    let finished = run(world, words, key).await;
    let lines = finished.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn texts<'e>(events: &'e [Value], field: &str) -> Vec<&'e str> {
    let texts = events.iter().map(|event| event[field].as_str());
    texts.map(Option::unwrap_or_default).collect()
}

async fn the_log_is_shown_by_commands(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.new_caller("web", &["gateway"]).await;
    let key = world.new_key("desk", &["operator"]).await;
    let desk = world.gateway().with_key(&key);
    let is_known = || async { desk.list_users(&v1::ListUsersRequest::default()).await.ok() };
    eventually("the operator is known", PATIENCE, is_known).await;
    let mina = world.sign_up_at(&gateway).await;
    mina.sign_in().await;
    for words in [
        &["caller", "add-key", "desk"][..],
        &["caller", "new", "--name", "shop", "--role", "service"],
        &["caller", "add-san", "shop", "shop.example.com"],
        &["caller", "remove-san", "shop", "shop.example.com"],
        &["caller", "remove", "shop"],
    ] {
        let finished = world.replica(0).run(words).await;
        assert_eq!(finished.code, 0, "{words:?}: {}", finished.stderr);
    }

    let told = events(&world, &["audit", "tail", "--json", "-n", "5"], &key).await;
    assert_eq!(
        texts(&told, "action"),
        [
            "caller_key_added",
            "caller_added",
            "caller_san_added",
            "caller_san_removed",
            "caller_removed"
        ]
    );
    assert_eq!(texts(&told, "actor"), ["command_line"; 5]);
    let names = ["desk", "shop", "shop", "shop", "shop"];
    assert_eq!(texts(&told, "name"), names);
    let query = [
        "audit",
        "list",
        "--json",
        "--user",
        &mina.user_id,
        "--caller",
        "web",
    ];
    let of_mina = events(&world, &query, &key).await;
    assert_eq!(
        texts(&of_mina, "action"),
        ["session_opened", "user_signed_up"]
    );
    assert_eq!(
        of_mina[0]["acting_user_id"],
        Value::from(mina.user_id.clone())
    );
    let one = [
        "audit",
        "list",
        "--action",
        "session_opened,user_deleted",
        "--limit",
        "1",
    ];
    let table = run(&world, &one, &key).await.stdout;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("TIME "), "{table}");
    assert!(
        lines[1].contains(&mina.user_id) && lines.len() == 2,
        "{table}"
    );

    follow(&world, &key, &mina).await;
}

/// What comes is shown as it comes, once.
async fn follow(world: &World, key: &str, mina: &Person) {
    let address = world.replica(0).address().to_string();
    let mut words = vec!["audit", "tail", "--follow", "--json", "-n", "1"];
    words.extend([
        "--user",
        &mina.user_id,
        "--addr",
        &address,
        "--api-key",
        key,
    ]);
    let mut tail = world.replica(0).begin(&words);
    let mut lines = BufReader::new(tail.stdout.take().expect("an output")).lines();
    let mut next = async || {
        let line = tokio::time::timeout(PATIENCE, lines.next_line());
        let line = line.await.expect("in time").expect("readable");
        let event: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        event["action"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(next().await, "session_opened");
    let tokens = mina.sign_in().await;
    assert_eq!(next().await, "session_opened");
    mina.gateway
        .revoke(&tokens.access_token)
        .await
        .expect("revoked");
    assert_eq!(next().await, "session_revoked");
}
