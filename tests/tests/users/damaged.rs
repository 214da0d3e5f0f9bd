//! A user whose row cannot be read: it is named, it signs in nowhere, and an operator
//! deletes it by its id.

use countersign_proto::v1;
use countersign_tests::{
    Backend, PASSWORD, PATIENCE, Tally, World, email, eventually, on_every_backend, reason,
};

on_every_backend!(a_user_who_cannot_be_read_is_deleted_by_its_id);

/// What may happen to the row of a user.
const DAMAGES: [&str; 4] = [
    "roles = 'ca\"nary'",
    "state = 'canary'",
    "blocked = 'suspended'",
    "attributes = 'canary'",
];

async fn a_user_who_cannot_be_read_is_deleted_by_its_id(backend: Backend) {
    let world = World::start(backend, 1).await;
    let beside = world.sign_up().await;
    let (mut before, mut deleted) = (Tally::default(), Tally::default());
    for damage in DAMAGES {
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let (gateway, id) = (&mina.gateway, backend.bytes(&mina.user_id));
        let spoil = format!("UPDATE users SET {damage} WHERE id = {id}");
        assert_eq!(world.execute(&spoil).await, 1);
        before.add(&reason(&gateway.user(&mina.user_id).await));
        before.add(&reason(&gateway.suspend(&mina.user_id, "").await));
        before.add(&reason(&mina.try_password(PASSWORD).await));

        // Which version it is cannot be told.
        let of_a_version = v1::DeleteUserRequest {
            user_id: mina.user_id.clone(),
            etag: "cafe".into(),
        };
        let refused = gateway.users().delete_user(of_a_version).await;
        before.add(&reason(&refused));
        deleted.add(&reason(&gateway.delete_user(&mina.user_id).await));
        assert_eq!(gateway.judge(&tokens.access_token).await, "REVOKED");
        for outcome in [
            reason(&gateway.user(&mina.user_id).await),
            reason(&gateway.delete_user(&mina.user_id).await),
        ] {
            assert_eq!(outcome, "USER_NOT_FOUND", "{damage}");
        }
        for table in ["sessions", "identifiers", "credentials"] {
            let left = format!("{table} WHERE user_id = {id}");
            assert_eq!(world.rows(&left).await, 0, "{damage}: {left}");
        }
        let proof = gateway.prove(email(&mina.email), v1::Purpose::SignUp).await;
        let again = gateway
            .sign_up_proven(email(&mina.email), "", PASSWORD, &proof.expect("a proof"))
            .await;
        assert_ne!(again.expect("the address is free"), mina.user_id);
        let named = "a user that could not be read is deleted";
        let is_named = || async {
            let log = world.log().text(0);
            let mut lines = log.lines();
            let is_it = |line: &str| line.contains(named) && line.contains(&mina.user_id);
            lines.any(is_it).then_some(())
        };
        eventually(named, PATIENCE, is_named).await;
    }
    assert!(!world.log().text(0).contains("canary"));
    beside.sign_in().await;
    countersign_tests::say!(
        "users on {backend}: {} whose row cannot be read: asked about, suspended, signed in, \
         deleted as of a version: {before}; deleted by the id: {deleted}",
        DAMAGES.len()
    );
    before.assert_only(&["INTERNAL"]);
    assert_eq!(deleted.count("OK"), DAMAGES.len());
}
