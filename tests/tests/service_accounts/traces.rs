//! What is left of secrets and assertions: nothing that could be shown again, neither in
//! the database nor in Redis nor in the log. And a damaged row harms nothing else.

use countersign_proto::v1;
use countersign_tests::{
    Backend, RedisServer, World, by_assertion, by_secret, canary_spellings, contains_any,
    on_every_backend, reason,
};
use countersign_token::Algorithm;

use super::world;

on_every_backend!(
    nothing_is_left_of_what_is_shown,
    a_damaged_row_harms_nothing_else,
);

async fn nothing_is_left_of_what_is_shown(backend: Backend) {
    let Some(redis) = RedisServer::start().await else {
        countersign_tests::say!("skipped: redis-server is not installed");
        return;
    };
    let world = World::on(backend)
        .redis(redis.url())
        .set("log.filter", "trace,h2=info")
        .start()
        .await;
    let gateway = world.gateway();
    let account = gateway.make_service_account("", &[], &[]).await;
    let (secret, _) = gateway.new_secret(&account).await;
    let (key, _) = gateway.new_assertion_key(&account, Algorithm::EdDsa).await;
    let assertion = key.assertion(&account.service_account_id, "canary-of-a-jti");
    let wrong = "css_canaryofawrongsecret";
    let mut canaries = vec![secret.clone(), assertion.clone(), wrong.into()];
    canaries.push("canary-of-a-jti".into());
    for shown in [by_secret(&secret), by_assertion(&assertion)] {
        let got = gateway.sign_in_service_account(&account, shown, &[]).await;
        canaries.push(got.expect("a token").access_token);
    }
    for shown in [by_secret(wrong), by_assertion(&assertion)] {
        let told = gateway.sign_in_service_account(&account, shown, &[]).await;
        assert_eq!(reason(&told), "SIGN_IN_REFUSED");
        let status = told.expect_err("refused");
        assert!(!format!("{status:?}").contains("canary"), "{status:?}");
    }
    let entries = redis.contents().await;
    assert!(!entries.is_empty(), "the use of an assertion is kept");
    let database = world.dump().await.join("\n");
    assert!(database.contains(key.jwk().kid()), "a public key is kept");
    let log = world.log().but_for_messages();
    let mut found = Vec::new();
    for canary in &canaries {
        let spellings = canary_spellings(canary);
        let mut kept = entries
            .iter()
            .flat_map(|entry| std::iter::once(&entry.key).chain(&entry.values));
        if kept.any(|bytes| contains_any(bytes, &spellings)) {
            found.push(("Redis", canary));
        }
        if contains_any(database.as_bytes(), &spellings) {
            found.push(("the database", canary));
        }
        if contains_any(log.as_bytes(), &spellings) {
            found.push(("the log", canary));
        }
    }
    countersign_tests::say!(
        "service accounts on {backend}: {} canaries, found {}",
        canaries.len(),
        found.len()
    );
    assert!(found.is_empty(), "{found:?}");
}

async fn a_damaged_row_harms_nothing_else(backend: Backend) {
    let world = world(backend, 1).await;
    let gateway = world.gateway();
    let damaged = gateway.make_service_account("", &["damaged"], &[]).await;
    let account = gateway.make_service_account("", &[], &[]).await;
    let (of_damaged, _) = gateway.new_secret(&damaged).await;
    let (secret, _) = gateway.new_secret(&account).await;
    let (key, key_id) = gateway.new_assertion_key(&account, Algorithm::EdDsa).await;
    let assertion = key.assertion(&account.service_account_id, "before");
    let by_key = gateway.sign_in_service_account(&account, by_assertion(&assertion), &[]);
    let by_key = by_key.await.expect("a token").access_token;
    world
        .execute("UPDATE service_accounts SET grants = '{' WHERE grants LIKE '%damaged%'")
        .await;
    world
        .execute(
            "UPDATE service_account_credentials SET public_key = '{' WHERE public_key IS NOT NULL",
        )
        .await;

    let told = gateway.sign_in_service_account(&damaged, by_secret(&of_damaged), &[]);
    assert_eq!(reason(&told.await), "INTERNAL");
    let good = gateway.sign_in_service_account(&account, by_secret(&secret), &[]);
    good.await.expect("a token");
    let assertion = key.assertion(&account.service_account_id, "after");
    let told = gateway.sign_in_service_account(&account, by_assertion(&assertion), &[]);
    assert_eq!(reason(&told.await), "SIGN_IN_REFUSED");
    let list = v1::ListServiceAccountsRequest::default();
    let mut accounts = gateway.service_accounts();
    let listed = accounts.list_service_accounts(list).await;
    let listed = listed.expect("a list").into_inner().service_accounts;
    let ids: Vec<_> = listed.iter().map(|one| &one.service_account_id).collect();
    assert_eq!(ids, [&account.service_account_id]);
    let kinds = listed[0].credentials.iter();
    let kinds: Vec<_> = kinds.map(v1::ServiceAccountCredential::kind).collect();
    let is_damaged = v1::ServiceAccountCredentialKind::Unspecified;
    assert_eq!(
        kinds,
        [v1::ServiceAccountCredentialKind::Secret, is_damaged]
    );
    // What it is cannot be read: it can be removed, and its tokens are revoked.
    assert_eq!(gateway.judge(&by_key).await, "VALID");
    let remove = v1::RemoveServiceAccountCredentialRequest {
        service_account_id: account.service_account_id.clone(),
        credential_id: key_id,
    };
    let removed = accounts.remove_service_account_credential(remove).await;
    removed.expect("removed");
    assert_eq!(gateway.judge(&by_key).await, "REVOKED");
    let mina = world.sign_up().await;
    mina.sign_in().await;
    let warnings = world.log().warnings(0, 0);
    for table in ["service_accounts.grants", "service_account_credentials"] {
        let is_named = warnings.iter().any(|line| line.contains(table));
        assert!(is_named, "{table}: {warnings:?}");
    }
}
