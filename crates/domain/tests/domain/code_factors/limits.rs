//! Whose messages are charged, and who is kept from whose.

use countersign_domain::model::DeviceClaim;

use super::*;

#[tokio::test]
async fn codes_are_limited_by_address_whatever_the_mfa_session() {
    let mina = Mina::with(|settings| settings.verification.sends_per_address = 3).await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let factor = enrolled.factor.id;
    for _ in 0..3 {
        let asked = mina.asked().await;
        mina.send(&asked.id, factor).await.expect("sent");
        let other = mina.asked().await;
        let soon = mina.send(&other.id, factor).await;
        assert!(is_exhausted(&soon, Limit::Messages), "{soon:?}");
        mina.world.clock.advance(Duration::from_secs(60));
    }
    let asked = mina.asked().await;
    let exhausted = mina.send(&asked.id, factor).await;
    assert!(is_exhausted(&exhausted, Limit::Messages), "{exhausted:?}");
    assert_eq!(mina.world.take_sent().await.len(), 3);
    // What was refused took nothing from other messages to the address.
    mina.sign_in_by(phone(PHONE))
        .await
        .expect("a code was sent");
}

#[tokio::test]
async fn who_sends_codes_to_an_address_learns_nothing_and_keeps_nobody_out() {
    let mina = Mina::with(|settings| settings.verification.sends_per_address = 2).await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    // A stranger, who knows the number, uses up what it may get.
    let stranger = || countersign_domain::use_cases::SendCode {
        address: phone(PHONE),
        ..countersign_domain::testing::send_code(EMAIL, Purpose::SignIn)
    };
    for _ in 0..2 {
        stranger().execute(&mina.world.app).await.expect("sent");
        mina.world.clock.advance(Duration::from_secs(60));
    }
    let refused = stranger().execute(&mina.world.app).await;
    assert!(is_exhausted(&refused, Limit::Messages), "{refused:?}");
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    mina.answer(&asked.id, &code).await.expect("signed in");
}

#[tokio::test]
async fn who_knows_the_password_does_not_spend_the_messages_of_a_known_device() {
    let mina = Mina::with(|settings| settings.verification.sends_per_address = 2).await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let on = |device| IssueTokens {
        device,
        ..sign_in(EMAIL, PASSWORD)
    };
    let asked = required(on(DeviceClaim::Unknown).execute(&mina.world.app).await);
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let tokens = mina.answer(&asked.id, &code).await.expect("signed in");
    let token = tokens.device.and_then(|device| device.token);
    let device = DeviceClaim::Token(token.expect("a new device").digest());
    loop {
        let asked = mina.asked().await;
        mina.world.clock.advance(Duration::from_secs(60));
        if is_exhausted(
            &mina.send(&asked.id, enrolled.factor.id).await,
            Limit::Messages,
        ) {
            break;
        }
    }
    let asked = required(on(device).execute(&mina.world.app).await);
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    mina.answer(&asked.id, &code).await.expect("signed in");
}

#[tokio::test]
async fn who_has_shown_no_first_factor_spends_nothing_of_those_who_have() {
    let mina = Mina::with(|settings| settings.verification.sends_per_address = 2).await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let factor = enrolled.factor.id;
    loop {
        let created = create(NamedUser::Id(mina.id))
            .execute(&mina.world.app)
            .await;
        let sent = mina.send(&created.expect("created").id, factor).await;
        if is_exhausted(&sent, Limit::Messages) {
            break;
        }
        mina.world.clock.advance(Duration::from_secs(60));
    }
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, factor).await;
    mina.answer(&asked.id, &code).await.expect("signed in");
}

#[tokio::test]
async fn codes_abroad_that_nobody_types_in_run_dry_and_right_ones_are_given_back() {
    const ABROAD: &str = "+12025550123";
    let mina = Mina::with(|settings| {
        settings.verification.unverified.per_country = 6;
        settings.verification.unverified.abroad = 6;
    })
    .await;
    mina.give(mina.id, phone(ABROAD)).await;
    let tokens = mina.tokens().await;
    let begun = mina
        .begin(&tokens, Channel::Phone, Some(phone(ABROAD)))
        .await;
    let id = begun.expect("begun").enrollment.id;
    let code = mina.world.take_code().await;
    let enrolled = mina.confirm(&tokens, id, code.expose()).await;
    let enrolled = enrolled.expect("enrolled").factor.id;
    // One an hour for a country that has six a day: each right code gives it back.
    for _ in 0..5 {
        let asked = mina.asked().await;
        let code = mina.code(&asked.id, enrolled).await;
        mina.answer(&asked.id, &code).await.expect("signed in");
    }
    let asked = mina.asked().await;
    mina.code(&asked.id, enrolled).await;
    mina.world.clock.advance(Duration::from_secs(60));
    let refused = mina.send(&asked.id, enrolled).await;
    assert!(is_exhausted(&refused, Limit::Messages), "{refused:?}");
}

#[tokio::test]
async fn where_messages_do_not_go_nothing_is_offered_or_enrolled() {
    let mut mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let enrolled = mina.enroll(&tokens, Channel::Phone).await;
    // Numbers of the country are sent nothing from now on.
    mina.world.reconfigure(|settings| {
        let japan = countersign_domain::model::Region::parse("JP");
        settings.verification.countries = vec![japan.expect("a country")];
    });
    let asked = mina.asked().await;
    assert_eq!(asked.factors, [MfaFactor::RecoveryCode]);
    let refused = mina.send(&asked.id, enrolled.factor.id).await;
    assert_eq!(refusal(refused), Refusal::Factor);
    let other = phone("+821087654321");
    mina.give(mina.id, other.clone()).await;
    let begun = mina.begin(&tokens, Channel::Phone, Some(other)).await;
    assert_eq!(refusal(begun), Refusal::SenderMissing);
}
