//! Codes in text messages and mail as second factors, and the policies that ask for
//! them, through the real server.

use countersign_proto::v1;
use countersign_proto::v1::create_mfa_session_request::User;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_tests::{
    Backend, Details, PASSWORD, Person, Shown, Tally, UNDO_LINK, World, crowd, email,
    masked_number, on_every_backend, reason, say,
};

on_every_backend!(
    a_code_to_a_number_or_a_mailbox_answers_a_sign_in,
    sixty_four_who_ask_at_once_get_one_message,
    codes_answer_their_own_mfa_session_alone,
    a_stranger_is_answered_as_a_user_is,
    a_policy_holds_from_one_start_to_the_next,
    known_devices_are_let_in_and_no_others,
    a_damaged_address_harms_only_its_owner,
    a_factor_goes_with_its_address,
    a_code_that_is_sent_raises_its_own_session_once,
    under_a_policy_a_password_changes_no_addresses,
);

const NUMBER: &str = "+821012345678";

async fn a_code_to_a_number_or_a_mailbox_answers_a_sign_in(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways_of_replicas();
    let elsewhere = gateways.last().expect("a replica");
    let mut heard = Tally::default();
    for (number, amr) in [(Some(NUMBER), "sms"), (None, "otp")] {
        let mina = world.sign_up().await;
        if let Some(number) = number {
            world.give_number(&mina, number).await;
        }
        let address = number.unwrap_or(&mina.email);
        let tokens = mina.sign_in().await;
        let enrolled = mina.enroll_address(&world, &tokens, address).await;
        assert_eq!(enrolled.recovery_codes.len(), 10);
        let again = mina.begin_with_code(&tokens, address).await;
        assert_eq!(reason(&again), "FACTOR_ALREADY_ENROLLED");
        let others = mina.begin_with_code(&tokens, "+821099990000").await;
        assert_eq!(reason(&others), "ADDRESS_NOT_VERIFIED");
        let listed = mina.factors(&tokens).await.expect("listed");
        let shown = masked_number(address).replacen("mina@", "m***@", 1);
        assert_eq!(listed.factors[0].masked_address, shown);

        // Asked by one replica, sent by another, answered by the first.
        let asked = mina.begin_sign_in().await.expect("a question");
        let [offered] = &asked.code_factors[..] else {
            panic!("one address, not {:?}", asked.code_factors);
        };
        assert_eq!(offered.factor_id, enrolled.factor_id);
        assert_eq!(offered.masked_address, shown);
        let id = &asked.mfa_session_id;
        let there = mina.at(elsewhere);
        let sent = there.send_mfa_code(id, &offered.factor_id).await;
        assert!(sent.expect("sent").expire_time.is_some());
        let code = world.read_code(&masked_number(address)).await;
        for typed in ["00000", &code, &code] {
            let answered = mina.answer(id, typed).await;
            heard.add(&reason(&answered));
            if let Ok(tokens) = answered {
                let claims = elsewhere.validate(&tokens.access_token).await;
                let claims = claims.expect("an answer").expect("valid");
                assert_eq!(claims.authentication_methods, ["pwd", amr, "mfa"]);
                let removed = mina.remove_factor(&tokens, &enrolled.factor_id).await;
                removed.expect("removed");
            }
        }
        mina.sign_in().await;
    }
    say!("code factors on {backend}: wrong, right and right again, twice: {heard}");
    let counts = ["SECOND_FACTOR_WRONG", "OK", "MFA_SESSION_NOT_FOUND"];
    assert_eq!(counts.map(|reason| heard.count(reason)), [2, 2, 2]);
}

