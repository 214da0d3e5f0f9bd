//! A passkey that is shown again, in a session that goes on.

use std::sync::Arc;

use countersign_domain::model::Session;
use countersign_domain::use_cases::{
    Actor, BeginStepUpAssertion, RevokeUserSessions, StepUpAnswer, StepUpSession,
};

use super::*;

const OTHER: &str = "juno@example.com";

impl Site {
    async fn step_up_options(&self, access_token: &str, client_id: &str) -> Result<String, Error> {
        let begin = BeginStepUpAssertion {
            access_token: access_token.into(),
            client_id: client_id.into(),
        };
        Ok(begin.execute(&self.world.app).await?.options)
    }

    async fn step_up(&self, access_token: &str, credential: &str) -> Result<Session, Error> {
        let assertion = Assertion::parse(credential);
        let assertion = assertion.map_err(|rule| Error::invalid("credential", rule))?;
        let step_up = StepUpSession {
            access_token: access_token.into(),
            answer: StepUpAnswer::Passkey(Box::new(assertion)),
            client_id: "gateway".into(),
            device: DeviceClaim::Untold,
        };
        Ok(step_up.execute(&self.world.app).await?.session)
    }

    /// A session that was begun with the password alone, before there was a passkey.
    async fn signed_in_before(&self, email: &str) -> (Tokens, SoftwareAuthenticator) {
        let tokens = self.password(email).await.into_tokens();
        self.world.clock.advance(Duration::from_secs(60));
        (tokens, self.enroll(email, Algorithm::Es256).await)
    }
}

#[tokio::test]
async fn a_passkey_makes_two_factors_of_a_password() {
    use AuthenticationMethod::{MultiFactor, Password, ProofOfPossession, UserPresence};
    let site = Site::new().await;
    let (tokens, key) = site.signed_in_before(EMAIL).await;
    for flags in [
        software_authenticator::USER_PRESENT,
        software_authenticator::USER_PRESENT | software_authenticator::USER_VERIFIED,
    ] {
        let options = site.step_up_options(&tokens.access_token, "gateway").await;
        let options = options.expect("options");
        assert!(options.contains(&software_authenticator::encoded(&key.id)));
        let mut ceremony = Ceremony::of(&options, ORIGIN);
        ceremony.flags = flags;
        let answer = key.assert(&ceremony).to_string();
        let session = site.step_up(&tokens.access_token, &answer).await;
        let session = session.expect("right");
        assert_eq!(session.id, tokens.session_id);
        let all = [Password, ProofOfPossession, UserPresence, MultiFactor];
        assert_eq!(session.methods, all);
        let again = site.step_up(&tokens.access_token, &answer).await;
        assert_eq!(refusal(again), Refusal::SecondFactor, "it is good once");
    }
}

/// A challenge of a first factor names nobody: what answers it is shown afterwards.
#[tokio::test]
async fn what_was_begun_for_a_person_ends_with_all_her_sessions() {
    let site = Site::new().await;
    let (tokens, key) = site.signed_in_before(EMAIL).await;
    let asked = site.asked(EMAIL).await;
    let of_mfa = site.mfa_options(&asked.id).await.expect("options");
    let of_step_up = site.step_up_options(&tokens.access_token, "gateway").await;
    let of_step_up = of_step_up.expect("options");
    let of_sign_in = site.sign_in_options().expect("options");
    let revoke = RevokeUserSessions {
        actor: Actor::Person(tokens.access_token.clone()),
        keep_current: false,
    };
    revoke.execute(&site.world.app).await.expect("ended");
    let late = site.answer(&asked.id, &key.get(&of_mfa, ORIGIN)).await;
    assert_eq!(refusal(late), Refusal::MfaSession);
    let answer = key.get(&of_step_up, ORIGIN);
    let late = site.step_up(&tokens.access_token, &answer).await;
    assert_eq!(refusal(late), Refusal::AccessToken(None));
    let signed_in = site.sign_in(&key.get(&of_sign_in, ORIGIN)).await;
    signed_in.expect("she is asked for her passkey now");
}

