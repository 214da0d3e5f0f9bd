//! Codes that are sent for a step-up, and what policies leave to a password.

use countersign_domain::model::MfaPolicy;
use countersign_domain::model::{DeviceClaim, MfaFactor as Kind, Password, SessionId};
use countersign_domain::ports::Message;
use countersign_domain::use_cases::{
    ChangePassword, RemoveIdentifier, SendCode, SendStepUpCode, SentStepUpCode, StepUpAnswer,
    StepUpSession, SteppedUp,
};
use countersign_token::Acr;

use super::*;

impl Mina {
    async fn send_step_up(
        &self,
        access_token: &str,
        factor_id: Option<FactorId>,
    ) -> Result<SentStepUpCode, Error> {
        send_step_up(access_token, factor_id)
            .execute(&self.world.app)
            .await
    }

    /// Sends a code for a step-up, as one that may be sent now, and reads it.
    async fn step_up_code(&self, access_token: &str) -> String {
        self.world.clock.advance(Duration::from_secs(60));
        self.world.take_sent().await;
        let sent = self.send_step_up(access_token, None).await;
        sent.expect("sent");
        self.world.take_code().await.expose().to_owned()
    }

    async fn show(&self, access_token: &str, answer: StepUpAnswer) -> Result<SteppedUp, Error> {
        let step_up = StepUpSession {
            access_token: access_token.to_owned(),
            answer,
            client_id: "gateway".into(),
            device: DeviceClaim::Untold,
        };
        step_up.execute(&self.world.app).await
    }

    async fn show_code(&self, access_token: &str, code: &str) -> Result<SteppedUp, Error> {
        let code = Code::typed(code).expect("a code");
        self.show(access_token, StepUpAnswer::Code(code)).await
    }

    async fn show_password(&self, access_token: &str) -> Result<SteppedUp, Error> {
        let password = Password::to_compare(PASSWORD.into()).expect("a password");
        self.show(access_token, StepUpAnswer::Password(password))
            .await
    }

    /// Signs in by the password and a code to an address.
    async fn both(&self) -> Tokens {
        let asked = self.asked().await;
        let code = self.code(&asked.id, asked.codes[0].id).await;
        self.answer(&asked.id, &code).await.expect("signed in")
    }

    async fn methods_of(&self, id: SessionId) -> Vec<&'static str> {
        let session = self.world.store.session(id).await.expect("readable");
        let session = session.expect("a session");
        session.methods.iter().map(|m| m.as_str()).collect()
    }
}

