//! Signing in with a second factor, by the policy and by MFA sessions.

use std::time::Duration;

use countersign_domain::application::Tokens;
use countersign_domain::model::{
    ClientContext, Code, FactorKind, FactorLabel, GroupId, Locale, MfaFactor, MfaPolicy,
    MfaSessionId, NamedUser, Purpose, TotpSecret, UserId,
};
use countersign_domain::ports::{Clock as _, Sessions as _, Store as _};
use countersign_domain::testing::{World, address, password, refusal, sign_in};
use countersign_domain::use_cases::{
    BeginEnrollment, ConfirmEnrollment, CreateMfaSession, EnrollmentAnswer, Grant, IssueTokens,
    Issued, MfaAnswer, MfaCode, MfaRequired, ResetPassword, ValidateMfaSession,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

/// Somebody with an authenticator app, whose present code is good.
struct Mina {
    world: World,
    secret: TotpSecret,
    recovery: String,
}

impl Mina {
    async fn new() -> Self {
        let world = World::new().await;
        world.user(EMAIL, PASSWORD).await;
        let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        let begin = BeginEnrollment {
            access_token: tokens.access_token.clone(),
            kind: FactorKind::Totp,
            label: FactorLabel::parse("").expect("a name"),
        };
        let begun = begin.execute(&world.app).await.expect("begun").enrollment;
        let secret = begun.totp().expect("an app").clone();
        let code = secret.code_at(world.app.clock.now());
        let confirm = ConfirmEnrollment {
            access_token: tokens.access_token,
            enrollment_id: begun.id,
            answer: EnrollmentAnswer::Code(Code::typed(&code).expect("a code")),
            locale: Locale::English,
        };
        let enrolled = confirm.execute(&world.app).await.expect("enrolled");
        world.clock.advance(Duration::from_secs(30));
        Self {
            world,
            secret,
            recovery: enrolled.recovery_codes[0].to_shown().to_string(),
        }
    }

    fn code(&self) -> String {
        self.secret.code_at(self.world.app.clock.now())
    }

    async fn sign_in(&self) -> MfaRequired {
        required(sign_in(EMAIL, PASSWORD).execute(&self.world.app).await)
    }

    async fn answer(&self, id: &MfaSessionId, code: &str) -> Result<Tokens, Error> {
        let answer = ValidateMfaSession {
            group: GroupId::fallback(),
            id: id.clone(),
            answer: MfaAnswer::Code(Code::typed(code).expect("a code")),
            client_id: "gateway".into(),
            remember_device: false,
            locale: Locale::English,
        };
        answer.execute(&self.world.app).await
    }

    async fn methods(&self, tokens: &Tokens) -> Vec<&'static str> {
        let session = self.world.store.session(tokens.session_id).await;
        let session = session.expect("readable").expect("a session");
        session.methods.iter().map(|m| m.as_str()).collect()
    }
}

fn required(issued: Result<Issued, Error>) -> MfaRequired {
    match issued {
        Ok(Issued::MfaRequired(required)) => required,
        other => panic!("expected a question for a second factor, got {other:?}"),
    }
}

fn create(user: NamedUser) -> CreateMfaSession {
    CreateMfaSession {
        group: GroupId::fallback(),
        user,
        code: MfaCode::Enrolled,
        ttl: None,
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

#[tokio::test]
async fn who_has_enrolled_is_asked_and_answers_once() {
    let mina = Mina::new().await;
    let asked = mina.sign_in().await;
    assert_eq!(asked.factors, [MfaFactor::Totp, MfaFactor::RecoveryCode]);
    assert_eq!(
        refusal(mina.answer(&asked.id, "0000-000-000").await),
        Refusal::SecondFactor
    );
    let tokens = mina
        .answer(&asked.id, &mina.code())
        .await
        .expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["pwd", "otp", "mfa"]);
    let again = mina.answer(&asked.id, &mina.recovery).await;
    assert_eq!(refusal(again), Refusal::MfaSession, "it is good once");

    mina.world.clock.advance(Duration::from_secs(60));
    let proof = mina.world.prove(EMAIL, Purpose::SignIn).await;
    let with_code = IssueTokens {
        grant: Grant::VerifiedCode(proof.expect("proved")),
        ..sign_in(EMAIL, PASSWORD)
    };
    let asked = required(with_code.execute(&mina.world.app).await);
    let tokens = mina
        .answer(&asked.id, &mina.code())
        .await
        .expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["otp", "mfa"]);
}

