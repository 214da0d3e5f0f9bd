//! The API keys of one caller: two while one takes over from the other, each with
//! its expiry and its last use.

use countersign_tests::{
    Backend, Details, Finished, PASSWORD, World, email, on_every_backend, reason,
};
use serde_json::Value;
use tonic::{Code, Status};

use crate::roles::{closes, new_caller, opens};

/// The warning of the key of the caller `brief`.
const SOON: &str = "a key of a caller expires soon: add another, \
                    `countersign caller add-key brief`";

on_every_backend!(
    a_second_key_takes_over_and_no_session_is_lost,
    an_expired_key_is_refused_as_an_unknown_one_and_the_log_says_why,
    a_caller_made_by_the_release_before_is_known,
    the_last_use_of_a_key_is_listed,
);

async fn a_second_key_takes_over_and_no_session_is_lost(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let old = new_caller(&world, "web", &["gateway", "service"]).await;
    closes(&world.gateway()).await;
    opens(&old).await;
    let signed_in = old.sign_in(email(&mina.email), PASSWORD).await;
    let tokens = signed_in.expect("a gateway signs people in");

    let second = run(&world, &["caller", "add-key", "web", "--expires-in", "90d"]).await;
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(
        second.stderr.contains("shown this once"),
        "{}",
        second.stderr
    );
    let new = world.gateway().with_key(second.stdout.trim());
    opens(&new).await;
    assert_eq!(
        reason(&old.validate("garbage").await),
        "OK",
        "both are good"
    );

    let keys = keys_of(&world, "web").await;
    let ids: Vec<_> = keys.iter().filter_map(|key| key["id"].as_str()).collect();
    let third = run(&world, &["caller", "add-key", "web"]).await;
    assert_eq!((third.code, &*third.stdout), (1, ""), "{}", third.stderr);
    for part in [ids[0], ids[1], "caller remove-key web"] {
        assert!(third.stderr.contains(part), "{part}: {}", third.stderr);
    }
    assert_eq!(keys[0]["expires"], Value::Null);
    assert!(keys[1]["expires"].is_string(), "{keys:?}");

    let refreshed = new.refresh(&tokens.refresh_token).await;
    let tokens = refreshed.expect("the session is the caller's, not the key's");
    let removed = run(&world, &["caller", "remove-key", "web", ids[0]]).await;
    assert_eq!(removed.code, 0, "{}", removed.stderr);
    closes(&old).await;
    let refreshed = new.refresh(&tokens.refresh_token).await;
    assert_eq!(reason(&refreshed), "OK");
    for (arguments, said) in [
        (["remove-key", "web", ids[0]], "no such key"),
        (["remove-key", "web", ids[1]], "caller add-key web"),
        (["remove-key", "nobody", ids[1]], "no caller nobody"),
    ] {
        let refused = run(&world, &[&["caller"][..], &arguments].concat()).await;
        assert_eq!(refused.code, 1, "{arguments:?}");
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    assert_eq!(reason(&new.validate("garbage").await), "OK", "it is there");
    for (id, change) in [(ids[0], "removed"), (ids[1], "added")] {
        let change = format!("a key of a caller was {change}");
        let log = world.log().text(0);
        let is_told = |line: &str| [&*change, id, "web"].iter().all(|part| line.contains(part));
        assert!(log.lines().any(is_told), "{change} {id}");
    }
}

async fn an_expired_key_is_refused_as_an_unknown_one_and_the_log_says_why(backend: Backend) {
    let world = World::start(backend, 1).await;
    let lasting = new_caller(&world, "lasting", &["service"]).await;
    closes(&world.gateway()).await;
    opens(&lasting).await;
    let arguments = ["caller", "new", "--name", "brief", "--role", "service"];
    let made = run(&world, &[&arguments[..], &["--expires-in", "1h"]].concat()).await;
    let brief = world.gateway().with_key(made.stdout.trim());
    opens(&brief).await;
    // The lasting key is not warned of, this one is. Then its hour is over.
    world.replica(0).says(0, SOON).await;
    let end = "UPDATE caller_keys SET expires_at = created_at WHERE caller = 'brief'";
    assert_eq!(world.execute(end).await, 1);
    closes(&brief).await;

    let stranger = world
        .gateway()
        .with_key("csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let [expired, unknown] = [&brief, &stranger].map(|caller| async {
        let status = caller.validate("garbage").await.expect_err("refused");
        told(&status)
    });
    let (expired, unknown) = (expired.await, unknown.await);
    assert_eq!(expired, unknown, "nobody learns that it was a key");
    assert_eq!(expired.0, Code::Unauthenticated);
    assert_eq!(reason(&lasting.validate("garbage").await), "OK");

    let has_expired = "a key of a caller has expired";
    world.replica(0).says(0, has_expired).await;
    let key = keys_of(&world, "brief").await.remove(0);
    let (id, at) = (key["id"].as_str(), key["expires"].as_str());
    let (id, at) = (id.expect("an id"), at.expect("an expiry"));
    let lines: Vec<Value> = world.log().text(0).lines().filter_map(read).collect();
    let find = |message: &str, parts: &[&str]| {
        let has = |line: &&Value| {
            let text = line.to_string();
            text.contains(message) && parts.iter().all(|part| text.contains(part))
        };
        lines.iter().filter(has).count()
    };
    let refusal = format!("the key {id} of the caller has expired, at {at}");
    assert!(
        find(
            &refusal,
            &["INFO", "\"caller\":\"brief\"", "Unauthenticated"]
        ) > 0
    );
    assert_eq!(find("expires soon", &["WARN", "brief", id]), 1);
    assert_eq!(find(has_expired, &["INFO", "brief", id, at]), 1);
}

