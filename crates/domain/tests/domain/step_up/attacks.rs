//! What is refused, and whose budgets it costs.

use std::sync::Arc;

use countersign_domain::model::Purpose;
use countersign_domain::ports::Store as _;
use countersign_domain::use_cases::{Actor, ResetPassword, RevokeToken, RevokeUserSessions};
use countersign_token::Rejection;

use super::*;

const OTHER: &str = "juno@example.com";

#[tokio::test]
async fn wrong_passwords_cost_the_session_and_no_other() {
    let mina = Mina::new().await;
    let other = mina
        .world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in");
    for _ in 0..10 {
        assert_eq!(refusal(mina.show(password(WRONG)).await), Refusal::Password);
    }
    assert!(is_exhausted(&mina.show(password(WRONG)).await));
    assert!(is_exhausted(&mina.show(password(PASSWORD)).await));
    assert_eq!(failures(&mina).await, 0, "strangers count for themselves");
    let session = mina.session().await;
    assert_eq!(session.authenticated_at, session.created_at);

    mina.world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in");
    let step_up = StepUpSession {
        access_token: other.access_token,
        answer: password(PASSWORD),
        client_id: "gateway".into(),
        device: DeviceClaim::Untold,
    };
    step_up.execute(&mina.world.app).await.expect("right");
}

/// As many tries as a sign-in, and not as many beside them.
#[tokio::test]
async fn wrong_codes_are_those_of_sign_ins() {
    let (mina, app) = Mina::with_app().await;
    let known = mina.sign_in_with(&app.recovery[0], DeviceClaim::Unknown);
    let device = device_of(&known.await.expect("signed in"));
    for _ in 0..3 {
        let wrong = mina.show(code("0000-000-000")).await;
        assert_eq!(refusal(wrong), Refusal::SecondFactor);
    }
    for _ in 0..2 {
        let wrong = mina.sign_in_with("0000-000-000", DeviceClaim::Untold);
        assert_eq!(refusal(wrong.await), Refusal::SecondFactor);
    }
    assert!(is_exhausted(&mina.show(mina.code(&app)).await));
    assert!(is_exhausted(&mina.show(code(&app.recovery[1])).await));
    // A known device has tries of its own, here as there.
    let known = mina.show_on(claim(&device), code(&app.recovery[1])).await;
    known.expect("right");
    for tried in 0..6 {
        let wrong = mina.show_on(claim(&device), code("0000-000-000")).await;
        assert_eq!(is_exhausted(&wrong), tried == 5, "{wrong:?}");
    }
    let exhausted = mina.sign_in_with(&app.recovery[2], claim(&device)).await;
    assert!(is_exhausted(&exhausted));
}

/// What is open may be given back.
#[tokio::test]
async fn who_is_refused_for_tries_that_are_open_may_come_back_soon() {
    let (mina, app) = Mina::with_app().await;
    let held = mina.world.store.begin().await.expect("begun");
    let tried = futures_util::future::join_all((0..5).map(|_| mina.show(code("0000-000-000"))));
    let retry_after = async {
        tokio::task::yield_now().await;
        let refused = mina.show(mina.code(&app)).await;
        drop(held);
        let Err(Error::Exhausted { retry_after, .. }) = refused else {
            panic!("expected too many tries, got {refused:?}");
        };
        retry_after
    };
    let (tried, soon) = tokio::join!(tried, retry_after);
    assert_eq!(soon, Duration::from_secs(1));
    for wrong in tried {
        assert_eq!(refusal(wrong), Refusal::SecondFactor);
    }
    let refused = mina.show(mina.code(&app)).await;
    let Err(Error::Exhausted { retry_after, .. }) = refused else {
        panic!("expected too many tries, got {refused:?}");
    };
    assert_eq!(retry_after, Duration::from_secs(15 * 60));
}

