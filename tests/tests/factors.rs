//! Second factors, from the secret to the notice, through the real server.

use countersign_proto::v1;
use countersign_tests::{
    Authenticator, Backend, Details, Tally, World, crowd, on_every_backend, reason,
};

on_every_backend!(
    an_app_is_enrolled_listed_and_removed,
    changes_need_a_recent_sign_in,
    an_enrolment_is_confirmed_once,
    who_has_enrolled_is_asked_at_the_sign_in,
    a_gateway_asks_for_the_factors_of_a_user,
    a_damaged_factor_harms_only_itself,
);

async fn an_app_is_enrolled_listed_and_removed(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let begun = mina.begin_enrollment(&tokens, " 내 전화기 ").await;
    let begun = begun.expect("an enrolment");
    let parts = ["otpauth://totp/", "issuer=", &begun.secret];
    assert!(
        parts.iter().all(|part| begun.otpauth_uri.contains(part)),
        "{}",
        begun.otpauth_uri
    );
    assert!(begun.qr_code_svg.contains("<svg"), "{}", begun.qr_code_svg);
    assert_eq!(begun.secret.len(), 32);

    // Begun at one replica, confirmed at another.
    let gateways = world.gateways_of_replicas();
    let elsewhere = mina.at(gateways.last().expect("a replica"));
    let app = Authenticator::holding(&begun.secret);
    let confirmed = elsewhere
        .confirm_enrollment(&tokens, &begun.enrollment_id, &app.code())
        .await
        .expect("a factor");
    assert_eq!(confirmed.recovery_codes.len(), 10);
    let listed = mina.factors(&tokens).await.expect("listed");
    let labels: Vec<_> = listed.factors.iter().map(|f| f.label.as_str()).collect();
    assert_eq!(labels, ["내 전화기"]);
    assert_eq!(listed.remaining_recovery_codes, 10);

    let second = mina.enroll(&tokens).await;
    assert_eq!(second.recovery_codes.len(), 0);
    let renewed = mina.regenerate_recovery_codes(&tokens).await;
    assert_eq!(renewed.expect("new codes").len(), 10);
    let stranger = world.sign_up().await;
    let others = stranger.sign_in().await;
    let refused = stranger.remove_factor(&others, &second.factor_id).await;
    assert_eq!(reason(&refused), "FACTOR_NOT_FOUND");
    for id in [&second.factor_id, &confirmed.factor_id] {
        mina.remove_factor(&tokens, id).await.expect("removed");
    }
    let listed = mina.factors(&tokens).await.expect("listed");
    assert_eq!(listed.factors.len(), 0);
    assert_eq!(listed.remaining_recovery_codes, 0);
    let none = mina.regenerate_recovery_codes(&tokens).await;
    assert_eq!(reason(&none), "FACTOR_NOT_FOUND");
}

async fn changes_need_a_recent_sign_in(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let enrolled = mina.enroll(&tokens).await;
    let begun = mina.begin_enrollment(&tokens, "").await.expect("begun");
    let older = "UPDATE sessions SET authenticated_at = authenticated_at - 601000";
    world.execute(older).await;

    let app = Authenticator::holding(&begun.secret);
    let mut tally = Tally::default();
    tally.add(&reason(&mina.begin_enrollment(&tokens, "").await));
    let code = app.code();
    let confirmed = mina.confirm_enrollment(&tokens, &begun.enrollment_id, &code);
    tally.add(&reason(&confirmed.await));
    tally.add(&reason(
        &mina.remove_factor(&tokens, &enrolled.factor_id).await,
    ));
    let regenerated = mina.regenerate_recovery_codes(&tokens).await;
    tally.add(&reason(&regenerated));
    tally.assert_only(&["AUTHENTICATION_TOO_OLD"]);
    let refused = regenerated.expect_err("refused");
    assert_eq!(
        Details::of(&refused)
            .metadata
            .get("max_age")
            .map(String::as_str),
        Some("600")
    );

    let asked = mina.begin_sign_in().await.expect("a question");
    let fresh = mina.answer(&asked.mfa_session_id, &enrolled.recovery_codes[0]);
    let fresh = fresh.await.expect("signed in");
    let code = app.code();
    let confirmed = mina.confirm_enrollment(&fresh, &begun.enrollment_id, &code);
    confirmed.await.expect("a factor");
}