/// What a release inserts that knows one key alone.
async fn a_caller_made_by_the_release_before_is_known(backend: Backend) {
    let world = World::start(backend, 1).await;
    let secret = "csk_of-the-release-before";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    let hex: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let insert = format!(
        "INSERT INTO callers (name, roles, key_hash, created_at) \
         VALUES ('before', 'service', {}, 1790000000000)",
        backend.bytes(&hex)
    );
    assert_eq!(world.execute(&insert).await, 1);
    let before = world.gateway().with_key(secret);
    closes(&world.gateway()).await;
    opens(&before).await;

    let added = run(&world, &["caller", "add-key", "before"]).await;
    let after = world.gateway().with_key(added.stdout.trim());
    opens(&after).await;
    let removed = run(&world, &["caller", "remove-key", "before", &hex[..8]]).await;
    assert_eq!(removed.code, 0, "{}", removed.stderr);
    closes(&before).await;
    assert_eq!(reason(&after.validate("garbage").await), "OK");

    // It deletes the row that it knows, and makes one of the same name.
    assert_eq!(
        world
            .execute("DELETE FROM callers WHERE name = 'before'")
            .await,
        1
    );
    assert_eq!(world.execute(&insert).await, 1);
    closes(&after).await;
    opens(&before).await;
    assert_eq!(world.rows("caller_keys").await, 0);
}

async fn the_last_use_of_a_key_is_listed(backend: Backend) {
    let world = World::start(backend, 1).await;
    let used = new_caller(&world, "used", &["service"]).await;
    let unused = new_caller(&world, "unused", &["service"]).await;
    closes(&world.gateway()).await;
    opens(&used).await;
    drop(unused);
    let stopped = world.replica(0);
    stopped.interrupt().await;
    stopped.wait().await;

    let [used, unused] = ["used", "unused"].map(|name| async {
        let key = keys_of(&world, name).await.remove(0);
        key["last_used"].clone()
    });
    let (used, unused) = (used.await, unused.await);
    assert_eq!(unused, Value::Null);
    let used = used.as_str().expect("it was used").to_owned();
    assert!(used.ends_with(":00Z"), "to the minute: {used}");
    let table = run(&world, &["caller", "list"]).await.stdout;
    let row = table.lines().find(|line| line.starts_with("used "));
    assert!(row.is_some_and(|row| row.contains(&used)), "{table}");
}

async fn run(world: &World, arguments: &[&str]) -> Finished {
    world.replica(0).run(arguments).await
}

async fn keys_of(world: &World, name: &str) -> Vec<Value> {
    let listed = run(world, &["caller", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let callers = listed.as_array().expect("a list");
    let caller = callers.iter().find(|caller| caller["name"] == name);
    let keys = caller.expect("it is there")["keys"].as_array();
    keys.expect("a list").clone()
}

/// All that a peer is told.
fn told(status: &Status) -> (Code, String, String) {
    let details = format!("{:?}", Details::of(status));
    (status.code(), status.message().to_owned(), details)
}

fn read(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}
