//! Passkeys through the real server, on every backend and between replicas.

use countersign_tests::{Backend, Tally, World, crowd, on_every_backend, reason};

const ORIGIN: &str = "https://example.com";

on_every_backend!(
    a_passkey_is_a_second_and_the_only_factor,
    an_answer_is_good_once,
    a_damaged_passkey_is_an_error,
);

async fn start(backend: Backend) -> World {
    let world = World::on(backend).replicas(backend.replicas());
    let world = world.set("passkeys.rp_id", "example.com");
    let origins: Vec<toml::Value> = vec![ORIGIN.into()];
    world.set("passkeys.origins", origins).start().await
}

async fn a_passkey_is_a_second_and_the_only_factor(backend: Backend) {
    let world = start(backend).await;
    let gateways = world.gateways_of_replicas();
    let elsewhere = gateways.last().expect("a replica");
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll_passkey(&tokens, ORIGIN).await;
    let (mut key, confirmed) = enrolled.expect("enrolled");
    assert_eq!(confirmed.recovery_codes.len(), 10);

    // Begun at one replica, answered at another.
    let asked = mina.begin_sign_in().await.expect("a question");
    let options = mina.gateway.begin_mfa_assertion(&asked.mfa_session_id);
    let options = options.await.expect("options");
    key.counter = 7;
    let credential = key.get(&options, ORIGIN);
    let answered = elsewhere.answer_by_passkey(&asked.mfa_session_id, &credential);
    let tokens = answered.await.expect("signed in");
    let session = mina.session(&tokens, &tokens.session_id).await;
    let methods = session.expect("a session").authentication_methods;
    assert_eq!(methods, ["pwd", "pop", "user", "mfa"]);

    let mut outcomes = Vec::new();
    for counter in [8, 8, 0, 9] {
        let options = mina.gateway.begin_passkey_sign_in().await;
        key.counter = counter;
        let credential = key.get(&options.expect("options"), ORIGIN);
        outcomes.push(reason(&elsewhere.sign_in_by_passkey(&credential).await));
    }
    let refused = "SIGN_IN_REFUSED";
    assert_eq!(outcomes, ["OK", refused, refused, "OK"]);

    // A passkey that is a factor already, for another user.
    let stranger = world.sign_up().await;
    let removed = mina.remove_factor(&tokens, &confirmed.factor_id).await;
    removed.expect("removed");
    assert_eq!(world.rows("factor_credentials").await, 0);
    let others = stranger.sign_in().await;
    let wrong = stranger.enroll_passkey(&others, "https://evil.example");
    assert_eq!(reason(&wrong.await), "SECOND_FACTOR_WRONG");
    mina.sign_in().await;
}

async fn an_answer_is_good_once(backend: Backend) {
    let world = start(backend).await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let enrolled = mina.enroll_passkey(&mina.sign_in().await, ORIGIN).await;
    let (key, _) = enrolled.expect("enrolled");
    let options = mina.gateway.begin_passkey_sign_in().await;
    let alone = key.get(&options.expect("options"), ORIGIN);
    let asked = mina.begin_sign_in().await.expect("a question");
    let options = mina.gateway.begin_mfa_assertion(&asked.mfa_session_id);
    let second = key.get(&options.await.expect("options"), ORIGIN);
    for is_alone in [true, false] {
        let outcomes = crowd(64, |member| {
            let gateway = gateways[member % gateways.len()].clone();
            let (id, alone, second) = (asked.mfa_session_id.clone(), alone.clone(), second.clone());
            async move {
                match is_alone {
                    true => gateway.sign_in_by_passkey(&alone).await,
                    false => gateway.answer_by_passkey(&id, &second).await,
                }
            }
        })
        .await;
        let tally = Tally::of(&outcomes);
        assert_eq!(tally.count("OK"), 1, "{tally}");
    }
}

/// "I could not tell" is never "no".
async fn a_damaged_passkey_is_an_error(backend: Backend) {
    let world = start(backend).await;
    let mina = world.sign_up().await;
    let enrolled = mina.enroll_passkey(&mina.sign_in().await, ORIGIN).await;
    let (key, _) = enrolled.expect("enrolled");
    let damages = [
        "UPDATE factors SET label = ''",
        "UPDATE factors SET kind = 'odd'",
        "UPDATE factors SET kind = 'passkey'",
    ];
    let mut outcomes = Vec::new();
    for damage in damages {
        assert_eq!(world.execute(damage).await, 1);
        let options = mina.gateway.begin_passkey_sign_in().await;
        let credential = key.get(&options.expect("options"), ORIGIN);
        let answered = mina.gateway.sign_in_by_passkey(&credential).await;
        outcomes.push(reason(&answered));
    }
    assert_eq!(outcomes, ["OK", "INTERNAL", "OK"]);
}
