//! Step-up authentication (RFC 9470): what a service asks of a person's
//! authentication is met in the session that goes on, is told to every replica by
//! the tokens alone, and neither forks a chain of refresh tokens nor revives what
//! has ended.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, Enrolled, PASSWORD, PATIENCE, Person, Shown, Tally, World, crowd, eventually,
    generation, on_every_backend, reason, say,
};
use prost_types::Duration as Message;

on_every_backend!(
    a_challenge_is_met_in_the_session_that_goes_on,
    a_passkey_answers_for_its_session_alone,
    an_answer_at_once_is_good_once,
    refreshes_at_once_neither_fork_nor_forget,
    what_has_ended_stays_ended,
    wrong_codes_are_those_of_sign_ins_and_passwords_are_not,
    a_session_of_the_release_before_goes_on,
    nonsense_is_refused_by_field,
    a_damaged_session_is_no_answer_and_costs_nothing,
);

const ORIGIN: &str = "https://example.com";
const FIVE_MINUTES: Option<Duration> = Some(Duration::from_secs(300));
const AAL2: &[&str] = &["aal2"];
/// Lets all sessions be of a sign-in six minutes ago.
const AGE: &str = "UPDATE sessions SET authenticated_at = authenticated_at - 360000";

/// Somebody with an app, and a session that was begun before it was enrolled.
async fn with_app(world: &World) -> (Person, v1::Tokens, Enrolled) {
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll(&tokens).await;
    (mina, tokens, enrolled)
}

fn millis(time: Option<prost_types::Timestamp>) -> i64 {
    let time = time.expect("a time");
    time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000
}

async fn a_challenge_is_met_in_the_session_that_goes_on(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways_of_replicas();
    let (mina, tokens, enrolled) = with_app(&world).await;
    let elsewhere = mina.at(gateways.last().expect("a replica"));
    world.execute(AGE).await;
    let second_tab = tokens.refresh_token.clone();
    let old = mina.gateway.refresh(&tokens.refresh_token).await;
    let old = old.expect("refreshed");

    // Asked of every replica, met at another, and asked again.
    let ask_all = async |token: &str| {
        let mut answers = BTreeSet::new();
        for gateway in &gateways {
            for _ in 0..3 {
                let lacking = gateway.lacking(token, FIVE_MINUTES, AAL2).await;
                answers.insert(lacking.expect("an answer"));
            }
        }
        answers.into_iter().collect::<Vec<_>>()
    };
    let lacking = "max_age=300 acr_values=aal2";
    assert_eq!(ask_all(&old.access_token).await, [lacking]);
    let by_password = elsewhere.step_up(&old.access_token, Shown::Password(PASSWORD));
    let by_password = by_password.await.expect("right");
    assert_eq!(by_password.acr, "aal1");
    let token = &by_password.access_token;
    assert_eq!(ask_all(token).await, ["acr_values=aal2"]);
    let code = enrolled.app.code();
    let by_code = elsewhere.step_up(token, Shown::Code(&code)).await;
    let by_code = by_code.expect("right");
    assert_eq!(
        (by_code.acr.as_str(), &by_code.session_id),
        ("aal2", &old.session_id)
    );
    assert_eq!(ask_all(&by_code.access_token).await, ["VALID"]);
    assert_eq!(ask_all(&old.access_token).await, [lacking]);
    for gateway in &gateways {
        assert_eq!(
            gateway.judge(&old.access_token).await,
            "VALID",
            "it stays good"
        );
    }

    // Nobody's tab is signed out, and the next refresh tells of it.
    let again = mina.gateway.refresh(&second_tab).await;
    let again = again.expect("the same successor");
    assert_eq!(again.refresh_token, old.refresh_token);
    let refreshed = elsewhere.gateway.refresh(&old.refresh_token).await;
    let refreshed = refreshed.expect("refreshed");
    assert_eq!(
        generation(&refreshed.refresh_token),
        generation(&old.refresh_token) + 1
    );
    assert_eq!(ask_all(&refreshed.access_token).await, ["VALID"]);
    let claims = mina.gateway.validate(&refreshed.access_token).await;
    let claims = claims.expect("an answer").expect("good");
    assert_eq!(claims.acr, "aal2");
    assert_eq!(claims.authentication_methods, ["pwd", "otp", "mfa"]);
    let told = by_code.authentication_time.expect("a time").seconds;
    assert_eq!(claims.authentication_time.expect("a time").seconds, told);
    let session = mina.session(&refreshed, &refreshed.session_id).await;
    let session = session.expect("a session");
    assert!(millis(session.authentication_time) > millis(session.create_time));
    assert_eq!(session.acr, "aal2");
    assert_eq!(world.rows("sessions").await, 1);

    // Changes of factors need the same.
    let made = mina.regenerate_recovery_codes(&refreshed).await;
    let codes = made.expect("a fresh authentication");
    world.execute(AGE).await;
    world.execute(AGE).await;
    let too_old = mina.remove_factor(&refreshed, &enrolled.factor_id).await;
    assert_eq!(reason(&too_old), "AUTHENTICATION_TOO_OLD");
    let alone = mina.step_up(&refreshed.access_token, Shown::Password(PASSWORD));
    assert_eq!(reason(&alone.await), "SECOND_FACTOR_REQUIRED");
    let again = mina.step_up(&refreshed.access_token, Shown::Code(&codes[0]));
    again.await.expect("right");
    let removed = mina.remove_factor(&refreshed, &enrolled.factor_id).await;
    removed.expect("removed");
}

