//! Suspending, reinstating, withdrawing and deleting: sessions end with the answer, and
//! who has proved itself, and nobody else, hears why it is not let in.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, PASSWORD, PATIENCE, World, crowd, email, eventually, on_every_backend,
    on_every_shared_backend, reason,
};
use tonic::Code;

use crate::in_seconds;

on_every_backend!(
    a_suspension_ends_all_sessions_with_its_answer,
    who_has_proved_itself_hears_why_it_is_not_let_in,
    the_right_password_of_a_suspended_user_costs_no_attempt,
    what_was_begun_before_a_suspension_opens_nothing,
    a_suspension_ends_by_itself,
    of_two_who_suspend_at_once_with_an_etag_one_does,
    suspensions_beside_sign_ins_leave_no_session_alive,
    states_lead_to_each_other_as_they_should,
    a_deleted_user_is_gone,
);
on_every_shared_backend!(another_replica_rejects_the_tokens_of_a_suspended_user);

async fn a_suspension_ends_all_sessions_with_its_answer(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let eve = world.sign_up().await;
    let theirs = eve.sign_in().await;
    for block in ["suspend", "withdraw", "delete"] {
        let mina = match block {
            "suspend" => mina.clone(),
            _ => world.sign_up().await,
        };
        let sessions = [mina.sign_in().await, mina.sign_in().await];
        let gateway = &mina.gateway;
        match block {
            "suspend" => drop(gateway.suspend(&mina.user_id, "spam").await.expect("done")),
            "withdraw" => drop(gateway.withdraw(&mina.user_id).await.expect("done")),
            _ => gateway.delete_user(&mina.user_id).await.expect("done"),
        }
        for tokens in &sessions {
            assert_eq!(
                gateway.judge(&tokens.access_token).await,
                "REVOKED",
                "{block}"
            );
            let refreshed = reason(&gateway.refresh(&tokens.refresh_token).await);
            let expected = match block {
                "delete" => "REFRESH_TOKEN_INVALID",
                _ => "SESSION_ENDED",
            };
            assert_eq!(refreshed, expected, "{block}");
            let profile = reason(&gateway.profile(tokens).await);
            assert_eq!(profile, "ACCESS_TOKEN_INVALID", "{block}");
        }
    }
    assert_eq!(eve.gateway.judge(&theirs.access_token).await, "VALID");
}

async fn another_replica_rejects_the_tokens_of_a_suspended_user(backend: Backend) {
    let world = World::start(backend, 2).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let other = world.replica(1).gateway();
    assert_eq!(other.judge(&tokens.access_token).await, "VALID");
    mina.gateway
        .suspend(&mina.user_id, "")
        .await
        .expect("suspended");
    let is_seen = || async { (other.judge(&tokens.access_token).await == "REVOKED").then_some(()) };
    eventually("the other replica sees it", PATIENCE, is_seen).await;
}

async fn who_has_proved_itself_hears_why_it_is_not_let_in(backend: Backend) {
    let world = World::start(backend, 1).await;
    let korean = world.gateway().speaking("ko-KR");
    let mina = world.sign_up_at(&korean).await;
    let juno = world.sign_up_at(&korean).await;
    korean
        .suspend(&mina.user_id, "spam")
        .await
        .expect("suspended");
    korean.withdraw(&juno.user_id).await.expect("withdrawn");
    let wrong_details = "이메일 또는 패스워드가 올바르지 않습니다. 다시 입력해주세요.";
    let mut refused = Vec::new();
    for (person, told, words) in [
        (&mina, "USER_SUSPENDED", "보호조치된 계정입니다."),
        (
            &juno,
            "USER_WITHDRAWN",
            "탈퇴 회원입니다. 탈퇴 후 7일동안 다시 가입할수 없어요.",
        ),
    ] {
        let wrong = person.try_password("wrong guess").await.expect_err("no");
        let details = Details::of(&wrong);
        assert_eq!(details.reason, "SIGN_IN_REFUSED");
        assert_eq!(details.localized.expect("words").1, wrong_details);
        refused.push(wrong.details().to_vec());

        let by_password = person.try_password(PASSWORD).await;
        let proof = korean
            .prove(email(&person.email), v1::Purpose::SignIn)
            .await;
        let by_code = korean.sign_in_proven(&proof.expect("a proof")).await;
        for right in [by_password, by_code] {
            let status = right.expect_err("not let in");
            let details = Details::of(&status);
            assert_eq!(
                (status.code(), details.reason.as_str()),
                (Code::PermissionDenied, told)
            );
            let (_, text) = details.localized.expect("words");
            assert!(text.starts_with(words), "{text}");
            let rejoin = details.metadata.get("rejoin_time");
            assert_eq!(rejoin.is_some(), told == "USER_WITHDRAWN");
            // The day of Korea after the one on which the wait ends, or that one.
            if let Some(rejoin) = rejoin {
                let user = korean.user(&person.user_id).await.expect("shown");
                let time = user.withdrawal.and_then(|left| left.rejoin_time);
                let time = time.expect("a time").seconds;
                let day = (time + 9 * 3_600 + 86_399).div_euclid(86_400);
                let day = prost_types::Timestamp {
                    seconds: day * 86_400,
                    nanos: 0,
                };
                let day = &day.to_string()[..10];
                assert!(text.contains(&format!("{day}부터")), "{text}, {rejoin}");
            }
        }
    }
    let nobody = korean
        .sign_in(email(&world.new_email()), "wrong guess")
        .await;
    refused.push(nobody.expect_err("nobody").details().to_vec());
    assert!(
        refused.iter().all(|bytes| *bytes == refused[0]),
        "one answer, byte for byte"
    );
}

