//! Codes and what they prove: few tries, a short life, one use.

use std::time::Duration;

use countersign_domain::model::{Code, GroupId, Locale, Purpose};
use countersign_domain::testing::{World, address, password, refusal, send_code};
use countersign_domain::use_cases::{
    CancelVerification, CheckCode, ConfirmSignUp, GetVerification, ResetPassword, SendCode, Which,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

#[tokio::test]
async fn a_sign_in_code_is_sent_to_users_only_and_nobody_can_tell() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    send_code("nobody@example.com", Purpose::SignIn)
        .execute(&world.app)
        .await
        .expect("looks sent");
    assert!(world.take_sent().await.is_empty());
    send_code(EMAIL, Purpose::SignIn)
        .execute(&world.app)
        .await
        .expect("sent");
    assert_eq!(world.take_sent().await.len(), 1);
}

#[tokio::test]
async fn a_code_has_five_tries_and_a_new_one_renews_no_budget() {
    let world = World::new().await;
    let wrong = || Code::parse("nope".into()).expect("a code");
    for round in 0..2 {
        let sent = send_code(EMAIL, Purpose::SignUp)
            .execute(&world.app)
            .await
            .expect("sent");
        let right = world.take_code().await;
        for remaining in (0..5).rev() {
            let check = CheckCode {
                which: Which::Id(sent.record.id),
                code: wrong(),
            };
            assert_eq!(
                refusal(check.execute(&world.app).await),
                Refusal::Code { remaining },
                "round {round}"
            );
        }
        let check = CheckCode {
            which: Which::Id(sent.record.id),
            code: right,
        };
        assert_eq!(
            refusal(check.execute(&world.app).await),
            Refusal::Verification,
            "round {round}"
        );
        world
            .clock
            .advance(world.app.settings.verification.cooldown);
    }
    let sent = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let right = world.take_code().await;
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: right,
    };
    assert!(matches!(
        check.execute(&world.app).await,
        Err(Error::Exhausted {
            limit: Limit::Attempts,
            ..
        })
    ));
}

