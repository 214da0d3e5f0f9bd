//! Looking after an account, on every backend: sessions are listed and ended,
//! the password is changed and reset, either token signs out.

use countersign_proto::v1;
use countersign_tests::{Backend, PASSWORD, Person, World, by_token, on_every_backend, reason};

const NEW_PASSWORD: &str = "nine herons on the far pier";

on_every_backend!(
    sessions_are_listed_shown_and_ended_one_by_one,
    sessions_are_listed_page_by_page,
    a_changed_password_ends_the_other_sessions,
    a_reset_password_ends_all_sessions,
    a_reset_for_nobody_answers_alike_and_sends_nothing,
    either_token_signs_out,
);

async fn sessions_are_listed_shown_and_ended_one_by_one(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let eve = world.sign_up().await;
    let (phone, laptop, tablet) = (
        mina.sign_in().await,
        mina.sign_in().await,
        mina.sign_in().await,
    );

    let listed = mina.sessions(&tablet).await.expect("a list");
    let ids: Vec<_> = listed
        .iter()
        .map(|session| session.session_id.as_str())
        .collect();
    assert_eq!(
        ids,
        [&tablet.session_id, &laptop.session_id, &phone.session_id]
    );
    let current: Vec<_> = listed.iter().map(|session| session.current).collect();
    assert_eq!(current, [true, false, false]);

    let ended = mina.end_session(&tablet, &phone.session_id).await;
    ended.expect("her own session");
    assert_eq!(mina.gateway.judge(&phone.access_token).await, "REVOKED");
    assert_eq!(
        reason(&mina.gateway.refresh(&phone.refresh_token).await),
        "SESSION_ENDED"
    );
    let shown = mina
        .session(&tablet, &phone.session_id)
        .await
        .expect("it is shown");
    assert!(shown.revoke_time.is_some());

    let theirs = eve.sign_in().await;
    for other in [
        reason(&eve.end_session(&theirs, &laptop.session_id).await),
        reason(&eve.session(&theirs, &laptop.session_id).await),
    ] {
        assert_eq!(other, "SESSION_NOT_FOUND", "a session of somebody else");
    }

    let all_others = v1::RevokeUserSessionsRequest {
        person: Some(by_token(&tablet)),
        keep_current: true,
    };
    let revoked = mina
        .gateway
        .sessions()
        .revoke_user_sessions(all_others)
        .await
        .expect("ended");
    assert_eq!(revoked.into_inner().revoked_count, 1);
    assert_eq!(mina.gateway.judge(&laptop.access_token).await, "REVOKED");
    assert_eq!(mina.gateway.judge(&tablet.access_token).await, "VALID");
}

async fn sessions_are_listed_page_by_page(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let mut expected = Vec::new();
    let mut tokens = mina.sign_in().await;
    expected.push(tokens.session_id.clone());
    for _ in 0..6 {
        tokens = mina.sign_in().await;
        expected.push(tokens.session_id.clone());
    }
    expected.reverse();
    let mut found = Vec::new();
    let mut page_token = String::new();
    for page in 0..4 {
        let request = v1::ListSessionsRequest {
            person: Some(by_token(&tokens)),
            page_size: 2,
            page_token,
        };
        let listed = mina
            .gateway
            .sessions()
            .list_sessions(request)
            .await
            .expect("a page");
        let listed = listed.into_inner();
        found.extend(
            listed
                .sessions
                .into_iter()
                .map(|session| session.session_id),
        );
        page_token = listed.next_page_token;
        assert_eq!(page_token.is_empty(), page == 3, "page {page}");
    }
    assert_eq!(found, expected);
}

async fn a_changed_password_ends_the_other_sessions(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let (other, here) = (mina.sign_in().await, mina.sign_in().await);

    let wrong = mina
        .change_password(&here, "not the password at all", NEW_PASSWORD)
        .await;
    assert_eq!(reason(&wrong), "PASSWORD_WRONG");
    mina.change_password(&here, PASSWORD, NEW_PASSWORD)
        .await
        .expect("the right one");

    assert_eq!(mina.gateway.judge(&here.access_token).await, "VALID");
    assert_eq!(mina.gateway.judge(&other.access_token).await, "REVOKED");
    assert_eq!(
        reason(&mina.gateway.refresh(&other.refresh_token).await),
        "SESSION_ENDED"
    );
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED"
    );
    assert_eq!(reason(&mina.try_password(NEW_PASSWORD).await), "OK");
}

async fn a_reset_password_ends_all_sessions(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let id = mina.forget_password().await.expect("a code is sent");
    let code = world.read_code(&mina.email).await;
    let proof = mina.gateway.check_code(&id, &code).await.expect("a proof");
    let wrong_use = mina.gateway.sign_in_proven(&proof).await;
    assert_eq!(
        reason(&wrong_use),
        "PROOF_INVALID",
        "a proof is for one purpose"
    );

    mina.gateway
        .reset_password(&proof, NEW_PASSWORD)
        .await
        .expect("the password is set");
    assert_eq!(mina.gateway.judge(&tokens.access_token).await, "REVOKED");
    assert_eq!(
        reason(&mina.gateway.refresh(&tokens.refresh_token).await),
        "SESSION_ENDED"
    );
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED"
    );
    assert_eq!(reason(&mina.try_password(NEW_PASSWORD).await), "OK");
    assert_eq!(
        reason(&mina.gateway.reset_password(&proof, NEW_PASSWORD).await),
        "PROOF_INVALID"
    );
}

async fn a_reset_for_nobody_answers_alike_and_sends_nothing(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let address = world.new_email();
    let nobody = Person {
        user_id: String::new(),
        email: address.clone(),
        username: String::new(),
        gateway: gateway.clone(),
    };
    let before = world.log().len();
    let id = nobody.forget_password().await.expect("the same answer");
    let wrong = gateway.check_code(&id, "000000").await;
    assert_eq!(reason(&wrong), "CODE_WRONG");
    // Its refusal is written after whatever the reset would have sent.
    world.replica(0).says(before, "call").await;
    assert!(
        !world
            .log()
            .text(0)
            .contains(&address.replacen("mina@", "m***@", 1))
    );
}

async fn either_token_signs_out(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    for take in [
        (|tokens: &v1::Tokens| tokens.access_token.clone()) as fn(&_) -> _,
        |tokens| tokens.refresh_token.clone(),
    ] {
        let tokens = mina.sign_in().await;
        for _ in 0..2 {
            mina.gateway
                .revoke(&take(&tokens))
                .await
                .expect("repeatable");
        }
        assert_eq!(mina.gateway.judge(&tokens.access_token).await, "REVOKED");
        assert_eq!(
            reason(&mina.gateway.refresh(&tokens.refresh_token).await),
            "SESSION_ENDED"
        );
    }
    mina.gateway
        .revoke("no token at all")
        .await
        .expect("RFC 7009: not an error");
}