async fn the_right_password_of_a_suspended_user_costs_no_attempt(backend: Backend) {
    let world = World::on(backend)
        .set("passwords.attempts", 4)
        .set("passwords.attempts_per_source", 3)
        .start()
        .await;
    let mina = world.sign_up().await;
    mina.gateway
        .suspend(&mina.user_id, "")
        .await
        .expect("suspended");
    for _ in 0..8 {
        assert_eq!(reason(&mina.try_password(PASSWORD).await), "USER_SUSPENDED");
    }
    mina.gateway
        .reinstate(&mina.user_id)
        .await
        .expect("reinstated");
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");
}

async fn what_was_begun_before_a_suspension_opens_nothing(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let gateway = &mina.gateway;
    let to_sign_in = gateway.prove(email(&mina.email), v1::Purpose::SignIn).await;
    let id = mina.forget_password().await.expect("a code is sent");
    let code = world.read_code(&mina.email).await;
    let to_reset = gateway.check_code(&id, &code).await;
    let code = gateway
        .send_code(email(&mina.email), v1::Purpose::SignIn, "135790")
        .await;
    let code = code.expect("sent");
    gateway.suspend(&mina.user_id, "").await.expect("suspended");
    gateway.reinstate(&mina.user_id).await.expect("reinstated");
    let to_sign_in = to_sign_in.expect("a proof");
    assert_eq!(
        reason(&gateway.sign_in_proven(&to_sign_in).await),
        "PROOF_INVALID"
    );
    let to_reset = to_reset.expect("a proof");
    let reset = gateway
        .reset_password(&to_reset, "nine herons on the far pier")
        .await;
    assert_eq!(reason(&reset), "PROOF_INVALID");
    let by_old_code = match gateway.check_code(&code, "135790").await {
        Ok(proof) => reason(&gateway.sign_in_proven(&proof).await),
        Err(status) => Details::of(&status).reason,
    };
    assert!(
        ["PROOF_INVALID", "VERIFICATION_NOT_FOUND"].contains(&&*by_old_code),
        "{by_old_code}"
    );
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");
}

async fn a_suspension_ends_by_itself(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let gateway = &mina.gateway;
    let over = gateway
        .suspend_until(&mina.user_id, "", in_seconds(&world, -1).await)
        .await;
    let status = over.expect_err("a time that is over");
    assert_eq!(Details::of(&status).fields, ["end_time"]);
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");

    let until = in_seconds(&world, 3).await;
    let user = gateway.suspend_until(&mina.user_id, "a while", until).await;
    let suspension = user.expect("suspended").suspension.expect("one");
    assert_eq!(
        (suspension.reason.as_str(), suspension.end_time),
        ("a while", until)
    );
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "USER_SUSPENDED");
    let is_over = || async { mina.try_password(PASSWORD).await.ok() };
    let (tokens, _) = eventually("the suspension ends", PATIENCE, is_over).await;
    assert_eq!(reason(&gateway.refresh(&tokens.refresh_token).await), "OK");
}