/// One round trip, where the store is Redis.
#[tokio::test]
async fn an_own_code_is_sent_and_checked_by_a_call_each() {
    let world = World::new().await;
    let code = || Code::parse("1234".into()).expect("a code");
    let own = SendCode {
        code: Some(code()),
        ..send_code(EMAIL, Purpose::SignUp)
    };
    world.ephemeral.take_calls();
    let sent = own.execute(&world.app).await.expect("sent");
    assert_eq!(world.ephemeral.take_calls(), 1);
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: code(),
    };
    check.execute(&world.app).await.expect("it is right");
    assert_eq!(world.ephemeral.take_calls(), 1);
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let world = World::new().await;
    let sent = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let code = world.take_code().await;
    world.clock.advance(Duration::from_secs(300));
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code,
    };
    assert_eq!(
        refusal(check.execute(&world.app).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn codes_to_one_address_come_a_minute_apart() {
    let world = World::new().await;
    send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    world.clock.advance(Duration::from_secs(59));
    let early = send_code(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let Err(Error::Exhausted {
        limit: Limit::Messages,
        retry_after,
    }) = early
    else {
        panic!("expected a limit, got {early:?}");
    };
    assert!(retry_after <= Duration::from_secs(1), "{retry_after:?}");
    world.clock.advance(Duration::from_secs(1));
    send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent again");
}

#[tokio::test]
async fn a_verification_is_shown_until_it_is_passed_or_cancelled() {
    let world = World::new().await;
    let sent = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let id = sent.record.id;
    let wrong = CheckCode {
        which: Which::Id(id),
        code: Code::parse("nope".into()).expect("a code"),
    };
    assert_eq!(
        refusal(wrong.execute(&world.app).await),
        Refusal::Code { remaining: 4 }
    );
    let shown = GetVerification { id }
        .execute(&world.app)
        .await
        .expect("shown");
    assert_eq!((shown.record.id, shown.remaining_attempts), (id, 4));
    for _ in 0..2 {
        CancelVerification { id }
            .execute(&world.app)
            .await
            .expect("cancelled");
    }
    assert_eq!(
        refusal(GetVerification { id }.execute(&world.app).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn a_reset_password_ends_all_sessions_and_its_proof_is_spent() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let before = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let proof = world
        .prove(EMAIL, Purpose::PasswordReset)
        .await
        .expect("proved");
    let reset = |text| ResetPassword {
        proof: proof.clone(),
        new: password(text),
        locale: Locale::English,
    };
    reset("another long phrase")
        .execute(&world.app)
        .await
        .expect("reset");
    assert_eq!(
        refusal(world.refresh(&before.refresh_token).await),
        Refusal::SessionEnded
    );
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    world
        .sign_in(EMAIL, "another long phrase")
        .await
        .expect("the new password is right");
    let again = reset("a third long phrase").execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Proof);
}

#[tokio::test]
async fn a_reset_code_goes_to_users_only_and_nobody_can_tell() {
    let world = World::new().await;
    send_code(EMAIL, Purpose::PasswordReset)
        .execute(&world.app)
        .await
        .expect("looks sent");
    assert!(world.take_sent().await.is_empty());
}

#[tokio::test]
async fn a_code_that_confirms_a_sign_up_yields_no_proof() {
    let world = World::new().await;
    let pending = world.pending(EMAIL, PASSWORD).await;
    let check = CheckCode {
        which: Which::Id(pending.verification_id),
        code: pending.code.clone(),
    };
    let checked = check.execute(&world.app).await;
    assert_eq!(refusal(checked), Refusal::Verification);
    let confirmed = pending.execute(&world.app).await;
    confirmed.expect("the code was not spent");
}

#[tokio::test]
async fn a_code_expires_by_the_clock_of_all_though_it_is_still_kept() {
    let world = World::new().await;
    let sent = send_code(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let record = sent.expect("sent").record;
    let code = world.take_code().await;
    world.clock.jump_to(record.expires_at);
    world.read().await;
    for which in [
        Which::Id(record.id),
        Which::Latest(record.group, record.address, record.purpose),
    ] {
        let code = code.clone();
        let late = CheckCode { which, code }.execute(&world.app).await;
        assert_eq!(refusal(late), Refusal::Verification);
    }
    let shown = GetVerification { id: record.id }.execute(&world.app).await;
    assert_eq!(refusal(shown), Refusal::Verification);
}

#[tokio::test]
async fn a_sign_up_that_waits_is_shown_until_it_is_cancelled() {
    let world = World::new().await;
    let pending = world.pending(EMAIL, PASSWORD).await;
    let id = pending.verification_id;
    let wrong = ConfirmSignUp {
        verification_id: id,
        code: Code::parse("nope".into()).expect("a code"),
    };
    let refused = wrong.execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Code { remaining: 4 });
    let shown = GetVerification { id }.execute(&world.app).await;
    let shown = shown.expect("shown");
    assert_eq!((shown.record.id, shown.remaining_attempts), (id, 4));
    let cancelled = CancelVerification { id }.execute(&world.app).await;
    cancelled.expect("cancelled");
    let shown = GetVerification { id }.execute(&world.app).await;
    assert_eq!(refusal(shown), Refusal::Verification);
    let late = pending.execute(&world.app).await;
    assert_eq!(refusal(late), Refusal::Verification);
}

#[tokio::test]
async fn codes_of_several_addresses_and_purposes_live_side_by_side() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let mut sent = Vec::new();
    for (email, purpose) in [
        (EMAIL, Purpose::SignIn),
        ("other@example.com", Purpose::SignUp),
        (EMAIL, Purpose::PasswordReset),
    ] {
        send_code(email, purpose)
            .execute(&world.app)
            .await
            .expect("sent");
        sent.push((email, purpose, world.take_code().await));
        world
            .clock
            .advance(world.app.settings.verification.cooldown);
    }
    for (email, purpose, code) in sent {
        let which = Which::Latest(GroupId::fallback(), address(email), purpose);
        let checked = CheckCode { which, code }.execute(&world.app).await;
        checked.expect("the latest of its address and purpose");
    }
}