#[tokio::test]
async fn a_wrong_password_does_not_tell_of_factors() {
    let mina = Mina::new().await;
    let wrong = sign_in(EMAIL, "another long phrase");
    assert_eq!(
        refusal(wrong.execute(&mina.world.app).await),
        Refusal::SignIn
    );
}

#[tokio::test]
async fn nobody_is_asked_where_the_policy_is_off() {
    let mut mina = Mina::new().await;
    mina.world
        .reconfigure(|settings| settings.mfa_policy = MfaPolicy::Off);
    let tokens = mina
        .world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["pwd"]);
    mina.world
        .reconfigure(|settings| settings.mfa_policy = MfaPolicy::Optional);
    mina.sign_in().await;
}

#[tokio::test]
async fn new_mfa_sessions_bring_no_new_tries() {
    let mina = Mina::new().await;
    for _ in 0..5 {
        let asked = mina.sign_in().await;
        assert_eq!(
            refusal(mina.answer(&asked.id, "0000-000-000").await),
            Refusal::SecondFactor
        );
    }
    let asked = mina.sign_in().await;
    let exhausted = mina.answer(&asked.id, &mina.code()).await;
    assert!(
        matches!(
            exhausted,
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            })
        ),
        "{exhausted:?}"
    );
}

#[tokio::test]
async fn a_question_from_before_a_reset_is_worthless() {
    let mina = Mina::new().await;
    let asked = mina.sign_in().await;
    let proof = mina.world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&mina.world.app).await.expect("reset");
    let answer = mina.answer(&asked.id, &mina.code()).await;
    assert_eq!(refusal(answer), Refusal::MfaSession);
}

#[tokio::test]
async fn where_the_database_is_away_nobody_is_let_in_without_the_factor() {
    let mina = Mina::new().await;
    mina.world.store.fail_commits(true);
    let failed = sign_in(EMAIL, PASSWORD).execute(&mina.world.app).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_commits(false);
    mina.world.ephemeral.set_broken(true);
    let failed = sign_in(EMAIL, PASSWORD).execute(&mina.world.app).await;
    assert!(matches!(failed, Err(Error::Ephemeral(_))), "{failed:?}");
    mina.world.ephemeral.set_broken(false);
    mina.sign_in().await;
}

/// What was shown is used with the session that it opens, or not at all; the MFA
/// session is, once it was tried to open one.
#[tokio::test]
async fn a_database_that_goes_away_costs_no_code_and_lets_none_in_twice() {
    let mina = Mina::new().await;
    for shown in [mina.code(), mina.recovery.clone()] {
        let asked = mina.sign_in().await;
        mina.world.store.fail_begins(true);
        for _ in 0..10 {
            let failed = mina.answer(&asked.id, &shown).await;
            assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
        }
        mina.world.store.fail_begins(false);
        mina.world.store.conflict(2);
        mina.world.store.fail_commits(true);
        let failed = mina.answer(&asked.id, &shown).await;
        assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
        mina.world.store.fail_commits(false);
        // Nobody knows whether a session was opened: this one opens no second.
        let again = mina.answer(&asked.id, &shown).await;
        assert_eq!(refusal(again), Refusal::MfaSession);
        let asked = mina.sign_in().await;
        let tokens = mina.answer(&asked.id, &shown).await;
        tokens.expect("none was opened");
        let asked = mina.sign_in().await;
        let again = mina.answer(&asked.id, &shown).await;
        assert_eq!(refusal(again), Refusal::SecondFactor);
    }
}

/// Both are compared with nothing but the user's lock between them.
#[tokio::test]
async fn the_slower_of_two_right_answers_at_once_costs_no_try() {
    let mina = Mina::new().await;
    for _ in 0..8 {
        mina.world.clock.advance(Duration::from_secs(30));
        let (asked, code) = (mina.sign_in().await, mina.code());
        let held = mina.world.store.begin().await.expect("begun");
        let let_go = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (first, second) = (mina.answer(&asked.id, &code), mina.answer(&asked.id, &code));
        let (first, second, ()) = tokio::join!(first, second, let_go);
        first.expect("right");
        assert_eq!(refusal(second), Refusal::MfaSession);
    }
}