#[tokio::test]
async fn an_answer_is_for_its_session_and_person() {
    let site = Site::new().await;
    site.world.user(OTHER, PASSWORD).await;
    let (mina, key) = site.signed_in_before(EMAIL).await;
    let (juno, key_of_juno) = site.signed_in_before(OTHER).await;
    let options = async |tokens: &Tokens| {
        let options = site.step_up_options(&tokens.access_token, "gateway").await;
        options.expect("options")
    };
    // The passkey of somebody else, and a challenge of somebody else's session.
    let of_mina = options(&mina).await;
    let wrong = key_of_juno.get(&of_mina, ORIGIN);
    let wrong = site.step_up(&mina.access_token, &wrong).await;
    assert_eq!(refusal(wrong), Refusal::SecondFactor);
    let (of_mina, of_juno) = (options(&mina).await, options(&juno).await);
    let wrong = key.get(&of_juno, ORIGIN);
    let wrong = site.step_up(&mina.access_token, &wrong).await;
    assert_eq!(refusal(wrong), Refusal::SecondFactor);
    let late = key.get(&of_mina, ORIGIN);
    let late = site.step_up(&mina.access_token, &late).await;
    assert_eq!(refusal(late), Refusal::SecondFactor, "it is spent");
    // One that was made to sign in, or to answer an MFA session.
    for other in [
        site.sign_in_options().expect("options"),
        site.mfa_options(&site.asked(EMAIL).await.id)
            .await
            .expect("options"),
    ] {
        options(&mina).await;
        let wrong = key.get(&other, ORIGIN);
        let wrong = site.step_up(&mina.access_token, &wrong).await;
        assert_eq!(refusal(wrong), Refusal::SecondFactor);
    }
    // And the other way round.
    let of_mina = options(&mina).await;
    let wrong = site.sign_in(&key.get(&of_mina, ORIGIN)).await;
    assert_eq!(refusal(wrong), Refusal::SignIn);
    let right = key.get(&of_mina, ORIGIN);
    let right = site.step_up(&mina.access_token, &right).await;
    right.expect("right");
}

#[tokio::test]
async fn of_64_who_show_one_answer_at_once_one_is_right() {
    let site = Arc::new(Site::new().await);
    let (tokens, key) = site.signed_in_before(EMAIL).await;
    let options = site.step_up_options(&tokens.access_token, "gateway").await;
    let answer = key.get(&options.expect("options"), ORIGIN);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (site, token, answer) = (
            Arc::clone(&site),
            tokens.access_token.clone(),
            answer.clone(),
        );
        tasks.spawn(async move { site.step_up(&token, &answer).await.is_ok() });
    }
    let right = tasks.join_all().await;
    assert_eq!(right.into_iter().filter(|is_right| *is_right).count(), 1);
}

#[tokio::test]
async fn options_are_for_the_caller_of_the_session_and_expire() {
    let site = Site::new().await;
    let (tokens, key) = site.signed_in_before(EMAIL).await;
    let foreign = site.step_up_options(&tokens.access_token, "another").await;
    assert_eq!(refusal(foreign), Refusal::SessionOfAnotherCaller);
    let options = site.step_up_options(&tokens.access_token, "gateway").await;
    let options = options.expect("options");
    site.world.clock.advance(Duration::from_secs(5 * 60));
    let refreshed = site.world.refresh(&tokens.refresh_token).await;
    let token = refreshed.expect("refreshed").access_token;
    let late = site.step_up(&token, &key.get(&options, ORIGIN)).await;
    assert_eq!(refusal(late), Refusal::SecondFactor);
}

/// A person without a passkey is asked for one that is made up.
#[tokio::test]
async fn options_do_not_tell_who_has_a_passkey() {
    let site = Site::new().await;
    let tokens = site.password(EMAIL).await.into_tokens();
    let asked = site.step_up_options(&tokens.access_token, "gateway").await;
    let asked = asked.expect("options");
    assert!(asked.contains(r#""allowCredentials":[{"#), "{asked}");
    let off = World::new().await;
    off.user(EMAIL, PASSWORD).await;
    let tokens = off.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let begin = BeginStepUpAssertion {
        access_token: tokens.access_token,
        client_id: "gateway".into(),
    };
    let begun = begin.execute(&off.app).await;
    assert_eq!(
        refusal(begun.map(|begun| begun.options)),
        Refusal::PasskeysOff
    );
}
