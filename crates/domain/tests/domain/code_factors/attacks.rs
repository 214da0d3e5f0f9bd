//! Ways to get in with a code that is another's, older, or guessed.

use super::*;

#[tokio::test]
async fn a_code_answers_its_own_mfa_session_alone_and_the_latest_one_counts() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let (first, second) = (mina.asked().await, mina.asked().await);
    let of_first = mina.code(&first.id, enrolled.factor.id).await;
    let of_second = mina.code(&second.id, enrolled.factor.id).await;
    let crossed = mina.answer(&second.id, &of_first).await;
    assert_eq!(refusal(crossed), Refusal::SecondFactor);
    let resent = mina.code(&second.id, enrolled.factor.id).await;
    let earlier = mina.answer(&second.id, &of_second).await;
    assert_eq!(refusal(earlier), Refusal::SecondFactor, "it was replaced");
    mina.answer(&second.id, &resent).await.expect("signed in");
    mina.answer(&first.id, &of_first).await.expect("its own");
}

#[tokio::test]
async fn a_code_for_another_purpose_is_no_answer_nor_is_this_one_elsewhere() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let enrolled = mina.enroll(&tokens, Channel::Phone).await;
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let send_code = |purpose| countersign_domain::use_cases::SendCode {
        address: phone(PHONE),
        ..countersign_domain::testing::send_code(EMAIL, purpose)
    };
    let mut verification = None;
    for purpose in [Purpose::SignIn, Purpose::PasswordReset, Purpose::SignUp] {
        let sent = send_code(purpose).execute(&mina.world.app).await;
        verification = Some(sent.expect("sent").record.id);
        let other = mina.world.take_code().await;
        let refused = mina.answer(&asked.id, other.expose()).await;
        assert_eq!(refusal(refused), Refusal::SecondFactor, "{purpose:?}");
        mina.world.clock.advance(Duration::from_secs(60));
    }
    let check = CheckCode {
        which: Which::Id(verification.expect("one was sent")),
        code: Code::typed(&code).expect("a code"),
    };
    let checked = check.execute(&mina.world.app).await;
    assert!(
        matches!(checked, Err(Error::Refused(Refusal::Code { .. }))),
        "{checked:?}"
    );
    mina.answer(&asked.id, &code)
        .await
        .expect("it is still good");
}

#[tokio::test]
async fn the_sixth_wrong_answer_compares_nothing_whatever_factor_it_is_for() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    for of_phone in [true, false, true, false, true] {
        let asked = mina.asked().await;
        let typed = match of_phone {
            true => wrong(&mina.code(&asked.id, enrolled.factor.id).await),
            false => "0000-000-000".into(),
        };
        let refused = mina.answer(&asked.id, &typed).await;
        assert_eq!(refusal(refused), Refusal::SecondFactor);
    }
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let exhausted = mina.answer(&asked.id, &code).await;
    assert!(is_exhausted(&exhausted, Limit::Attempts), "{exhausted:?}");
    mina.world.clock.advance(Duration::from_secs(15 * 60));
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    mina.answer(&asked.id, &code).await.expect("signed in");
}

#[tokio::test]
async fn a_right_answer_elsewhere_gives_back_its_own_try_alone() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    for _ in 0..3 {
        let refused = mina.answer(&asked.id, &wrong(&code)).await;
        assert_eq!(refusal(refused), Refusal::SecondFactor);
    }
    let recovery = enrolled.recovery_codes[0].to_shown().to_string();
    let other = mina.asked().await;
    mina.answer(&other.id, &recovery).await.expect("signed in");
    for _ in 0..2 {
        let refused = mina.answer(&asked.id, &wrong(&code)).await;
        assert_eq!(refusal(refused), Refusal::SecondFactor);
    }
    let exhausted = mina.answer(&asked.id, &code).await;
    assert!(is_exhausted(&exhausted, Limit::Attempts), "{exhausted:?}");
}

#[tokio::test]
async fn a_code_dies_of_its_time_and_with_its_mfa_session() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let code_ttl = mina.world.app.settings.verification.code_ttl;
    mina.world.clock.advance(code_ttl);
    let late = mina.answer(&asked.id, &code).await;
    assert_eq!(refusal(late), Refusal::SecondFactor);
    // The MFA session lives for ten minutes, and its code no longer than it.
    mina.world.clock.advance(Duration::from_secs(2 * 60));
    let sent = mina.send(&asked.id, enrolled.factor.id).await;
    let expires_at = sent.expect("sent").expires_at;
    assert_eq!(expires_at, asked.expires_at);
    let code = mina.world.take_code().await;
    mina.world.clock.advance(Duration::from_secs(3 * 60));
    let late = mina.answer(&asked.id, code.expose()).await;
    assert_eq!(refusal(late), Refusal::MfaSession);
    let late = mina.send(&asked.id, enrolled.factor.id).await;
    assert_eq!(refusal(late), Refusal::MfaSession);
}