#[tokio::test]
async fn a_code_is_good_once_wherever_it_is_shown() {
    let (mina, app) = Mina::with_app().await;
    let typed = app.secret.code_at(mina.world.app.clock.now());
    mina.show(code(&typed)).await.expect("right");
    assert_eq!(
        refusal(mina.show(code(&typed)).await),
        Refusal::SecondFactor
    );
    let again = mina.sign_in_with(&typed, DeviceClaim::Untold).await;
    assert_eq!(refusal(again), Refusal::SecondFactor);
    mina.show(code(&app.recovery[0])).await.expect("right");
    let again = mina.show(code(&app.recovery[0])).await;
    assert_eq!(refusal(again), Refusal::SecondFactor);
}

#[tokio::test]
async fn of_64_who_show_one_code_at_once_one_is_right() {
    let (mina, app) = Mina::with_app().await;
    let mina = Arc::new(mina);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (mina, typed) = (Arc::clone(&mina), app.recovery[0].clone());
        tasks.spawn(async move { mina.show(code(&typed)).await.is_ok() });
    }
    let right = tasks.join_all().await;
    assert_eq!(right.into_iter().filter(|is_right| *is_right).count(), 1);
    assert_eq!(mina.session().await.acr(), Acr::Aal2);
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_raised_and_costs_nothing() {
    let (mina, app) = Mina::with_app().await;
    let revoke = RevokeToken {
        token: mina.tokens.access_token.clone(),
    };
    revoke.execute(&mina.world.app).await.expect("revoked");
    let before = mina.session().await;
    for _ in 0..30 {
        for answer in [password(WRONG), password(PASSWORD), code("0000-000-000")] {
            let refused = mina.show(answer).await;
            assert_eq!(refusal(refused), Refusal::AccessToken(None));
        }
    }
    assert_eq!(mina.session().await, before);
    assert_eq!(failures(&mina).await, 0);
    let signed_in = mina.sign_in_with(&app.recovery[0], DeviceClaim::Untold);
    signed_in.await.expect("the budgets are whole");
}

#[tokio::test]
async fn another_caller_is_refused_and_costs_nothing() {
    let mina = Mina::new().await;
    for _ in 0..30 {
        let step_up = StepUpSession {
            access_token: mina.tokens.access_token.clone(),
            answer: password(WRONG),
            client_id: "another".into(),
            device: DeviceClaim::Untold,
        };
        let refused = step_up.execute(&mina.world.app).await;
        assert_eq!(refusal(refused), Refusal::SessionOfAnotherCaller);
    }
    assert_eq!(failures(&mina).await, 0);
    mina.show(password(PASSWORD)).await.expect("right");
}

#[tokio::test]
async fn what_others_know_is_wrong() {
    let (mina, app) = Mina::with_app().await;
    mina.world.user(OTHER, WRONG).await;
    let juno = mina.world.sign_in(OTHER, WRONG).await.expect("signed in");
    let of_juno = |answer| StepUpSession {
        access_token: juno.access_token.clone(),
        answer,
        client_id: "gateway".into(),
        device: DeviceClaim::Untold,
    };
    let shown = of_juno(mina.code(&app)).execute(&mina.world.app).await;
    assert_eq!(refusal(shown), Refusal::SecondFactor);
    let shown = of_juno(code(&app.recovery[0])).execute(&mina.world.app);
    assert_eq!(refusal(shown.await), Refusal::SecondFactor);
    let shown = of_juno(password(PASSWORD)).execute(&mina.world.app).await;
    assert_eq!(refusal(shown), Refusal::Password);
    assert_eq!(refusal(mina.show(password(WRONG)).await), Refusal::Password);
    // Nothing of hers is used up by it.
    mina.show(mina.code(&app)).await.expect("right");
    mina.show(code(&app.recovery[0])).await.expect("right");
}

#[tokio::test]
async fn an_access_token_that_is_not_good_is_refused() {
    let mina = Mina::new().await;
    let mut mina = mina;
    mina.world.clock.advance(HOUR);
    let refused = refusal(mina.show(password(PASSWORD)).await);
    assert_eq!(refused, Refusal::AccessToken(Some(Rejection::Expired)));
    mina.tokens.access_token = "nonsense".into();
    let refused = refusal(mina.show(password(PASSWORD)).await);
    assert!(matches!(refused, Refusal::AccessToken(Some(_))));
}

