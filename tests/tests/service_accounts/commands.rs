//! `countersign group` and `countersign service-account`: through the API, for people and
//! for programs.

use countersign_tests::{
    Backend, Finished, World, by_secret, on_a_backend, on_every_backend, reason,
};
use serde_json::{Value, json};

use super::world;

on_every_backend!(
    groups_are_looked_after_by_commands,
    service_accounts_are_looked_after_by_commands,
);

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

/// Runs a command that must succeed, and tells what it writes.
async fn told(world: &World, words: &[&str]) -> String {
    let finished = run(world, words, None).await;
    assert_eq!(finished.code, 0, "{words:?}: {}", finished.stderr);
    finished.stdout
}

/// Runs a command that must succeed, and reads the JSON that it writes.
async fn json(world: &World, words: &[&str]) -> Value {
    let words = [words, &["--json"]].concat();
    serde_json::from_str(&told(world, &words).await).expect("JSON")
}

async fn groups_are_looked_after_by_commands(backend: Backend) {
    let world = world(backend, 1).await;
    let words = [
        "group",
        "create",
        "staff",
        "--display-name",
        "Our staff",
        "--password-min-length",
        "12",
        "--mfa-policy",
        "required_for_unknown_devices",
        "--access-token-ttl",
        "60s",
        "--idle-ttl",
        "12h",
        "--session-ttl",
        "2d",
        "--sign-in-ways",
        "passkey, password",
        "--audiences",
        "",
        "--scopes",
        "orders:read,orders:write",
        "--sign-up",
        "no",
        "--profile-attributes",
        "nickname:string:40:writable, tier:number",
    ];
    let created = json(&world, &words).await;
    let etag = created["etag"].as_str().expect("an etag").to_owned();
    let mut wanted = json!({
        "group_id": "staff",
        "display_name": "Our staff",
        "password_min_length": 12,
        "mfa_policy": "required_for_unknown_devices",
        "access_token_ttl": 60,
        "idle_ttl": 43_200,
        "session_ttl": 172_800,
        "sign_in_ways": ["passkey", "password"],
        "audiences": [],
        "scopes": ["orders:read", "orders:write"],
        "sign_up": false,
        "profile_attributes": ["nickname:string:40:writable", "tier:number"],
        "created_at": created["created_at"],
        "updated_at": created["updated_at"],
        "etag": etag,
    });
    assert_eq!(created, wanted);
    assert_eq!(json(&world, &["group", "show", "staff"]).await, wanted);

    let words = [
        "group",
        "update",
        "staff",
        "--mfa-policy",
        "",
        "--idle-ttl",
        "1h",
        "--sign-up",
        "yes",
    ];
    let updated = json(&world, &words).await;
    for (name, value) in [
        ("mfa_policy", Value::Null),
        ("idle_ttl", json!(3_600)),
        ("sign_up", json!(true)),
        ("updated_at", updated["updated_at"].clone()),
        ("etag", updated["etag"].clone()),
    ] {
        wanted[name] = value;
    }
    assert_eq!(updated, wanted);
    let shown = told(&world, &["group", "show", "staff"]).await;
    for line in [
        "GROUP         staff\n",
        "PASSWORDS     12 characters\n",
        "IDLE TTL      3600 s\n",
        "SIGN-IN       passkey,password\n",
        "SIGN-UP       yes\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("MFA POLICY"), "{shown}");
    let stale = ["group", "delete", "staff", "--etag", &etag];
    let stale = run(&world, &stale, None).await;
    assert_eq!(stale.code, 1);
    assert!(stale.stderr.contains("GROUP_CHANGED"), "{}", stale.stderr);
    let nothing = run(&world, &["group", "update", "staff"], None).await;
    assert_eq!(nothing.code, 64, "{}", nothing.stderr);
    let listed = told(&world, &["group", "list"]).await;
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines[0].starts_with("GROUP"), "{listed}");
    assert!(lines[1].starts_with("default") && lines[2].starts_with("staff"));
    let ids = json(&world, &["group", "list"]).await;
    assert_eq!(ids.as_array().map(Vec::len), Some(2), "{ids}");
    let deleted = told(&world, &["group", "delete", "staff"]).await;
    assert_eq!(deleted, "deleted staff\n");
    let gone = run(&world, &["group", "show", "staff"], None).await;
    assert!(gone.stderr.contains("GROUP_NOT_FOUND"), "{}", gone.stderr);
}