#[tokio::test]
async fn of_64_right_answers_at_once_one_signs_in() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let answers = (0..64).map(|_| answer(&asked.id, &code).execute(&mina.world.app));
    let outcomes = futures_util::future::join_all(answers).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_removed_factor_and_an_address_that_was_given_up_are_no_answer() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let enrolled = mina.enroll(&tokens, Channel::Phone).await;
    mina.enroll(&tokens, Channel::Email).await;
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let recovery = enrolled.recovery_codes[0].to_shown().to_string();
    let other = mina.asked().await;
    let shown = mina.answer(&other.id, &recovery).await.expect("signed in");
    let removed = mina.remove(&shown.access_token, enrolled.factor.id).await;
    removed.expect("removed");
    let refused = mina.answer(&asked.id, &code).await;
    assert_eq!(refusal(refused), Refusal::SecondFactor);
    let refused = mina.send(&asked.id, enrolled.factor.id).await;
    assert_eq!(refusal(refused), Refusal::Factor);
    assert_eq!(mina.asked().await.codes.len(), 1, "the mail is left");
}

#[tokio::test]
async fn somebody_elses_factor_group_or_caller_sends_nothing() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    mina.world.user("juno@example.com", PASSWORD).await;
    let juno = mina.world.sign_in("juno@example.com", PASSWORD).await;
    let juno = juno.expect("signed in").access_token;
    let his = mina.enroll(&juno, Channel::Email).await;
    let asked = mina.asked().await;
    let refused = mina.send(&asked.id, his.factor.id).await;
    assert_eq!(refusal(refused), Refusal::Factor);
    for wrong in [
        SendMfaCode {
            group: mina.world.group("staff").await,
            ..send(&asked.id, enrolled.factor.id)
        },
        SendMfaCode {
            client_id: "another".into(),
            ..send(&asked.id, enrolled.factor.id)
        },
    ] {
        let refused = wrong.execute(&mina.world.app).await;
        assert_eq!(refusal(refused), Refusal::MfaSession);
    }
    assert_eq!(mina.world.take_sent().await.len(), 0);
    // None of it was charged to her.
    mina.send(&asked.id, enrolled.factor.id)
        .await
        .expect("sent");
}

#[tokio::test]
async fn a_damaged_address_is_an_error_for_its_owner_and_never_a_no() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let phone = mina.enroll(&tokens, Channel::Phone).await;
    let email = mina.enroll(&tokens, Channel::Email).await;
    mina.world.store.damage_factor(phone.factor.id);
    let asked = mina.asked().await;
    let failed = mina.send(&asked.id, phone.factor.id).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    let code = mina.code(&asked.id, email.factor.id).await;
    let failed = mina.answer(&asked.id, &wrong(&code)).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.answer(&asked.id, &code).await.expect("signed in");
}

#[tokio::test]
async fn where_something_is_away_nobody_is_let_in_and_no_code_is_lost() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    mina.world.ephemeral.set_broken(true);
    for outcome in [
        mina.answer(&asked.id, &code).await.map(drop),
        mina.send(&asked.id, enrolled.factor.id).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::Ephemeral(_))), "{outcome:?}");
    }
    mina.world.ephemeral.set_broken(false);
    mina.answer(&asked.id, &code).await.expect("signed in");
}

#[tokio::test]
async fn an_enrolment_that_cannot_be_written_costs_no_code() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let begun = mina.begin(&tokens, Channel::Phone, None).await;
    let id = begun.expect("begun").enrollment.id;
    let code = mina.world.take_code().await;
    mina.world.store.fail_commits(true);
    let failed = mina.confirm(&tokens, id, code.expose()).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_commits(false);
    let enrolled = mina.confirm(&tokens, id, code.expose()).await;
    enrolled.expect("the code is kept again");
}

#[tokio::test]
async fn an_enrolment_bears_five_wrong_codes() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let begun = mina.begin(&tokens, Channel::Phone, None).await;
    let id = begun.expect("begun").enrollment.id;
    let code = mina.world.take_code().await;
    for _ in 0..5 {
        let refused = mina.confirm(&tokens, id, &wrong(code.expose())).await;
        assert_eq!(refusal(refused), Refusal::SecondFactor);
    }
    let exhausted = mina.confirm(&tokens, id, code.expose()).await;
    assert!(is_exhausted(&exhausted, Limit::Attempts));
}

#[tokio::test]
async fn a_stranger_is_answered_as_a_user_is() {
    let mina = Mina::new().await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let invented = FactorId::from_bytes([7; 16]);
    let mut answers = Vec::new();
    for named in [
        NamedUser::Id(mina.id),
        NamedUser::Identifier(address(EMAIL).into()),
        NamedUser::Identifier(address("nobody@example.com").into()),
        NamedUser::Id(UserId::from_bytes([9; 16])),
    ] {
        let created = create(named).execute(&mina.world.app).await;
        let id = created.expect("created").id;
        let mut heard = Vec::new();
        for _ in 0..2 {
            let sent = mina.send(&id, invented).await;
            heard.push(match sent {
                Ok(sent) => format!("{sent:?}"),
                Err(error) => error.to_string(),
            });
        }
        heard.push(refusal(mina.answer(&id, "123456").await).to_string());
        answers.push(heard);
    }
    assert_eq!(mina.world.take_sent().await.len(), 0);
    // The first two are one user, whose second send comes too soon.
    assert!(answers[0][0].starts_with("SentMfaCode"), "{answers:?}");
    assert_eq!(answers[0][1..], answers[2][1..], "{answers:?}");
    assert_eq!(answers[2], answers[3], "{answers:?}");
    assert_eq!(answers[0][0], answers[2][0], "{answers:?}");
}