fn send_step_up(access_token: &str, factor_id: Option<FactorId>) -> SendStepUpCode {
    SendStepUpCode {
        access_token: access_token.to_owned(),
        factor_id,
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

#[tokio::test]
async fn who_has_no_other_factor_is_authenticated_again_by_a_code_that_is_sent() {
    for (channel, amr) in [(Channel::Phone, "sms"), (Channel::Email, "otp")] {
        let mina = Mina::new().await;
        let enrolled = mina.enroll(&mina.tokens().await, channel).await;
        let tokens = mina.both().await;
        let token = &tokens.access_token;
        let refused = mina.show_password(token).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
        mina.world.take_sent().await;
        let sent = mina.send_step_up(token, Some(enrolled.factor.id)).await;
        assert_eq!(sent.expect("sent").factor.id, enrolled.factor.id);
        let sent = mina.world.take_sent().await;
        let [Content::Code { code, purpose, .. }] = &contents(&sent)[..] else {
            panic!("a code, not {sent:?}");
        };
        assert_eq!(*purpose, Purpose::StepUp, "it has a text of its own");
        mina.world.clock.advance(Duration::from_secs(1));
        let now = mina.world.app.clock.now();
        let wrong = mina.show_code(token, &wrong(code.expose())).await;
        assert_eq!(refusal(wrong), Refusal::SecondFactor);
        let shown = mina.show_code(token, code.expose()).await;
        let session = shown.expect("right").session;
        assert_eq!(session.id, tokens.session_id);
        assert_eq!((session.authenticated_at, session.acr()), (now, Acr::Aal2));
        assert_eq!(mina.methods(&tokens).await, ["pwd", amr, "mfa"]);
        let again = mina.show_code(token, code.expose()).await;
        assert_eq!(refusal(again), Refusal::SecondFactor, "it is good once");
    }
}

#[tokio::test]
async fn a_code_raises_a_session_of_the_password_and_no_other() {
    let mina = Mina::new().await;
    let own = mina.tokens().await;
    mina.enroll(&own, Channel::Phone).await;
    let code = mina.step_up_code(&own).await;
    let shown = mina.show_code(&own, &code).await.expect("right").session;
    assert_eq!(shown.acr(), Acr::Aal2);
    assert_eq!(mina.methods_of(shown.id).await, ["pwd", "sms", "mfa"]);
    // A session that a code to the same phone opened has one factor all the same.
    let create = create(NamedUser::Id(mina.id));
    let created = create.execute(&mina.world.app).await.expect("created");
    let factor = mina.asked().await.codes[0].id;
    let code = mina.code(&created.id, factor).await;
    let tokens = mina.answer(&created.id, &code).await.expect("signed in");
    let code = mina.step_up_code(&tokens.access_token).await;
    let shown = mina.show_code(&tokens.access_token, &code).await;
    assert_eq!(shown.expect("right").session.acr(), Acr::Aal1);
}

#[tokio::test]
async fn a_code_is_good_in_its_own_session_and_for_nothing_else() {
    let mina = Mina::new().await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let (own, other) = (mina.both().await, mina.both().await);
    let asked = mina.asked().await;
    let of_mfa = mina.code(&asked.id, asked.codes[0].id).await;
    let first = mina.step_up_code(&own.access_token).await;
    let crossed = mina.show_code(&other.access_token, &first).await;
    assert_eq!(refusal(crossed), Refusal::SecondFactor);
    let crossed = mina.answer(&asked.id, &first).await;
    assert_eq!(refusal(crossed), Refusal::SecondFactor);
    let crossed = mina.show_code(&own.access_token, &of_mfa).await;
    assert_eq!(refusal(crossed), Refusal::SecondFactor);
    let second = mina.step_up_code(&own.access_token).await;
    let replaced = mina.show_code(&own.access_token, &first).await;
    assert_eq!(refusal(replaced), Refusal::SecondFactor);
    let shown = mina.show_code(&own.access_token, &second).await;
    shown.expect("the latest one");
    let late = mina.step_up_code(&own.access_token).await;
    let ttl = mina.world.app.settings.verification.code_ttl;
    mina.world.clock.advance(ttl);
    assert!(mina.show_code(&own.access_token, &late).await.is_err());
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_the_credentials_have_changed() {
    let mina = Mina::new().await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let token = mina.both().await.access_token;
    let code = mina.step_up_code(&token).await;
    let password = |text: &str| Password::to_set(text.into()).expect("a password");
    let change = ChangePassword {
        access_token: token.clone(),
        current: password(PASSWORD),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    change.execute(&mina.world.app).await.expect("changed");
    let old = mina.show_code(&token, &code).await;
    assert_eq!(refusal(old), Refusal::SecondFactor);
    let code = mina.step_up_code(&token).await;
    mina.show_code(&token, &code).await.expect("the new one");
    let code = mina.step_up_code(&token).await;
    let remove = RemoveIdentifier {
        access_token: token.clone(),
        address: address(EMAIL),
        locale: Locale::English,
    };
    remove.execute(&mina.world.app).await.expect("removed");
    let old = mina.show_code(&token, &code).await;
    assert_eq!(refusal(old), Refusal::SecondFactor);
}

#[tokio::test]
async fn of_64_same_codes_at_once_one_is_right() {
    let mina = Mina::new().await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let tokens = mina.both().await;
    let code = mina.step_up_code(&tokens.access_token).await;
    let all = (0..64).map(|_| mina.show_code(&tokens.access_token, &code));
    let outcomes = futures_util::future::join_all(all).await;
    let right = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(right, 1);
}

/// Until it is tried to write the session: what becomes of that may stay unknown.
#[tokio::test]
async fn a_database_that_is_away_costs_no_code_that_was_sent() {
    let mina = Mina::new().await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let token = mina.both().await.access_token;
    let asked = mina.asked().await;
    let of_mfa = mina.code(&asked.id, asked.codes[0].id).await;
    let of_step_up = mina.step_up_code(&token).await;
    mina.world.store.fail_begins(true);
    for _ in 0..10 {
        let shown = mina.show_code(&token, &of_step_up).await;
        assert!(matches!(shown, Err(Error::Store(_))), "{shown:?}");
        let answered = mina.answer(&asked.id, &of_mfa).await;
        assert!(matches!(answered, Err(Error::Store(_))), "{answered:?}");
    }
    mina.world.store.fail_begins(false);
    mina.world.store.conflict(2);
    let shown = mina.show_code(&token, &of_step_up).await;
    shown.expect("it was not used");
    mina.world.store.conflict(2);
    let answered = mina.answer(&asked.id, &of_mfa).await;
    answered.expect("it was not used");
}

#[tokio::test]
async fn tries_are_those_of_the_accounts_second_factors() {
    let mina = Mina::new().await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let tokens = mina.both().await;
    let asked = mina.asked().await;
    let code = mina.step_up_code(&tokens.access_token).await;
    for of_step_up in [true, false, true, false, true] {
        let refused = match of_step_up {
            true => mina
                .show_code(&tokens.access_token, &wrong(&code))
                .await
                .map(drop),
            false => mina.answer(&asked.id, &wrong(&code)).await.map(drop),
        };
        assert_eq!(refusal(refused), Refusal::SecondFactor);
    }
    let shown = mina.show_code(&tokens.access_token, &code).await;
    assert!(is_exhausted(&shown, Limit::Attempts), "{shown:?}");
}

#[tokio::test]
async fn messages_have_a_cooldown_that_sign_ins_do_not_share() {
    let mina = Mina::with(|settings| {
        settings.verification.cooldown = Duration::from_secs(60);
    });
    let mina = mina.await;
    mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let tokens = mina.both().await;
    let asked = mina.asked().await;
    mina.world.clock.advance(Duration::from_secs(60));
    mina.world.take_sent().await;
    let sends = (0..64).map(|_| mina.send_step_up(&tokens.access_token, None));
    let outcomes = futures_util::future::join_all(sends).await;
    assert_eq!(outcomes.iter().filter(|sent| sent.is_ok()).count(), 1);
    assert!(is_exhausted(
        &mina.send_step_up(&tokens.access_token, None).await,
        Limit::Messages
    ));
    assert_eq!(mina.world.take_sent().await.len(), 1);
    let sent = mina.send(&asked.id, asked.codes[0].id).await;
    sent.expect("a sign-in has its own");
}

#[tokio::test]
async fn nobody_elses_session_factor_or_address_is_sent_a_code() {
    let mina = Mina::new().await;
    mina.world.user("juno@example.com", PASSWORD).await;
    let juno = mina.world.sign_in("juno@example.com", PASSWORD).await;
    let juno = juno.expect("signed in").access_token;
    let his = mina.enroll(&juno, Channel::Email).await;
    let first = mina.tokens().await;
    let none = mina.send_step_up(&first, None).await;
    assert_eq!(refusal(none), Refusal::Factor, "nothing is enrolled");
    mina.enroll(&first, Channel::Phone).await;
    let refused = mina.send_step_up(&first, Some(his.factor.id)).await;
    assert_eq!(refusal(refused), Refusal::Factor);
    let elsewhere = SendStepUpCode {
        client_id: "another".into(),
        ..send_step_up(&first, None)
    };
    let refused = refusal(elsewhere.execute(&mina.world.app).await);
    assert_eq!(refused, Refusal::SessionOfAnotherCaller);
    let nobody = mina.send_step_up("nothing", None).await;
    assert!(matches!(
        nobody,
        Err(Error::Refused(Refusal::AccessToken(_)))
    ));
    assert_eq!(mina.world.take_sent().await.len(), 0);
    // An address that is given up gets nothing, and what it got is no answer.
    let tokens = mina.both().await.access_token;
    let code = mina.step_up_code(&tokens).await;
    let remove = RemoveIdentifier {
        access_token: tokens.clone(),
        address: phone(PHONE),
        locale: Locale::English,
    };
    remove.execute(&mina.world.app).await.expect("removed");
    assert_eq!(
        refusal(mina.show_code(&tokens, &code).await),
        Refusal::SecondFactor
    );
    let refused = mina.send_step_up(&tokens, None).await;
    assert_eq!(refusal(refused), Refusal::Factor);
}

#[tokio::test]
async fn under_a_policy_a_password_alone_changes_neither_factors_nor_addresses() {
    for policy in [MfaPolicy::Required, MfaPolicy::RequiredForUnknownDevices] {
        let mut mina = Mina::new().await;
        let token = mina.tokens().await;
        mina.world
            .reconfigure(|settings| settings.mfa_policy = policy);
        for is_shown_again in [false, true] {
            if is_shown_again {
                let shown = mina.show_password(&token).await;
                assert_eq!(shown.expect("right").session.acr(), Acr::Aal1);
            }
            let begun = mina.begin(&token, Channel::Phone, None).await;
            assert_eq!(refusal(begun), Refusal::SecondFactorRequired);
            let sent = change_code(&token).execute(&mina.world.app).await;
            assert_eq!(refusal(sent), Refusal::SecondFactorRequired);
            let removed = remove_phone(&token).execute(&mina.world.app).await;
            assert_eq!(refusal(removed), Refusal::SecondFactorRequired);
        }
        // A code to a verified address is what the password lacks.
        let sent = mina.send_step_up(&token, None).await.expect("sent");
        assert_eq!(Kind::of_address(&sent.factor.address), Kind::Email);
        let code = mina.world.take_code().await;
        let shown = mina.show_code(&token, code.expose()).await;
        assert_eq!(shown.expect("right").session.acr(), Acr::Aal2);
        mina.world.take_sent().await;
        mina.begin(&token, Channel::Phone, None)
            .await
            .expect("begun");
        change_code(&token)
            .execute(&mina.world.app)
            .await
            .expect("sent");
        // The password in place of both factors makes nothing less of them.
        let refused = mina.show_password(&token).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
        let removed = remove_phone(&token).execute(&mina.world.app).await;
        removed.expect("removed");
    }
}

#[tokio::test]
async fn addresses_stand_in_for_nobody_where_nothing_is_required() {
    let mina = Mina::new().await;
    let token = mina.tokens().await;
    let refused = mina.send_step_up(&token, None).await;
    assert_eq!(refusal(refused), Refusal::Factor);
    // Nor where something else was enrolled.
    let mina = Mina::with(|settings| settings.mfa_policy = MfaPolicy::Required).await;
    let token = mina.both().await.access_token;
    mina.enroll_app(&token).await;
    let refused = mina.send_step_up(&token, None).await;
    assert_eq!(refusal(refused), Refusal::Factor);
}

fn contents(sent: &[Message]) -> Vec<Content> {
    sent.iter().map(|message| message.content.clone()).collect()
}

fn change_code(access_token: &str) -> SendCode {
    SendCode {
        access_token: Some(access_token.to_owned()),
        ..countersign_domain::testing::send_code("new@example.com", Purpose::ChangeIdentifier)
    }
}

fn remove_phone(access_token: &str) -> RemoveIdentifier {
    RemoveIdentifier {
        access_token: access_token.to_owned(),
        address: phone(PHONE),
        locale: Locale::English,
    }
}