#[tokio::test]
async fn a_session_for_an_audience_that_is_taken_back_gets_no_token() {
    let mut mina = Mina::new().await;
    mina.world
        .reconfigure(|settings| settings.tokens.audiences = vec!["billing".into()]);
    let refused = refusal(mina.show(password(PASSWORD)).await);
    let expected = Refusal::AccessToken(Some(Rejection::WrongAudience));
    assert_eq!(refused, expected);
    let session = mina.session().await;
    assert_eq!(session.authenticated_at, session.created_at);
}

#[tokio::test]
async fn a_password_that_was_set_anew_ends_it() {
    let mina = Mina::new().await;
    let proof = mina.world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: countersign_domain::testing::password(WRONG),
        locale: Locale::English,
    };
    reset.execute(&mina.world.app).await.expect("reset");
    for text in [PASSWORD, WRONG] {
        let refused = refusal(mina.show(password(text)).await);
        assert_eq!(refused, Refusal::AccessToken(None));
    }
}

#[tokio::test]
async fn what_was_begun_before_all_sessions_were_ended_yields_no_tokens() {
    for keep_current in [true, false] {
        let (mina, app) = Mina::with_app().await;
        let begun = mina.begin_sign_in(DeviceClaim::Untold).await;
        let begun = begun.expect("a question for a second factor");
        let revoke = RevokeUserSessions {
            actor: Actor::Person(mina.tokens.access_token.clone()),
            keep_current,
        };
        revoke.execute(&mina.world.app).await.expect("ended");
        let late = mina.answer(begun, &app.recovery[0]).await;
        assert_eq!(refusal(late), Refusal::MfaSession);
        let shown = mina.show(code(&app.recovery[1])).await;
        match keep_current {
            true => drop(shown.expect("the session goes on")),
            false => assert_eq!(refusal(shown), Refusal::AccessToken(None)),
        }
        let again = mina.sign_in_with(&app.recovery[2], DeviceClaim::Untold);
        again.await.expect("a new sign-in");
    }
}

/// A thief of an access token, who may end the other sessions as often as it likes.
#[tokio::test]
async fn ending_all_other_sessions_brings_no_new_tries_of_the_password() {
    let mut mina = Mina::new().await;
    mina.world.reconfigure(|settings| {
        settings.source_attempts.clear();
        settings.password_attempts = 10;
    });
    for tried in 0..12 {
        let revoke = RevokeUserSessions {
            actor: Actor::Person(mina.tokens.access_token.clone()),
            keep_current: true,
        };
        revoke.execute(&mina.world.app).await.expect("ended");
        let shown = mina.show(password(WRONG)).await;
        assert_eq!(is_exhausted(&shown), tried >= 10, "{tried}: {shown:?}");
    }
    let proof = mina.world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: countersign_domain::testing::password(WRONG),
        locale: Locale::English,
    };
    reset.execute(&mina.world.app).await.expect("reset");
    mina.tokens = mina.world.sign_in(EMAIL, WRONG).await.expect("signed in");
    let shown = mina.show(password(WRONG)).await;
    shown.expect("a new password has tries of its own");
}

/// A clock that is set back makes an authentication of now, which is not ahead.
#[tokio::test]
async fn a_clock_that_is_set_back_ages_nothing_that_is_shown_afterwards() {
    let (mut mina, app) = Mina::with_app().await;
    mina.show(mina.code(&app)).await.expect("right");
    let before = mina.session().await.authenticated_at;
    for answer in [password(PASSWORD), mina.code(&app)] {
        let back = mina.world.app.clock.now().minus(Duration::from_secs(240));
        mina.world.clock.jump_to(back);
        mina.world.read().await;
        mina.pass(STEP).await;
        let begun = mina.enroll_with(&mina.tokens.access_token).await;
        let too_old = Refusal::AuthenticationTooOld {
            max_age: Duration::from_secs(600),
        };
        assert_eq!(refusal(begun.map(drop)), too_old, "it lies ahead");
        let refused = mina.show(answer).await.map(drop);
        // Neither a password for both, nor a step that was used.
        let expected = [Refusal::SecondFactorRequired, Refusal::SecondFactor];
        assert!(expected.contains(&refusal(refused)));
    }
    let now = mina.world.app.clock.now();
    let shown = mina.show(code(&app.recovery[0])).await.expect("right");
    assert_eq!(shown.session.authenticated_at, now);
    assert!(now < before);
    let (validator, aal2) = (mina.world.validator(), Some(Acr::Aal2));
    mina.world.read().await;
    let minute = Some(Duration::from_secs(60));
    assert_eq!(lacking(&validator, &shown.access.token, minute, aal2), None);
    let enrolled = mina.enroll_with(&shown.access.token).await;
    enrolled.expect("it is fresh");
}