async fn of_two_who_suspend_at_once_with_an_etag_one_does(backend: Backend) {
    const ROUNDS: usize = 5;
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    for _ in 0..ROUNDS {
        let etag = mina.gateway.user(&mina.user_id).await.expect("shown").etag;
        let outcomes = crowd(2, |member| {
            let (gateway, etag) = (mina.gateway.clone(), etag.clone());
            let user_id = mina.user_id.clone();
            async move {
                let request = v1::SuspendUserRequest {
                    user_id,
                    etag,
                    reason: format!("operator {member}"),
                    end_time: None,
                };
                gateway.users().suspend_user(request).await
            }
        })
        .await;
        let mut reasons: Vec<_> = outcomes.iter().map(reason).collect();
        reasons.sort();
        assert_eq!(reasons, ["ETAG_MISMATCH", "OK"]);
        let stale = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
        assert_eq!(stale.expect("one").code(), Code::Aborted);
    }
    let etag = "cafe".to_owned();
    let user_id = mina.user_id.clone();
    let unknown = v1::DeleteUserRequest { user_id, etag };
    let deleted = mina.gateway.users().delete_user(unknown).await;
    assert_eq!(reason(&deleted), "ETAG_MISMATCH");
}

async fn suspensions_beside_sign_ins_leave_no_session_alive(backend: Backend) {
    const ROUNDS: usize = 4;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(2);
    let (mut opened, mut alive) = (0, 0);
    for _ in 0..ROUNDS {
        let mina = world.sign_up().await;
        let outcomes = crowd(7, |member| {
            let mina = mina.at(&gateways[member % gateways.len()]);
            async move {
                if member == 3 {
                    tokio::time::sleep(Duration::from_millis(40)).await;
                    mina.gateway
                        .suspend(&mina.user_id, "")
                        .await
                        .expect("suspended");
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(15 * member as u64)).await;
                mina.try_password(PASSWORD).await.ok()
            }
        })
        .await;
        for session in outcomes.into_iter().flatten() {
            opened += 1;
            let refreshed = mina.gateway.refresh(&session.refresh_token).await;
            alive += usize::from(reason(&refreshed) != "SESSION_ENDED");
        }
    }
    countersign_tests::say!(
        "users on {backend}: {} sign-ins beside {ROUNDS} suspensions: sessions opened {opened}, \
         alive afterwards {alive}",
        6 * ROUNDS
    );
    assert_eq!(alive, 0);
}

async fn states_lead_to_each_other_as_they_should(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let mina = world.sign_up().await;
    let id = mina.user_id.as_str();
    let not_now = "USER_STATE_CONFLICT";
    assert_eq!(reason(&gateway.reinstate(id).await), not_now, "active");
    for why in ["first", "second"] {
        let suspended = gateway.suspend(id, why).await.expect("suspended");
        assert_eq!(suspended.state(), v1::UserState::Suspended);
        assert_eq!(suspended.suspension.expect("one").reason, why);
    }
    let active = gateway.reinstate(id).await.expect("reinstated");
    assert_eq!(
        (active.state(), active.suspension),
        (v1::UserState::Active, None)
    );
    let withdrawn = gateway.withdraw(id).await.expect("withdrawn");
    assert_eq!(withdrawn.state(), v1::UserState::Withdrawn);
    let left = withdrawn.withdrawal.expect("one");
    let (at, rejoin) = (
        left.withdraw_time.expect("one"),
        left.rejoin_time.expect("one"),
    );
    assert_eq!(rejoin.seconds - at.seconds, 7 * 86_400);
    assert_eq!(reason(&gateway.withdraw(id).await), not_now, "withdrawn");
    assert_eq!(reason(&gateway.suspend(id, "").await), not_now, "withdrawn");
    let back = gateway.reinstate(id).await.expect("it was a mistake");
    assert_eq!(back.state(), v1::UserState::Active);
    assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");

    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    for outcome in [
        reason(&gateway.user(nobody).await),
        reason(&gateway.suspend(nobody, "").await),
        reason(&gateway.reinstate(nobody).await),
        reason(&gateway.withdraw(nobody).await),
        reason(&gateway.delete_user(nobody).await),
    ] {
        assert_eq!(outcome, "USER_NOT_FOUND");
    }
}

async fn a_deleted_user_is_gone(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    mina.gateway
        .delete_user(&mina.user_id)
        .await
        .expect("deleted");
    assert_eq!(
        reason(&mina.gateway.user(&mina.user_id).await),
        "USER_NOT_FOUND"
    );
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED"
    );
    let proof = mina
        .gateway
        .prove(email(&mina.email), v1::Purpose::SignUp)
        .await;
    let again = mina
        .gateway
        .sign_up_proven(email(&mina.email), "", PASSWORD, &proof.expect("a proof"))
        .await;
    assert_ne!(again.expect("the address is free"), mina.user_id);
}
