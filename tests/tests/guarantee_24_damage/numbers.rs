//! Numbers that cannot be read, in the rows of a person: what protects the person
//! is done all the same. SQLite alone holds a text where a number should be.

use countersign_proto::v1;
use countersign_tests::{
    Backend, PASSWORD, Person, World, by_token, email, on_a_backend, on_backends_at_once, reason,
};

use crate::{EVERY, is_named, world};

const NEW_PASSWORD: &str = "nine herons on the far pier";

#[test]
fn sessions_end_beside_one_whose_numbers_cannot_be_read() {
    on_a_backend(Backend::Sqlite, end_sessions);
}

#[test]
fn failures_that_cannot_be_read_lock_a_password_until_it_is_reset() {
    on_backends_at_once(&EVERY, lock);
}

async fn end_sessions(backend: Backend) {
    let world = world(backend).start().await;
    for column in ["access_expires_at", "generation", "minted_at", "expires_at"] {
        for ending in ["all", "change", "reset"] {
            let mina = world.sign_up().await;
            let (damaged, good) = (mina.sign_in().await, mina.sign_in().await);
            let id = backend.bytes(&damaged.session_id);
            let update = format!("UPDATE sessions SET {column} = 'odd' WHERE id = {id}");
            assert_eq!(world.execute(&update).await, 1);

            let listed = mina.sessions(&good).await.expect("a list");
            let listed: Vec<_> = listed.iter().map(|session| &session.session_id).collect();
            assert_eq!(listed, [&good.session_id], "{column}");
            let ended = end(&world, &mina, &good, ending).await;
            assert_eq!(ended, "OK", "{column}, {ending}");
            let judged = mina.gateway.judge(&damaged.access_token).await;
            assert_eq!(judged, "REVOKED", "{column}, {ending}");
            assert!(is_named(&world, &damaged.session_id), "{column}, {ending}");
        }
    }
}

async fn end(world: &World, mina: &Person, good: &v1::Tokens, ending: &str) -> String {
    match ending {
        "all" => {
            let request = v1::RevokeUserSessionsRequest {
                person: Some(by_token(good)),
                keep_current: true,
            };
            reason(&mina.gateway.sessions().revoke_user_sessions(request).await)
        }
        "change" => reason(&mina.change_password(good, PASSWORD, NEW_PASSWORD).await),
        _ => reason(&reset(world, mina).await),
    }
}

async fn lock(backend: Backend) {
    let world = world(backend).start().await;
    for failures in ["9223372036854775807", "-1", "-9223372036854775807"] {
        let mina = world.sign_up().await;
        let id = backend.bytes(&mina.user_id);
        let update = format!("UPDATE credentials SET failures = {failures} WHERE user_id = {id}");
        assert_eq!(world.execute(&update).await, 1);
        for _ in 0..3 {
            let refused = mina.try_password(PASSWORD).await;
            assert_eq!(reason(&refused), "SIGN_IN_REFUSED", "{failures}");
        }
        assert!(is_named(&world, &mina.user_id), "{failures}");
        assert_eq!(reason(&reset(&world, &mina).await), "OK", "{failures}");
        let signed_in = mina.gateway.sign_in(email(&mina.email), NEW_PASSWORD).await;
        assert_eq!(reason(&signed_in), "OK", "{failures}");
    }
}

async fn reset(world: &World, mina: &Person) -> Result<(), tonic::Status> {
    let verification = mina.forget_password().await?;
    let code = world.read_code(&mina.email).await;
    let proof = mina.gateway.check_code(&verification, &code).await?;
    mina.gateway.reset_password(&proof, NEW_PASSWORD).await
}