async fn a_passkey_answers_for_its_session_alone(backend: Backend) {
    let world = World::on(backend).replicas(backend.replicas());
    let world = world.set("passkeys.rp_id", "example.com");
    let origins: Vec<toml::Value> = vec![ORIGIN.into()];
    let world = world.set("passkeys.origins", origins).start().await;
    let gateways = world.gateways_of_replicas();
    let mina = world.sign_up().await;
    let elsewhere = mina.at(gateways.last().expect("a replica"));
    let (first, other) = (mina.sign_in().await, mina.sign_in().await);
    let enrolled = mina.enroll_passkey(&first, ORIGIN).await;
    let (key, _) = enrolled.expect("enrolled");
    let stranger = world.sign_up().await;
    let strangers = stranger.sign_in().await;

    let mut outcomes = Vec::new();
    for token in [
        &other.access_token,
        &strangers.access_token,
        &first.access_token,
    ] {
        // Another session of hers, one of somebody else, and the right one.
        let options = mina.begin_step_up(&first.access_token).await;
        let credential = key.get(&options.expect("options"), ORIGIN);
        let shown = Shown::Passkey(&credential);
        outcomes.push(reason(&elsewhere.step_up(token, shown).await));
        outcomes.push(reason(&elsewhere.step_up(&first.access_token, shown).await));
    }
    let wrong = "SECOND_FACTOR_WRONG";
    assert_eq!(outcomes, [wrong, "OK", wrong, "OK", "OK", wrong]);
    let session = mina.session(&first, &first.session_id).await;
    let methods = session.expect("a session").authentication_methods;
    assert_eq!(methods, ["pwd", "pop", "user", "mfa"]);
    let session = mina.session(&first, &other.session_id).await;
    assert_eq!(session.expect("a session").acr, "aal1");
}

