//! No password, code, token or key, and no full address, stands in the log.

use countersign_proto::v1;
use countersign_tests::{
    Backend, LINK_PREFIX, PASSWORD, World, canary_spellings, contains_any, device, email,
    on_every_backend,
};

use crate::all;

on_every_backend!(no_secret_and_no_full_address_stands_in_the_log);

const NEW_PASSWORD: &str = "eight anchors under the bridge";

async fn no_secret_and_no_full_address_stands_in_the_log(backend: Backend) {
    let world = World::on(backend)
        .set("verification.code_digits", 10)
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .start()
        .await;
    let gateway = world.gateway();
    let mut canaries = vec![
        PASSWORD.to_owned(),
        NEW_PASSWORD.into(),
        "wrong guess".into(),
    ];
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    canaries.extend([mina.email.clone(), tokens.access_token.clone()]);
    canaries.push(tokens.refresh_token.clone());
    let guess = gateway.sign_in_from("203.0.113.8", email(&mina.email), "wrong guess");
    guess.await.expect_err("refused");

    let id = mina.forget_password().await.expect("a code");
    let code = world.read_code(&mina.email).await;
    let proof = gateway.check_code(&id, &code).await.expect("a proof");
    gateway
        .reset_password(&proof, NEW_PASSWORD)
        .await
        .expect("reset");
    canaries.extend([code, proof]);
    let tokens = mina.try_password(NEW_PASSWORD).await.expect("signed in");
    let added = world.new_email();
    let proof = mina.prove_new(&tokens, &added).await.expect("a proof");
    mina.add_identifier(&tokens, &proof).await.expect("added");
    canaries.extend([added, proof]);
    let enrolled = mina.enroll(&tokens).await;
    canaries.extend(enrolled.recovery_codes.clone());
    let request = v1::CreateUserRequest {
        identifiers: vec![email("juno@another.example")],
        password: "nine sails before the storm".into(),
        ..Default::default()
    };
    let user = gateway.create_user(request).await.expect("a user");
    gateway
        .suspend(&user.user_id, "a private remark")
        .await
        .expect("suspended");
    canaries.extend(["juno@another.example", "nine sails before the storm"].map(String::from));
    canaries.push("a private remark".into());
    canaries.push(world.new_key("desk", &["operator", "gateway"]).await);
    assert!(device("203.0.113.8").is_some());

    // As the database has it, and as it is told.
    let key = canaries.last().cloned().unwrap_or_default();
    let operator = world.gateway().with_key(&key);
    let told = all(&operator, &v1::ListAuditEventsRequest::default(), 100).await;
    let mut columns = Vec::new();
    for column in [
        "action",
        "caller",
        "target",
        "masked",
        "user_agent",
        "request_id",
        "detail",
    ] {
        let query = format!("SELECT {column} FROM audit_events WHERE {column} IS NOT NULL");
        columns.extend(world.texts(&query).await);
    }
    let stored = columns.join("\n");
    let shown = format!("{told:?}");
    let mut found = Vec::new();
    for canary in &canaries {
        let spellings = canary_spellings(canary);
        for place in [&stored, &shown] {
            if contains_any(place.as_bytes(), &spellings) {
                found.push(canary.clone());
            }
        }
    }
    countersign_tests::say!(
        "audit on {backend}: {} canaries in {} bytes of the log: found {}: {found:?}",
        canaries.len(),
        stored.len() + shown.len(),
        found.len(),
    );
    assert!(
        told.len() > 8 && stored.contains("m***@"),
        "there is something to search"
    );
    assert_eq!(found, [""; 0]);
}