async fn who_has_enrolled_is_asked_at_the_sign_in(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways_of_replicas();
    let elsewhere = gateways.last().expect("a replica");
    let mina = world.sign_up().await;
    let enrolled = mina.enroll(&mina.sign_in().await).await;
    let asked = mina.begin_sign_in().await.expect("a question");
    let kinds: Vec<_> = asked.factors().collect();
    let both = [v1::FactorKind::Totp, v1::FactorKind::RecoveryCode];
    assert_eq!(kinds, both);
    let wrong = mina.answer(&asked.mfa_session_id, "00000-00000").await;
    assert_eq!(reason(&wrong), "SECOND_FACTOR_WRONG");

    // Asked by one replica, answered by another.
    let mina = mina.at(elsewhere);
    let code = enrolled.app.code();
    let answer = mina.answer(&asked.mfa_session_id, &code).await;
    let tokens = answer.expect("signed in");
    let session = mina.session(&tokens, &tokens.session_id).await;
    let methods = session.expect("a session").authentication_methods;
    assert_eq!(methods, ["pwd", "otp", "mfa"]);
    let claims = elsewhere.judge(&tokens.access_token).await;
    assert!(claims == "VALID", "{claims}");

    let asked = mina.begin_sign_in().await.expect("a question");
    let again = mina
        .answer(&asked.mfa_session_id, &enrolled.app.code())
        .await;
    assert_eq!(reason(&again), "SECOND_FACTOR_WRONG", "the step was used");
    let recovered = mina.answer(&asked.mfa_session_id, &enrolled.recovery_codes[9]);
    let tokens = recovered.await.expect("signed in");
    let listed = mina.factors(&tokens).await.expect("listed");
    assert_eq!(listed.remaining_recovery_codes, 9);
    mina.remove_factor(&tokens, &enrolled.factor_id)
        .await
        .expect("removed");
    mina.sign_in().await;
}

async fn a_gateway_asks_for_the_factors_of_a_user(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let enrolled = mina.enroll(&mina.sign_in().await).await;
    let request = v1::CreateMfaSessionRequest {
        user: Some(v1::create_mfa_session_request::User::UserId(
            mina.user_id.clone(),
        )),
        enrolled_factors: true,
        ..Default::default()
    };
    let with_code = v1::CreateMfaSessionRequest {
        code: "123456".into(),
        ..request.clone()
    };
    let mut sessions = mina.gateway.sessions();
    let refused = sessions.create_mfa_session(with_code).await;
    assert_eq!(reason(&refused), "FIELD_INVALID");
    let created = sessions.create_mfa_session(request).await;
    let id = created.expect("created").into_inner().mfa_session_id;
    let tokens = mina.answer(&id, &enrolled.app.code()).await;
    tokens.expect("signed in");
}

async fn an_enrolment_is_confirmed_once(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let begun = mina.begin_enrollment(&tokens, "").await.expect("begun");
    let app = Authenticator::holding(&begun.secret);
    let outcomes = crowd(64, |member| {
        let mina = mina.at(&gateways[member % gateways.len()]);
        let (tokens, id, code) = (tokens.clone(), begun.enrollment_id.clone(), app.code());
        async move { mina.confirm_enrollment(&tokens, &id, &code).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    tally.assert_only(&[
        "OK",
        "ENROLLMENT_NOT_FOUND",
        "TOO_MANY_ATTEMPTS",
        "DEPENDENCY_UNAVAILABLE",
    ]);
    assert_eq!(tally.count("OK"), 1, "{tally}");
    assert_eq!(world.rows("factors").await, 1);
    assert_eq!(world.rows("recovery_codes").await, 10);
}

/// Its owner gets an error, never a no, and can remove it; others go on.
async fn a_damaged_factor_harms_only_itself(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let (mina, juno) = (world.sign_up().await, world.sign_up().await);
    let (hers, his) = (mina.sign_in().await, juno.sign_in().await);
    let enrolled = mina.enroll(&hers).await;
    juno.enroll(&his).await;
    let id = backend.bytes(&enrolled.factor_id);
    let update = format!("UPDATE factors SET kind = 'odd' WHERE id = {id}");
    assert_eq!(world.execute(&update).await, 1);

    // It is left out of the list, and said to be there.
    let listed = mina.factors(&hers).await.expect("listed");
    assert_eq!((listed.factors.len(), listed.unreadable_factors), (0, 1));
    assert_eq!(listed.remaining_recovery_codes, 10);
    juno.factors(&his).await.expect("his are listed");
    juno.enroll(&his).await;
    // She is asked, and a recovery code is good; a code of the app is no "no".
    let asked = mina.begin_sign_in().await.expect("a question");
    let answer = mina
        .answer(&asked.mfa_session_id, &enrolled.app.code())
        .await;
    assert_eq!(reason(&answer), "INTERNAL");
    let answer = mina.answer(&asked.mfa_session_id, &enrolled.recovery_codes[0]);
    let with_factor = answer.await.expect("signed in");
    let refused = mina.remove_factor(&hers, &enrolled.factor_id).await;
    assert_eq!(reason(&refused), "SECOND_FACTOR_REQUIRED");
    let removed = mina.remove_factor(&with_factor, &enrolled.factor_id).await;
    removed.expect("removed");
    mina.enroll(&hers).await;
    let is_named = (0..world.replicas().len())
        .any(|replica| world.log().text(replica).contains(&enrolled.factor_id));
    assert!(is_named, "{backend}: the row is named in the log");
}
