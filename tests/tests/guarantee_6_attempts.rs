//! Guarantee 6: the limit of attempts holds in parallel, through restarts and
//! through the loss of all that Redis held.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, PASSWORD, RedisServer, Tally, World, crowd, email, on_a_backend,
    on_every_backend, reason,
};

on_every_backend!(
    a_thousand_parallel_guesses_of_a_code_are_five,
    a_restart_renews_no_tries_of_a_code,
    new_codes_renew_no_tries_of_an_address,
    parallel_guesses_of_a_password_stay_below_the_cap,
    a_restart_renews_no_tries_of_a_password,
    all_ways_to_sign_in_share_one_cap,
    a_password_change_has_a_cap_of_its_own,
    a_right_password_starts_afresh,
    one_source_is_stopped_before_the_cap,
    a_thousand_parallel_answers_to_second_factors_are_five,
    a_thousand_parallel_answers_to_codes_that_were_sent_are_five,
);

const CODE: &str = "424242";
const TRIES: usize = 5;
const NOT_COMPARED: [&str; 2] = ["VERIFICATION_NOT_FOUND", "TOO_MANY_ATTEMPTS"];

async fn a_thousand_parallel_guesses_of_a_code_are_five(backend: Backend) {
    const GUESSES: usize = 1_000;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.wrong_codes_per_address", 1_000)
        .start()
        .await;
    let gateways = world.gateways(4);
    let address = world.new_email();
    let id = send_code(&world, &address).await;
    let outcomes = crowd(GUESSES, |guess| {
        let gateway = gateways[guess % gateways.len()].clone();
        let code = format!("{:06}", 100_000 + guess);
        let id = id.clone();
        async move { gateway.check_code(&id, &code).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): {GUESSES} parallel guesses of one code: \
         compared {}",
        world.replicas().len(),
        tally.count("CODE_WRONG"),
    );
    tally.assert_only(&["CODE_WRONG", NOT_COMPARED[0], NOT_COMPARED[1]]);
    assert_eq!(tally.count("CODE_WRONG"), TRIES);
    let right = world.gateway().check_code(&id, CODE).await;
    assert_eq!(
        reason(&right),
        "VERIFICATION_NOT_FOUND",
        "the right code came too late"
    );
}

/// However many MFA sessions they are spread over, and however many apps the
/// account has.
async fn a_thousand_parallel_answers_to_second_factors_are_five(backend: Backend) {
    const GUESSES: usize = 1_000;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll(&tokens).await;
    mina.enroll(&tokens).await;
    let mut questions = Vec::new();
    for _ in 0..5 {
        let asked = mina.begin_sign_in().await.expect("a question");
        questions.push(asked.mfa_session_id);
    }
    let outcomes = crowd(GUESSES, |guess| {
        let mina = mina.at(&gateways[guess % gateways.len()]);
        let id = questions[guess % questions.len()].clone();
        // Recovery codes that there are not, and TOTP codes that are too short.
        let code = match guess % 2 {
            0 => format!("00000-{guess:05}"),
            _ => format!("{guess:05}"),
        };
        async move { mina.answer(&id, &code).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): {GUESSES} parallel answers to second factors of \
         one account: compared {}",
        world.replicas().len(),
        tally.count("SECOND_FACTOR_WRONG"),
    );
    tally.assert_only(&["SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
    assert_eq!(tally.count("SECOND_FACTOR_WRONG"), TRIES);
    let asked = mina.begin_sign_in().await.expect("a question");
    for right in [&enrolled.app.code(), &enrolled.recovery_codes[0]] {
        let answer = mina.answer(&asked.mfa_session_id, right).await;
        assert_eq!(reason(&answer), "TOO_MANY_ATTEMPTS");
    }
}

/// However many MFA sessions there are, each with a code of its own.
async fn a_thousand_parallel_answers_to_codes_that_were_sent_are_five(backend: Backend) {
    const GUESSES: usize = 1_000;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll_address(&world, &tokens, &mina.email).await;
    let mut questions = Vec::new();
    for _ in 0..5 {
        let asked = mina.begin_sign_in().await.expect("a question");
        let sent = mina.send_mfa_code(&asked.mfa_session_id, &enrolled.factor_id);
        sent.await.expect("sent");
        let code = world.read_code(&mina.email).await;
        questions.push((asked.mfa_session_id, code));
    }
    let outcomes = crowd(GUESSES, |guess| {
        let mina = mina.at(&gateways[guess % gateways.len()]);
        let (id, _) = questions[guess % questions.len()].clone();
        // Too short for a code, so that none is right.
        let code = format!("{guess:05}");
        async move { mina.answer(&id, &code).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): {GUESSES} parallel answers to codes that were \
         sent as second factors of one account: compared {}",
        world.replicas().len(),
        tally.count("SECOND_FACTOR_WRONG"),
    );
    tally.assert_only(&["SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
    assert_eq!(tally.count("SECOND_FACTOR_WRONG"), TRIES);
    for (id, code) in questions {
        let right = mina.answer(&id, &code).await;
        assert_eq!(reason(&right), "TOO_MANY_ATTEMPTS");
    }
}

async fn a_restart_renews_no_tries_of_a_code(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let address = world.new_email();
    let id = send_code(&world, &address).await;
    let mut compared = guess(&world, &id, 3).await;
    for replica in world.replicas() {
        replica.restart().await;
    }
    compared += guess(&world, &id, 3).await;
    let right = world.gateway().check_code(&id, CODE).await;
    countersign_tests::say!(
        "guarantee 6 on {backend}: a restart between tries of one code: compared {compared}"
    );
    assert!(compared <= TRIES);
    assert_eq!(reason(&right), "VERIFICATION_NOT_FOUND");
    // The in-process store forgets the code itself; Redis keeps code and tries.
    assert_eq!(compared, if backend == Backend::Sqlite { 3 } else { TRIES });
}

#[test]
fn flushall_renews_no_tries_of_a_code() {
    on_a_backend(Backend::Postgres, async |backend| {
        let Some(redis) = RedisServer::start().await else {
            countersign_tests::say!("skipped: redis-server is not installed");
            return;
        };
        let world = World::on(backend)
            .replicas(2)
            .redis(redis.url())
            .start()
            .await;
        let address = world.new_email();
        let id = send_code(&world, &address).await;
        let mut compared = guess(&world, &id, 3).await;
        redis.flush().await;
        compared += guess(&world, &id, 3).await;
        let right = world.gateway().check_code(&id, CODE).await;
        countersign_tests::say!(
            "guarantee 6 with FLUSHALL between tries of one code: compared {compared}"
        );
        assert_eq!(compared, 3);
        assert_eq!(reason(&right), "VERIFICATION_NOT_FOUND");

        // Failures at a password outlive it: they are counted in the database.
        let mina = world.sign_up().await;
        for _ in 0..4 {
            assert_eq!(
                reason(&mina.try_password("wrong guess").await),
                "SIGN_IN_REFUSED"
            );
            redis.flush().await;
        }
        assert_eq!(world.rows("credentials WHERE failures = 4").await, 1);
    });
}

#[test]
fn a_full_redis_lets_nobody_guess() {
    on_a_backend(Backend::Postgres, async |backend| {
        let Some(redis) = RedisServer::start().await else {
            countersign_tests::say!("skipped: redis-server is not installed");
            return;
        };
        let world = World::on(backend).redis(redis.url()).start().await;
        let mina = world.sign_up().await;
        let address = world.new_email();
        let id = send_code(&world, &address).await;
        let mut compared = guess(&world, &id, 3).await;

        redis.set_full(true).await;
        for code in ["000000", CODE] {
            let refused = world.gateway().check_code(&id, code).await;
            assert_eq!(reason(&refused), "DEPENDENCY_UNAVAILABLE");
        }
        let password = mina.try_password("wrong guess").await;
        assert_eq!(
            reason(&password),
            "DEPENDENCY_UNAVAILABLE",
            "a source that is not counted"
        );
        assert_eq!(world.rows("credentials WHERE failures = 0").await, 1);

        redis.set_full(false).await;
        compared += guess(&world, &id, 3).await;
        countersign_tests::say!(
            "guarantee 6 with a full Redis between tries of one code: compared {compared}"
        );
        assert_eq!(compared, TRIES);
    });
}

async fn new_codes_renew_no_tries_of_an_address(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let address = world.new_email();
    let mut compared = 0;
    let mut id = String::new();
    for _ in 0..4 {
        id = send_code(&world, &address).await;
        compared += guess(&world, &id, TRIES).await;
    }
    let right = world.gateway().check_code(&id, CODE).await;
    countersign_tests::say!(
        "guarantee 6 on {backend}: four codes of one address in a day: compared {compared}"
    );
    assert_eq!(compared, 10);
    assert_eq!(reason(&right), "TOO_MANY_ATTEMPTS");
    let retry_after = Details::of(&right.expect_err("refused")).retry_after;
    assert!(
        retry_after.is_some_and(|wait| !wait.is_zero()),
        "it says when"
    );
}

async fn parallel_guesses_of_a_password_stay_below_the_cap(backend: Backend) {
    const GUESSES: usize = 200;
    const CAP: usize = 8;
    let world = world_with_cap(backend, CAP).await;
    let mina = world.sign_up().await;
    let gateways = world.gateways(4);
    let outcomes = crowd(GUESSES, |guess| {
        let gateway = gateways[guess % gateways.len()].clone();
        let who = email(&mina.email);
        let source = format!("203.0.113.{guess}");
        async move { gateway.sign_in_from(&source, who, "wrong guess").await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    tally.assert_only(&["SIGN_IN_REFUSED"]);
    let counted = world
        .rows(&format!("credentials WHERE failures = {CAP}"))
        .await;
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): {GUESSES} parallel guesses of one password, cap \
         {CAP}: {tally}; accounts whose counted failures are the cap: {counted}",
        world.replicas().len(),
    );
    assert_eq!(counted, 1);
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED",
        "capped"
    );

    let id = mina.forget_password().await.expect("a code is sent");
    let code = world.read_code(&mina.email).await;
    let proof = mina.gateway.check_code(&id, &code).await.expect("a proof");
    let new_password = "nine herons on the far pier";
    mina.gateway
        .reset_password(&proof, new_password)
        .await
        .expect("set");
    assert_eq!(
        reason(&mina.try_password(new_password).await),
        "OK",
        "a reset helps the owner"
    );
}

async fn a_restart_renews_no_tries_of_a_password(backend: Backend) {
    let world = world_with_cap(backend, 8).await;
    let mina = world.sign_up().await;
    for guess in 0..10 {
        let gateway = world.replica(guess % world.replicas().len()).gateway();
        let wrong = mina.at(&gateway).try_password("wrong guess").await;
        assert_eq!(reason(&wrong), "SIGN_IN_REFUSED");
        if guess % 3 == 2 {
            world
                .replica(guess % world.replicas().len())
                .restart()
                .await;
        }
    }
    let mina = mina.at(&world.gateway());
    assert_eq!(world.rows("credentials WHERE failures = 8").await, 1);
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED",
        "capped"
    );
    countersign_tests::say!(
        "guarantee 6 on {backend}: restarts between 10 guesses of one password: counted 8, cap 8"
    );
}

async fn all_ways_to_sign_in_share_one_cap(backend: Backend) {
    let world = world_with_cap(backend, 6).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    for _ in 0..3 {
        let by_name = countersign_tests::username(&mina.username);
        let ways = [
            reason(&mina.try_password("wrong guess").await),
            reason(&mina.gateway.sign_in(by_name, "wrong guess").await),
        ];
        assert_eq!(ways, ["SIGN_IN_REFUSED", "SIGN_IN_REFUSED"]);
    }
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED",
        "capped"
    );
    // Nobody else can use up the tries of who is signed in.
    let new = "nine herons on the pier";
    let changed = mina.change_password(&tokens, PASSWORD, new).await;
    assert_eq!(reason(&changed), "OK");
}

/// Those who are signed in: as many as a password bears, in all their sessions.
async fn a_password_change_has_a_cap_of_its_own(backend: Backend) {
    let world = world_with_cap(backend, 6).await;
    let mina = world.sign_up().await;
    let sessions = [mina.sign_in().await, mina.sign_in().await];
    let mut outcomes = Tally::default();
    for turn in 0..12 {
        let change = mina.change_password(
            &sessions[turn % 2],
            "wrong guess",
            "nine herons on the pier",
        );
        outcomes.add(&reason(&change.await));
    }
    assert_eq!(outcomes.count("PASSWORD_WRONG"), 6, "{outcomes}");
    assert_eq!(outcomes.count("TOO_MANY_ATTEMPTS"), 6, "{outcomes}");
    let new = "nine herons on the pier";
    let right = mina.change_password(&sessions[0], PASSWORD, new).await;
    assert_eq!(reason(&right), "TOO_MANY_ATTEMPTS");
    // It locks nobody out of signing in.
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");
}

async fn a_right_password_starts_afresh(backend: Backend) {
    let world = world_with_cap(backend, 3).await;
    let mina = world.sign_up().await;
    for _ in 0..4 {
        for _ in 0..2 {
            assert_eq!(
                reason(&mina.try_password("wrong guess").await),
                "SIGN_IN_REFUSED"
            );
        }
        assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");
    }
}

async fn one_source_is_stopped_before_the_cap(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("passwords.attempts_per_source", 4)
        .start()
        .await;
    let mina = world.sign_up().await;
    let gateways = world.gateways(2);
    let guesses = crowd(64, |guess| {
        let (gateway, who) = (gateways[guess % gateways.len()].clone(), email(&mina.email));
        async move {
            gateway
                .sign_in_from("203.0.113.7", who, "wrong guess")
                .await
        }
    })
    .await;
    let tally = Tally::of(&guesses);
    countersign_tests::say!(
        "guarantee 6 on {backend}: 64 guesses from one address, 4 allowed: {tally}"
    );
    assert_eq!(
        (
            tally.count("SIGN_IN_REFUSED"),
            tally.count("TOO_MANY_ATTEMPTS")
        ),
        (4, 60)
    );
    let owner = mina
        .gateway
        .sign_in_from("198.51.100.1", email(&mina.email), PASSWORD)
        .await;
    assert_eq!(
        reason(&owner),
        "OK",
        "the owner elsewhere is not locked out"
    );
}

async fn world_with_cap(backend: Backend, cap: usize) -> World {
    let cap = i64::try_from(cap).expect("a small number");
    World::on(backend)
        .replicas(backend.replicas())
        .set("passwords.attempts", cap)
        .start()
        .await
}

async fn send_code(world: &World, address: &str) -> String {
    let sent = world
        .gateway()
        .send_code(email(address), v1::Purpose::SignUp, CODE)
        .await;
    sent.expect("a code is sent")
}

/// Guesses wrong `times` times, the replicas taking turns, and tells how many
/// of the guesses were compared.
async fn guess(world: &World, id: &str, times: usize) -> usize {
    let gateways = world.gateways(1);
    let mut compared = 0;
    for turn in 0..times {
        let guessed = gateways[turn % gateways.len()]
            .check_code(id, "000000")
            .await;
        let reason = reason(&guessed);
        assert!(
            reason == "CODE_WRONG" || NOT_COMPARED.contains(&reason.as_str()),
            "{reason}"
        );
        compared += usize::from(reason == "CODE_WRONG");
    }
    compared
}