/// What was asked under one policy is answered under the other, and never skipped.
#[tokio::test]
async fn a_policy_that_is_changed_meanwhile_spares_nobody_an_answer() {
    let mut mina = Mina::new().await;
    let asked = mina.sign_in().await;
    let off = |settings: &mut countersign_domain::Settings| settings.mfa_policy = MfaPolicy::Off;
    let on = |settings: &mut countersign_domain::Settings| {
        settings.mfa_policy = MfaPolicy::Optional;
    };
    mina.world.reconfigure(off);
    let wrong = mina.answer(&asked.id, "0000-000-000").await;
    assert_eq!(refusal(wrong), Refusal::SecondFactor);
    let tokens = mina.answer(&asked.id, &mina.code()).await;
    let tokens = tokens.expect("the right one is good still");
    assert_eq!(mina.methods(&tokens).await, ["pwd", "otp", "mfa"]);

    // A sign-in that nobody was asked at changes no factors once they are asked for.
    let unasked = sign_in(EMAIL, PASSWORD).execute(&mina.world.app).await;
    let unasked = unasked.expect("signed in").into_tokens();
    let begin = |access_token: &str| BeginEnrollment {
        access_token: access_token.into(),
        kind: FactorKind::Totp,
        label: FactorLabel::parse("").expect("a name"),
    };
    let enrolment = begin(&unasked.access_token).execute(&mina.world.app).await;
    let enrolment = enrolment.expect("nobody is asked").enrollment;
    mina.world.reconfigure(on);
    let again = begin(&unasked.access_token).execute(&mina.world.app).await;
    assert_eq!(refusal(again), Refusal::SecondFactorRequired);
    let code = enrolment.totp().expect("an app");
    let code = code.code_at(mina.world.app.clock.now());
    let confirm = ConfirmEnrollment {
        access_token: unasked.access_token,
        enrollment_id: enrolment.id,
        answer: EnrollmentAnswer::Code(Code::typed(&code).expect("a code")),
        locale: Locale::English,
    };
    let confirmed = confirm.execute(&mina.world.app).await;
    assert_eq!(refusal(confirmed), Refusal::SecondFactorRequired);
    mina.world.clock.advance(Duration::from_secs(30));
    let asked = mina.sign_in().await;
    let tokens = mina.answer(&asked.id, &mina.code()).await;
    tokens.expect("and those who are asked answer");
}

/// A clock that jumps back within a step, or by many, brings no step back.
#[tokio::test]
async fn a_clock_that_jumps_back_makes_no_used_step_good() {
    let mina = Mina::new().await;
    let asked = mina.sign_in().await;
    let used = mina.code();
    mina.answer(&asked.id, &used).await.expect("signed in");
    for back in [1, 14, 29, 300] {
        let then = mina.world.clock.now().minus(Duration::from_secs(back));
        mina.world.clock.jump_to(then);
        mina.world.read().await;
        let asked = mina.sign_in().await;
        for code in [used.clone(), mina.code()] {
            let again = mina.answer(&asked.id, &code).await;
            assert_eq!(refusal(again), Refusal::SecondFactor, "{back} s back");
        }
        mina.world.clock.advance(Duration::from_secs(15 * 60));
        let then = mina.world.clock.now().minus(Duration::from_secs(15 * 60));
        mina.world.clock.jump_to(then);
        mina.world.read().await;
    }
}

#[tokio::test]
async fn a_gateway_asks_for_the_factors_of_a_user_whom_it_names() {
    let mina = Mina::new().await;
    let named = NamedUser::Identifier(address(EMAIL).into());
    let created = create(named)
        .execute(&mina.world.app)
        .await
        .expect("created");
    assert_eq!(
        mina.world.take_sent().await.len(),
        1,
        "the notice of the factor alone"
    );
    let tokens = mina
        .answer(&created.id, &mina.recovery)
        .await
        .expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["otp"]);
}

#[tokio::test]
async fn a_stranger_and_a_user_without_factors_are_answered_alike() {
    let mina = Mina::new().await;
    mina.world.user("juno@example.com", PASSWORD).await;
    let stranger = NamedUser::Id(UserId::from_bytes([7; 16]));
    for named in [
        NamedUser::Identifier(address(EMAIL).into()),
        NamedUser::Identifier(address("juno@example.com").into()),
        NamedUser::Identifier(address("nobody@example.com").into()),
        stranger,
    ] {
        for tried in 0..7 {
            let created = create(named.clone()).execute(&mina.world.app).await;
            let id = created.expect("created").id;
            let answer = mina.answer(&id, "0000-000-000").await;
            match (tried, answer) {
                (0..5, answer) => assert_eq!(refusal(answer), Refusal::SecondFactor),
                (
                    _,
                    Err(Error::Exhausted {
                        limit: Limit::Attempts,
                        ..
                    }),
                ) => {}
                (_, answer) => panic!("{named:?} was answered {answer:?}"),
            }
        }
    }
}