/// Whatever was right before it.
#[tokio::test]
async fn a_password_that_is_set_anew_in_the_middle_ends_it() {
    let (mina, app) = Mina::with_app().await;
    let before = mina.session().await;
    for answer in [password(PASSWORD), code(&app.recovery[0])] {
        let mut uow = mina.world.store.begin().await.expect("begun");
        let reset = async {
            tokio::task::yield_now().await;
            let raised = uow.raise_credential_version(mina.id).await;
            raised.expect("raised");
            uow.commit().await.expect("committed");
        };
        let (shown, ()) = tokio::join!(mina.show(answer), reset);
        assert_eq!(refusal(shown), Refusal::AccessToken(None));
        assert_eq!(mina.session().await, before);
    }
    let again = mina.show(code(&app.recovery[0])).await;
    again.expect("it was not used");
}

#[tokio::test]
async fn a_database_that_is_away_changes_and_costs_nothing() {
    let (mina, app) = Mina::with_app().await;
    let before = mina.session().await;
    for fail in [
        |mina: &Mina, fails| mina.world.store.fail_begins(fails),
        |mina: &Mina, fails| mina.world.store.fail_commits(fails),
    ] {
        fail(&mina, true);
        for _ in 0..30 {
            let error = mina.show(password(PASSWORD)).await.expect_err("it is away");
            assert!(!error.is_an_answer(), "{error}");
            assert_eq!(mina.session().await, before);
        }
        fail(&mina, false);
    }
    mina.show(password(PASSWORD)).await.expect("right");
    assert_eq!(failures(&mina).await, 0);
    let of_app = app.secret.code_at(mina.world.app.clock.now());
    for typed in [&of_app, &app.recovery[0]] {
        for fail in [
            |mina: &Mina, fails| mina.world.store.fail_begins(fails),
            |mina: &Mina, fails| mina.world.store.fail_commits(fails),
        ] {
            fail(&mina, true);
            for _ in 0..10 {
                let error = mina.show(code(typed)).await.expect_err("it is away");
                assert!(!error.is_an_answer(), "{error}");
            }
            fail(&mina, false);
        }
        mina.world.store.conflict(2);
        mina.show(code(typed)).await.expect("it was not used");
        let again = mina.show(code(typed)).await;
        assert_eq!(refusal(again), Refusal::SecondFactor);
    }
}

#[tokio::test]
async fn a_hasher_without_a_place_costs_nothing() {
    let mina = Mina::new().await;
    mina.world.hasher.overload(true);
    for _ in 0..30 {
        let shed = mina.show(password(WRONG)).await.expect_err("shed");
        assert!(matches!(
            shed,
            Error::Exhausted {
                limit: Limit::Hashing,
                ..
            }
        ));
    }
    mina.world.hasher.overload(false);
    assert_eq!(failures(&mina).await, 0);
    mina.show(password(PASSWORD)).await.expect("right");
}

/// Whoever is signed in has tries in which strangers have no share, and they none in
/// these.
#[tokio::test]
async fn a_password_that_strangers_have_locked_is_still_the_owners_and_stays_locked() {
    let mina = Mina::new().await;
    for _ in 0..100 {
        let counted = mina.world.app.store.count_attempt(mina.id, 100).await;
        assert!(counted.expect("counted"));
    }
    let wrong = mina.show(password(WRONG)).await;
    assert_eq!(refusal(wrong), Refusal::Password);
    mina.show(password(PASSWORD)).await.expect("right");
    assert_eq!(failures(&mina).await, 100);
    let stranger = mina.world.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(refusal(stranger), Refusal::SignIn);
}