async fn service_accounts_are_looked_after_by_commands(backend: Backend) {
    let world = world(backend, 1).await;
    let words = [
        "service-account",
        "create",
        "--name",
        "settlement",
        "--description",
        "at night",
        "--roles",
        "settler",
        "--scopes",
        "refunds, reports",
    ];
    let created = json(&world, &words).await;
    assert_eq!(created["display_name"], "settlement");
    assert_eq!(created["scopes"], json!(["refunds", "reports"]));
    assert_eq!(
        (&created["disabled"], &created["credentials"]),
        (&json!(false), &json!([]))
    );
    let id = created["service_account_id"].as_str().expect("an id");
    let account = countersign_proto::v1::ServiceAccount {
        service_account_id: id.into(),
        ..Default::default()
    };

    let made = run(&world, &["service-account", "secret", "create", id], None).await;
    let secret = made.stdout.trim();
    assert!(
        secret.starts_with("css_") && secret.len() == 47,
        "the secret alone"
    );
    assert!(!made.stderr.contains(secret), "{}", made.stderr);
    let until = "2100-01-31T00:00:00Z";
    let words = [
        "service-account",
        "secret",
        "create",
        id,
        "--expires-at",
        until,
    ];
    let second = json(&world, &words).await;
    assert_eq!(second["credential"]["expires_at"], until);
    let gateway = world.gateway();
    for secret in [secret, second["secret"].as_str().expect("a secret")] {
        let got = gateway.sign_in_service_account(&account, by_secret(secret), &[]);
        got.await.expect("a token");
    }
    let file = world.directory().join("public.pem");
    let pem = "-----BEGIN PUBLIC KEY-----\n\
               MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
               -----END PUBLIC KEY-----\n";
    std::fs::write(&file, pem).expect("written");
    let file = file.display().to_string();
    let added = told(&world, &["service-account", "key", "add", id, &file]).await;
    for line in [
        "KIND          key\n",
        "ALGORITHM     EdDSA\n",
        "KEY ID        kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\n",
    ] {
        assert!(added.contains(line), "{line}: {added}");
    }
    let twice = run(&world, &["service-account", "key", "add", id, &file], None).await;
    assert_eq!(twice.code, 1);
    assert!(twice.stderr.contains("FIELD_INVALID"), "{}", twice.stderr);

    let shown = told(&world, &["service-account", "show", id]).await;
    assert!(shown.contains("STATE            active\n"), "{shown}");
    assert!(shown.contains("\n\nCREDENTIAL "), "{shown}");
    assert!(!shown.contains("css_"), "{shown}");
    let credential = second["credential"]["credential_id"]
        .as_str()
        .expect("an id");
    let words = ["service-account", "credential", "remove", id, credential];
    let left = json(&world, &words).await;
    assert_eq!(
        left["credentials"].as_array().map(Vec::len),
        Some(2),
        "{left}"
    );

    let words = [
        "service-account",
        "update",
        id,
        "--scopes",
        "",
        "--name",
        "night",
    ];
    let updated = json(&world, &words).await;
    assert_eq!(
        (&updated["scopes"], &updated["display_name"]),
        (&json!([]), &json!("night"))
    );
    assert_eq!(updated["description"], "at night");
    let etag = created["etag"].as_str().expect("an etag");
    let stale = ["service-account", "delete", id, "--etag", etag];
    let stale = run(&world, &stale, None).await;
    assert!(stale.stderr.contains("ETAG_MISMATCH"), "{}", stale.stderr);
    let disabled = json(&world, &["service-account", "disable", id]).await;
    assert_eq!(disabled["disabled"], true);
    let refused = gateway.sign_in_service_account(&account, by_secret(secret), &[]);
    assert_eq!(reason(&refused.await), "SIGN_IN_REFUSED");
    let listed = told(&world, &["service-account", "list", "--group", "default"]).await;
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].starts_with("SERVICE ACCOUNT") && lines[1].contains("disabled"));
    told(&world, &["service-account", "enable", id]).await;
    let got = gateway.sign_in_service_account(&account, by_secret(secret), &[]);
    got.await.expect("a token");
    let deleted = told(&world, &["service-account", "delete", id]).await;
    assert_eq!(deleted, format!("deleted {id}\n"));
    let none = json(&world, &["service-account", "list"]).await;
    assert_eq!(none, json!([]));
}

#[test]
fn commands_need_the_role_of_an_operator() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend, 1).await;
        let operator = world.new_key("desk", &["operator"]).await;
        let gateway = world.new_key("web", &["gateway"]).await;
        world.new_caller("other", &["service"]).await;
        for words in [&["group", "list"][..], &["service-account", "list"]] {
            let refused = run(&world, words, Some(&gateway)).await;
            assert_eq!(refused.code, 1);
            let told = &refused.stderr;
            assert!(told.contains("CALLER_NOT_PERMITTED"), "{told}");
            let done = run(&world, words, Some(&operator)).await;
            assert_eq!(done.code, 0, "{}", done.stderr);
        }
    });
}