async fn sixty_four_who_ask_at_once_get_one_message(backend: Backend) {
    const CROWD: usize = 64;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.cooldown", "60s")
        .start()
        .await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll_address(&world, &tokens, &mina.email).await;
    let mut questions = Vec::new();
    for _ in 0..4 {
        let asked = mina.begin_sign_in().await.expect("a question");
        questions.push(asked.mfa_session_id);
    }
    let outcomes = crowd(CROWD, |turn| {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let id = questions[turn % questions.len()].clone();
        let factor_id = enrolled.factor_id.clone();
        async move { mina.send_mfa_code(&id, &factor_id).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    let code = world.read_code(&mina.email).await;
    let codes = world.messages_to(&mina.email);
    let codes = codes.iter().filter(|message| message.code.is_some());
    let sent = codes.count();
    say!(
        "code factors on {backend}, {} replica(s): {CROWD} who ask for a code at once: {tally}; \
         messages sent {}",
        world.replicas().len(),
        sent - 1,
    );
    tally.assert_only(&["OK", "TOO_MANY_MESSAGES"]);
    assert_eq!(tally.count("OK"), 1);
    assert_eq!(sent, 2, "that of the enrolment, and one");
    let mut answered = Tally::default();
    for id in &questions {
        answered.add(&reason(&mina.answer(id, &code).await));
    }
    assert_eq!(answered.count("OK"), 1, "{answered}");
    let refused = outcomes.into_iter().find_map(Result::err);
    let wait = refused.and_then(|refused| Details::of(&refused).retry_after);
    assert!(wait.is_some_and(|wait| !wait.is_zero()), "it says when");
}

/// Nor do codes that were sent for something else.
async fn codes_answer_their_own_mfa_session_alone(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let factor = mina.enroll_address(&world, &tokens, &mina.email).await;
    let first = mina.begin_sign_in().await.expect("a question");
    let second = mina.begin_sign_in().await.expect("a question");
    let mut codes = Vec::new();
    for asked in [&first, &second] {
        let sent = mina.send_mfa_code(&asked.mfa_session_id, &factor.factor_id);
        sent.await.expect("sent");
        codes.push(world.read_code(&mina.email).await);
    }
    let started = mina.forget_password().await.expect("a code is sent");
    let of_reset = world.read_code(&mina.email).await;
    let mut accepted = Tally::default();
    let ids = [&first.mfa_session_id, &second.mfa_session_id];
    for (id, code) in [
        (ids[0], &codes[1]),
        (ids[1], &codes[0]),
        (ids[0], &of_reset),
    ] {
        accepted.add(&reason(&mina.answer(id, code).await));
    }
    let checked = mina.gateway.check_code(&started, &codes[0]).await;
    accepted.add(&reason(&checked));
    say!("code factors on {backend}: codes of other MFA sessions and purposes: {accepted}");
    accepted.assert_only(&["SECOND_FACTOR_WRONG", "CODE_WRONG"]);
    for (id, code) in ids.into_iter().zip(&codes) {
        mina.answer(id, code).await.expect("its own is right");
    }
}

async fn a_stranger_is_answered_as_a_user_is(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.cooldown", "60s")
        .start()
        .await;
    let (mina, juno) = (world.sign_up().await, world.sign_up().await);
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll_address(&world, &tokens, &mina.email).await;
    let factor_id = "0190b5c8-0000-7000-8000-000000000000";
    let mut all = Vec::new();
    for named in [
        User::Identifier(email(&mina.email)),
        User::UserId(juno.user_id.clone()),
        User::Identifier(email(&world.new_email())),
        User::UserId(factor_id.into()),
    ] {
        let request = v1::CreateMfaSessionRequest {
            user: Some(named),
            enrolled_factors: true,
            ..Default::default()
        };
        let created = mina.gateway.ask_for_mfa(request).await.expect("created");
        let heard = [
            reason(&mina.send_mfa_code(&created, factor_id).await),
            reason(&mina.send_mfa_code(&created, factor_id).await),
            reason(&mina.answer(&created, "123456").await),
        ];
        all.push(heard);
    }
    let expected = ["OK", "TOO_MANY_MESSAGES", "SECOND_FACTOR_WRONG"];
    let distinct = all.iter().filter(|heard| **heard != expected).count();
    say!("code factors on {backend}: users and strangers who hear something else: {distinct} of 4");
    assert_eq!(distinct, 0, "{all:?}");
    // Codes were queued to nobody: what comes next is the one that she asks for.
    let asked = mina.begin_sign_in().await.expect("a question");
    let sent = mina.send_mfa_code(&asked.mfa_session_id, &enrolled.factor_id);
    sent.await.expect("sent");
    let code = world.read_code(&mina.email).await;
    let answered = mina.answer(&asked.mfa_session_id, &code).await;
    answered.expect("signed in");
    let messages = world.messages_to(&mina.email);
    let codes = messages.iter().filter(|message| message.code.is_some());
    assert_eq!(codes.count(), 2, "that of the enrolment, and this one");
}

async fn restart_with(world: &World, policy: &str) {
    for (number, replica) in world.replicas().iter().enumerate() {
        world.change_setting(number, "mfa.policy", policy);
        replica.restart().await;
    }
}

async fn a_policy_holds_from_one_start_to_the_next(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let thief = mina.sign_in().await;
    restart_with(&world, "required").await;
    let mina = mina.at(&world.gateway());
    // Who has the password, and a session from a moment ago, enrols nothing.
    let begun = mina.begin_enrollment(&thief, "mine").await;
    assert_eq!(reason(&begun), "SECOND_FACTOR_REQUIRED");
    let asked = mina.begin_sign_in().await.expect("a question");
    let kinds: Vec<_> = asked.factors().collect();
    assert_eq!(kinds, [v1::FactorKind::Email]);
    let stand_in = asked.code_factors[0].factor_id.clone();
    let id = asked.mfa_session_id.clone();
    mina.send_mfa_code(&id, &stand_in).await.expect("sent");
    let code = world.read_code(&mina.email).await;

    // The MFA session is open while the policy changes, where it outlives a restart.
    restart_with(&world, "optional").await;
    let mina = mina.at(&world.gateway());
    let answered = mina.answer(&id, &code).await;
    let expected = match backend {
        Backend::Sqlite => "MFA_SESSION_NOT_FOUND",
        _ => "OK",
    };
    assert_eq!(reason(&answered), expected);
    mina.sign_in().await;

    restart_with(&world, "required").await;
    let mina = mina.at(&world.gateway());
    let owner = sign_in_by_code(&world, &mina).await;
    let enrolled = mina.enroll(&owner).await;
    let asked = mina.begin_sign_in().await.expect("a question");
    assert_eq!(asked.code_factors, []);
    let refused = mina.send_mfa_code(&asked.mfa_session_id, &stand_in).await;
    assert_eq!(reason(&refused), "FACTOR_NOT_FOUND");
    let answered = mina
        .answer(&asked.mfa_session_id, &enrolled.app.code())
        .await;
    answered.expect("signed in");
}

/// Signs in with the password and a code to the address that stands in.
async fn sign_in_by_code(world: &World, mina: &Person) -> v1::Tokens {
    let asked = mina.begin_sign_in().await.expect("a question");
    let (id, factor) = (&asked.mfa_session_id, &asked.code_factors[0].factor_id);
    mina.send_mfa_code(id, factor).await.expect("sent");
    let code = world.read_code(&mina.email).await;
    mina.answer(id, &code).await.expect("signed in")
}

async fn known_devices_are_let_in_and_no_others(backend: Backend) {
    const SOURCE: &str = "198.51.100.1";
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("mfa.policy", "required_for_unknown_devices")
        .set("mfa.group_policies", vec!["staff=off"])
        .start()
        .await;
    let mina = world.sign_up().await;
    let asked = mina.begin_sign_in_on(SOURCE, "").await.expect("a question");
    let (id, factor) = (&asked.mfa_session_id, &asked.code_factors[0].factor_id);
    mina.send_mfa_code(id, factor).await.expect("sent");
    let code = world.read_code(&mina.email).await;
    let answered = mina.answer_on(id, &code, false).await.expect("signed in");
    let token = answered.device_token;
    let mut heard = Tally::default();
    let invented = format!("csd_{}", "A".repeat(43));
    for token in [&token, &token, "", &invented] {
        let issued = mina.try_on(SOURCE, token, PASSWORD).await;
        let outcome = issued.expect("the password is right").outcome;
        heard.add(match outcome {
            Some(Outcome::Tokens(_)) => "let in",
            _ => "asked",
        });
    }
    say!("code factors on {backend}: twice on the known device, and on two others: {heard}");
    assert_eq!((heard.count("let in"), heard.count("asked")), (2, 2));
}

async fn a_damaged_address_harms_only_its_owner(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let (mina, juno) = (world.sign_up().await, world.sign_up().await);
    let (hers, his) = (mina.sign_in().await, juno.sign_in().await);
    let enrolled = mina.enroll_address(&world, &hers, &mina.email).await;
    let of_juno = juno.enroll_address(&world, &his, &juno.email).await;
    // His sealed address, copied to her factor, opens nothing.
    let (id, other) = (
        backend.bytes(&enrolled.factor_id),
        backend.bytes(&of_juno.factor_id),
    );
    let copied = world
        .texts(&format!(
            "SELECT {} FROM factors WHERE id = {other}",
            backend.hex("sealed")
        ))
        .await;
    let sealed = backend.bytes(&copied[0]);
    let update = format!("UPDATE factors SET sealed = {sealed} WHERE id = {id}");
    assert_eq!(world.execute(&update).await, 1);
    let asked = mina.begin_sign_in().await.expect("a question");
    assert_eq!(asked.code_factors, []);
    let sent = mina.send_mfa_code(&asked.mfa_session_id, &enrolled.factor_id);
    assert_eq!(reason(&sent.await), "INTERNAL");
    let listed = mina.factors(&hers).await.expect("listed");
    assert_eq!((listed.factors.len(), listed.unreadable_factors), (0, 1));
    let recovered = mina.answer(&asked.mfa_session_id, &enrolled.recovery_codes[0]);
    recovered.await.expect("signed in");
    let asked = juno.begin_sign_in().await.expect("a question");
    let sent = juno.send_mfa_code(&asked.mfa_session_id, &of_juno.factor_id);
    sent.await.expect("sent");
    let code = world.read_code(&juno.email).await;
    juno.answer(&asked.mfa_session_id, &code)
        .await
        .expect("his");
}

async fn a_factor_goes_with_its_address(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("identifiers.undo_link", UNDO_LINK)
        .start()
        .await;
    let gateways = world.gateways_of_replicas();
    let elsewhere = gateways.last().expect("a replica");
    let mina = world.sign_up().await;
    world.give_number(&mina, NUMBER).await;
    let first = mina.sign_in().await;
    let enrolled = mina.enroll_address(&world, &first, NUMBER).await;
    let tokens = mina.sign_in_by_code(&world, &enrolled.factor_id).await;
    let open = mina.begin_sign_in().await.expect("a question");
    let codes = async || {
        let messages = world.messages_to(&masked_number(NUMBER));
        messages.iter().filter(|sent| sent.code.is_some()).count()
    };
    let before = codes().await;
    let there = mina.at(elsewhere);
    let removed = there.remove_identifier(&tokens, NUMBER).await;
    removed.expect("removed");
    let listed = mina.factors(&tokens).await.expect("listed");
    assert_eq!(
        (listed.factors.len(), listed.remaining_recovery_codes),
        (0, 0)
    );
    let id = &open.mfa_session_id;
    for mina in [&mina, &there] {
        let sent = mina.send_mfa_code(id, &enrolled.factor_id).await;
        assert_eq!(reason(&sent), "MFA_SESSION_NOT_FOUND");
    }
    // It is asked for no more, and was written to no more.
    let tokens = mina.sign_in().await;
    let again = mina.begin_with_code(&tokens, NUMBER).await;
    assert_eq!(reason(&again), "ADDRESS_NOT_VERIFIED");
    assert_eq!(codes().await, before);
}

async fn a_code_that_is_sent_raises_its_own_session_once(backend: Backend) {
    const CROWD: usize = 64;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let elsewhere = world.gateways_of_replicas();
    let elsewhere = elsewhere.last().expect("a replica");
    let mina = world.sign_up().await;
    world.give_number(&mina, NUMBER).await;
    let first = mina.sign_in().await;
    let enrolled = mina.enroll_address(&world, &first, NUMBER).await;
    let tokens = mina.sign_in_by_code(&world, &enrolled.factor_id).await;
    let other = mina.sign_in_by_code(&world, &enrolled.factor_id).await;
    let token = &tokens.access_token;
    let alone = mina.step_up(token, Shown::Password(PASSWORD)).await;
    assert_eq!(reason(&alone), "SECOND_FACTOR_REQUIRED");
    let nonsense = mina.send_step_up_code(token, "a phone").await;
    assert_eq!(reason(&nonsense), "FIELD_INVALID");
    let sent = mina.send_step_up_code(token, "").await.expect("sent");
    assert_eq!(sent.factor_id, enrolled.factor_id);
    assert_eq!(sent.masked_address, masked_number(NUMBER));
    let code = world.read_code(&sent.masked_address).await;
    let there = mina.at(elsewhere);
    let crossed = there.step_up(&other.access_token, Shown::Code(&code)).await;
    assert_eq!(reason(&crossed), "SECOND_FACTOR_WRONG");
    let outcomes = crowd(CROWD, |turn| {
        let mina = mina.at(&gateways[turn % gateways.len()]);
        let (token, code) = (token.clone(), code.clone());
        async move { mina.step_up(&token, Shown::Code(&code)).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    say!("code factors on {backend}: {CROWD} same codes for a step-up at once: {tally}");
    tally.assert_only(&["OK", "SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
    assert_eq!(tally.count("OK"), 1);
    let raised = outcomes.into_iter().find_map(Result::ok).expect("one");
    assert_eq!(
        (raised.session_id, raised.acr),
        (tokens.session_id, "aal2".into())
    );
    let claims = elsewhere.validate(&raised.access_token).await;
    let claims = claims.expect("an answer").expect("valid");
    assert_eq!(claims.authentication_methods, ["pwd", "sms", "mfa"]);
}

async fn under_a_policy_a_password_changes_no_addresses(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("identifiers.undo_link", UNDO_LINK)
        .start()
        .await;
    let mina = world.sign_up().await;
    world.give_number(&mina, NUMBER).await;
    let tokens = mina.sign_in().await;
    restart_with(&world, "required").await;
    let mina = mina.at(&world.gateway());
    let removed = mina.remove_identifier(&tokens, NUMBER).await;
    assert_eq!(reason(&removed), "SECOND_FACTOR_REQUIRED");
    let shown = mina.step_up(&tokens.access_token, Shown::Password(PASSWORD));
    shown.await.expect("right, and not enough");
    let removed = mina.remove_identifier(&tokens, NUMBER).await;
    assert_eq!(reason(&removed), "SECOND_FACTOR_REQUIRED");
    let sent = mina.send_step_up_code(&tokens.access_token, "").await;
    let code = world.read_code(&sent.expect("sent").masked_address).await;
    let shown = mina.step_up(&tokens.access_token, Shown::Code(&code)).await;
    assert_eq!(shown.expect("raised").acr, "aal2");
    let removed = mina.remove_identifier(&tokens, NUMBER).await;
    removed.expect("both factors were shown");
}