/// Many who show one recovery code.
async fn an_answer_at_once_is_good_once(backend: Backend) {
    const ROUNDS: usize = 5;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let mut tally = Tally::default();
    for _ in 0..ROUNDS {
        let (mina, tokens, enrolled) = with_app(&world).await;
        let outcomes = crowd(64, |member| {
            let mina = mina.at(&gateways[member % gateways.len()]);
            let token = tokens.access_token.clone();
            let code = enrolled.recovery_codes[0].clone();
            async move { mina.step_up(&token, Shown::Code(&code)).await }
        });
        let outcomes = Tally::of(&outcomes.await);
        assert_eq!(outcomes.count("OK"), 1, "{outcomes}");
        tally.add_all(&outcomes);
    }
    say!("step-up on {backend}: {ROUNDS} recovery codes, each shown by 64 at once: {tally}");
    tally.assert_only(&["OK", "SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
}

async fn refreshes_at_once_neither_fork_nor_forget(backend: Backend) {
    const ROUNDS: usize = 8;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let (mina, mut tokens, enrolled) = with_app(&world).await;
    let (mut tally, mut forked, mut forgotten, mut stale) = (Tally::default(), 0, 0, 0);
    for code in &enrolled.recovery_codes[..ROUNDS] {
        // Nothing of the rounds before helps.
        world
            .execute("UPDATE sessions SET methods = 'pwd', authenticated_at = created_at - 360000")
            .await;
        let outcomes = crowd(32, |member| {
            let mina = mina.at(&gateways[member % gateways.len()]);
            let (tokens, code) = (tokens.clone(), code.clone());
            async move {
                if member == 7 {
                    let shown = Shown::Code(&code);
                    let shown = mina.step_up(&tokens.access_token, shown).await;
                    return shown.map(|_| None);
                }
                let refreshed = mina.gateway.refresh(&tokens.refresh_token).await;
                refreshed.map(Some)
            }
        });
        let outcomes = outcomes.await;
        tally.add_all(&Tally::of(&outcomes));
        let refreshed: Vec<_> = outcomes.into_iter().flatten().flatten().collect();
        let successors: BTreeSet<_> = refreshed.iter().map(|t| &t.refresh_token).collect();
        forked += successors.len() - 1;
        stale += lacking_of(&mina, &refreshed).await;
        let before = generation(&tokens.refresh_token);
        tokens = mina
            .gateway
            .refresh(&refreshed[0].refresh_token)
            .await
            .expect("refreshed");
        assert_eq!(generation(&tokens.refresh_token), before + 2);
        forgotten += lacking_of(&mina, std::slice::from_ref(&tokens)).await;
    }
    say!(
        "step-up on {backend}, {} replica(s): {ROUNDS} times 31 refreshes of a token and a step-up \
         at once: {tally}; chains forked {forked}; next refreshes that do not tell of it \
         {forgotten}; refreshes beside it that were before it {stale}",
        world.replicas().len(),
    );
    tally.assert_only(&["OK"]);
    assert_eq!((forked, forgotten), (0, 0));
    assert_eq!(world.rows("sessions WHERE revoked_at IS NULL").await, 1);
}

/// How many of the tokens do not tell of two factors a moment ago.
async fn lacking_of(mina: &Person, tokens: &[v1::Tokens]) -> usize {
    let mut lacking = 0;
    for tokens in tokens {
        let answer = mina
            .gateway
            .lacking(&tokens.access_token, FIVE_MINUTES, AAL2);
        lacking += usize::from(answer.await.expect("an answer") != "VALID");
    }
    lacking
}

/// A session that is ended at the same moment gets no token that is good.
async fn what_has_ended_stays_ended(backend: Backend) {
    const ROUNDS: usize = 20;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways_of_replicas();
    let mina = world.sign_up().await;
    let (mut tally, mut accepted) = (Tally::default(), 0);
    for round in 0..ROUNDS {
        let tokens = mina.sign_in().await;
        let outcomes = crowd(9, |member| {
            let mina = mina.at(&gateways[(member + round) % gateways.len()]);
            let token = tokens.access_token.clone();
            async move {
                if member == 4 {
                    // Before, between and after what the others do.
                    tokio::time::sleep(Duration::from_millis(round as u64 * 6)).await;
                    return mina.gateway.revoke(&token).await.map(|()| None);
                }
                let shown = mina.step_up(&token, Shown::Password(PASSWORD));
                shown.await.map(|shown| Some(shown.access_token))
            }
        });
        let outcomes = outcomes.await;
        assert_eq!(reason(&outcomes[4]), "OK", "it is ended");
        tally.add_all(&Tally::of(&outcomes));
        let ended = format!("the end of {}", tokens.session_id);
        for gateway in &gateways {
            eventually(&ended, PATIENCE, || async {
                let answer = gateway.judge(&tokens.access_token).await;
                (answer == "REVOKED").then_some(())
            })
            .await;
            for token in outcomes.iter().flatten().flatten() {
                accepted += usize::from(gateway.judge(token).await != "REVOKED");
            }
        }
        let again = mina.step_up(&tokens.access_token, Shown::Password(PASSWORD));
        assert_eq!(reason(&again.await), "ACCESS_TOKEN_INVALID");
        let again = mina.gateway.refresh(&tokens.refresh_token).await;
        assert_eq!(reason(&again), "SESSION_ENDED");
    }
    let given = tally.count("OK") - ROUNDS;
    say!(
        "step-up on {backend}, {} replica(s): {ROUNDS} sessions, ended beside 8 right passwords at \
         once: {tally}; of the {given} new tokens accepted afterwards {accepted}",
        world.replicas().len(),
    );
    tally.assert_only(&["OK", "ACCESS_TOKEN_INVALID"]);
    assert_eq!(accepted, 0);
    assert!(given > 0, "every step-up was too late");
}

async fn wrong_codes_are_those_of_sign_ins_and_passwords_are_not(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("passwords.attempts_per_source", 10)
        .start()
        .await;
    let gateways = world.gateways(4);
    let (mina, tokens, enrolled) = with_app(&world).await;
    let token = &tokens.access_token;
    let guess = async |passwords: bool| {
        let outcomes = crowd(64, |member| {
            let mina = mina.at(&gateways[member % gateways.len()]);
            let token = token.clone();
            async move {
                let code = format!("00000-{member:05}");
                let shown = match passwords {
                    true => Shown::Password("a wrong guess"),
                    false => Shown::Code(&code),
                };
                mina.step_up(&token, shown).await
            }
        });
        Tally::of(&outcomes.await)
    };
    let (passwords, codes) = (guess(true).await, guess(false).await);
    say!(
        "step-up on {backend}, {} replica(s): 64 wrong passwords at once: {passwords}; 64 wrong \
         codes at once: {codes}",
        world.replicas().len(),
    );
    assert_eq!(passwords.count("PASSWORD_WRONG"), 10, "{passwords}");
    assert_eq!(codes.count("SECOND_FACTOR_WRONG"), 5, "{codes}");
    passwords.assert_only(&["PASSWORD_WRONG", "TOO_MANY_ATTEMPTS"]);
    codes.assert_only(&["SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
    // Nobody's sign-ins have fewer tries for it.
    assert_eq!(world.rows("credentials WHERE failures > 0").await, 0);

    // The account's second factor has no tries left at a sign-in either; other
    // sessions have theirs for the password.
    let asked = mina.begin_sign_in().await.expect("the password is right");
    let answered = mina.answer(&asked.mfa_session_id, &enrolled.recovery_codes[0]);
    assert_eq!(reason(&answered.await), "TOO_MANY_ATTEMPTS");
    let stranger = world.sign_up().await;
    let others = stranger.sign_in().await;
    let right = stranger.step_up(&others.access_token, Shown::Password(PASSWORD));
    right.await.expect("right");
    let code = enrolled.app.code();
    let theirs = stranger.step_up(&others.access_token, Shown::Code(&code));
    assert_eq!(reason(&theirs.await), "SECOND_FACTOR_WRONG");
}

async fn a_session_of_the_release_before_goes_on(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    world
        .execute("UPDATE sessions SET authenticated_at = NULL")
        .await;
    let refreshed = mina.gateway.refresh(&tokens.refresh_token).await;
    let refreshed = refreshed.expect("refreshed");
    let session = mina.session(&refreshed, &refreshed.session_id).await;
    let session = session.expect("a session");
    assert_eq!(session.authentication_time, session.create_time);
    let shown = mina.step_up(&refreshed.access_token, Shown::Password(PASSWORD));
    shown.await.expect("right");
    let session = mina.session(&refreshed, &refreshed.session_id).await;
    let session = session.expect("a session");
    assert!(millis(session.authentication_time) > millis(session.create_time));
}

async fn nonsense_is_refused_by_field(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let question = |seconds, nanos, acr_values: &[&str]| v1::ValidateTokenRequest {
        access_token: tokens.access_token.clone(),
        max_authentication_age: Some(Message { seconds, nanos }),
        acr_values: acr_values.iter().map(|value| (*value).to_owned()).collect(),
        ..Default::default()
    };
    let mut auth = mina.gateway.auth();
    for (seconds, nanos) in [(-1, 0), (0, 0), (1, -1), (31_536_001, 0), (i64::MAX, 0)] {
        let refused = auth.validate_token(question(seconds, nanos, &[])).await;
        let refused = Details::of(&refused.expect_err("refused"));
        assert_eq!(refused.fields, ["max_authentication_age"], "{seconds}");
    }
    let request = v1::ValidateTokensRequest {
        requests: vec![
            question(1, 0, AAL2),
            question(-1, 0, &["aal9", "aal2", "aal1"]),
        ],
    };
    let refused = auth.validate_tokens(request).await.map(drop);
    let refused = Details::of(&refused.expect_err("refused"));
    let wrong = ["max_authentication_age", "acr_values", "acr_values[0]"];
    let wrong = wrong.map(|field| format!("requests[1].{field}"));
    assert_eq!(
        (refused.reason.as_str(), refused.fields),
        ("FIELD_INVALID", wrong.to_vec())
    );

    let mut sessions = mina.gateway.sessions();
    let mut fields = Vec::new();
    for (password, code, credential, device_token) in [
        ("", "", "", ""),
        ("a", "123456", "", ""),
        ("", "123456", "{}", ""),
        ("", "", "{}", ""),
        ("", "?", "", ""),
    ] {
        let request = v1::StepUpSessionRequest {
            access_token: tokens.access_token.clone(),
            password: password.into(),
            code: code.into(),
            credential: credential.into(),
            device_token: device_token.into(),
            client_context: None,
        };
        let refused = sessions.step_up_session(request).await.map(drop);
        fields.extend(Details::of(&refused.expect_err("refused")).fields);
    }
    let password = "password";
    let expected = [password, password, password, "credential", "code"];
    assert_eq!(fields, expected);
}

async fn a_damaged_session_is_no_answer_and_costs_nothing(backend: Backend) {
    let world = World::start(backend, 1).await;
    let (mina, tokens, enrolled) = with_app(&world).await;
    let code = &enrolled.recovery_codes[0];
    let other = mina.begin_sign_in().await.expect("a question");
    let other = mina.answer(&other.mfa_session_id, &enrolled.recovery_codes[1]);
    let other = other.await.expect("signed in");
    let id = backend.bytes(&tokens.session_id);
    let set = async |methods: &str| {
        let update = format!("UPDATE sessions SET methods = '{methods}' WHERE id = {id}");
        assert_eq!(world.execute(&update).await, 1);
    };
    set("pwd odd").await;
    for _ in 0..10 {
        for shown in [Shown::Password(PASSWORD), Shown::Code(code)] {
            let refused = mina.step_up(&tokens.access_token, shown).await;
            assert_eq!(reason(&refused), "INTERNAL", "it is never a no");
        }
    }
    let beside = mina.step_up(&other.access_token, Shown::Code(code)).await;
    beside.expect("the code was not used, and no try was charged");
    set("pwd").await;
    let shown = Shown::Code(&enrolled.recovery_codes[2]);
    let shown = mina.step_up(&tokens.access_token, shown).await;
    assert_eq!(shown.expect("right").acr, "aal2");
}
