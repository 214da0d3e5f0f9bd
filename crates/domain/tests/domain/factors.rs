//! Second factors: enrolling and removing them, and answers that are good once.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::application::Tokens;
use countersign_domain::model::{
    ClientContext, Code, DeviceClaim, FactorId, FactorKind, FactorLabel, GroupId, Locale,
    MfaPolicy, MfaSessionId, NamedUser, Purpose, Timestamp, TotpSecret, UserId,
};
use countersign_domain::ports::{Clock as _, Content, Factors as _, Message};
use countersign_domain::testing::{World, password, refusal, sign_in};
use countersign_domain::use_cases::{
    BeginEnrollment, BegunEnrollment, ConfirmEnrollment, CreateMfaSession, EnrolledFactor,
    EnrollmentAnswer, Issued, ListFactors, ListedFactors, MfaAnswer, MfaCode,
    RegenerateRecoveryCodes, RemoveFactor, ResetPassword, StepUpAnswer, StepUpSession,
    ValidateMfaSession,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const STEP: Duration = Duration::from_secs(30);

/// Somebody who has just signed in.
struct Mina {
    world: World,
    id: UserId,
    tokens: Tokens,
}

impl Mina {
    async fn new() -> Self {
        let world = World::new().await;
        let id = world.user(EMAIL, PASSWORD).await;
        world.take_sent().await;
        let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        Self { world, id, tokens }
    }

    fn access_token(&self) -> String {
        self.tokens.access_token.clone()
    }

    async fn begin(&self) -> Result<BegunEnrollment, Error> {
        BeginEnrollment {
            access_token: self.access_token(),
            kind: FactorKind::Totp,
            label: FactorLabel::parse("phone").expect("a name"),
        }
        .execute(&self.world.app)
        .await
    }

    async fn confirm(&self, id: FactorId, code: &str) -> Result<EnrolledFactor, Error> {
        ConfirmEnrollment {
            access_token: self.access_token(),
            enrollment_id: id,
            answer: EnrollmentAnswer::Code(Code::typed(code).expect("a code")),
            locale: Locale::English,
        }
        .execute(&self.world.app)
        .await
    }

    /// A factor with its secret, whose codes are good from now on.
    async fn enroll(&self) -> (EnrolledFactor, TotpSecret) {
        let begun = self.begin().await.expect("begun").enrollment;
        let code = self.code(begun.totp().expect("an app"));
        let enrolled = self.confirm(begun.id, &code).await.expect("enrolled");
        self.world.clock.advance(STEP);
        (enrolled, begun.totp().expect("an app").clone())
    }

    fn code(&self, secret: &TotpSecret) -> String {
        secret.code_at(self.world.app.clock.now())
    }

    /// A sign-in up to the question for a second factor.
    async fn asked(&self) -> Result<MfaSessionId, Error> {
        match sign_in(EMAIL, PASSWORD).execute(&self.world.app).await? {
            Issued::MfaRequired(required) => Ok(required.id),
            Issued::Tokens(_) | Issued::Unlinked(_) => {
                panic!("expected a question for a second factor")
            }
        }
    }

    async fn answer(&self, id: MfaSessionId, code: &str) -> Result<Tokens, Error> {
        let answer = ValidateMfaSession {
            group: GroupId::fallback(),
            id,
            answer: MfaAnswer::Code(Code::typed(code).expect("a code")),
            client_id: "gateway".into(),
            remember_device: false,
            locale: Locale::English,
        };
        answer.execute(&self.world.app).await
    }

    async fn check(&self, code: &str) -> Result<Tokens, Error> {
        self.answer(self.asked().await?, code).await
    }

    /// Signs in anew, with a recovery code.
    async fn sign_in_with(&mut self, recovery_code: &str) {
        self.tokens = self.check(recovery_code).await.expect("right");
    }

    async fn remove(&self, id: FactorId) -> Result<(), Error> {
        RemoveFactor {
            access_token: self.access_token(),
            factor_id: id,
            locale: Locale::Korean,
        }
        .execute(&self.world.app)
        .await
    }

    async fn regenerate(&self) -> Result<Vec<String>, Error> {
        let codes = RegenerateRecoveryCodes {
            access_token: self.access_token(),
            locale: Locale::Korean,
        }
        .execute(&self.world.app)
        .await?;
        Ok(codes
            .iter()
            .map(|code| code.to_shown().to_string())
            .collect())
    }

    async fn list(&self) -> ListedFactors {
        let listed = ListFactors {
            access_token: self.access_token(),
        };
        listed.execute(&self.world.app).await.expect("listed")
    }

    async fn recovery_codes_left(&self) -> u32 {
        self.list().await.recovery_codes_left
    }
}

fn is_exhausted<T>(result: &Result<T, Error>) -> bool {
    matches!(
        result,
        Err(Error::Exhausted {
            limit: Limit::Attempts,
            ..
        })
    )
}

/// Six digits that are not the code.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 500_000) % 1_000_000)
}

#[tokio::test]
async fn an_enrolled_app_answers_once_a_step() {
    let mina = Mina::new().await;
    let (enrolled, secret) = mina.enroll().await;
    assert_eq!(enrolled.recovery_codes.len(), 10);
    let sent = mina.world.take_sent().await;
    assert!(matches!(sent[..], [ref one] if matches!(one.content, Content::FactorAdded)));

    let code = mina.code(&secret);
    mina.check(&code).await.expect("the code is right");
    assert_eq!(refusal(mina.check(&code).await), Refusal::SecondFactor);
    mina.world.clock.advance(STEP);
    let next = mina.code(&secret);
    mina.check(&next).await.expect("the next step is good");
    assert_eq!(
        refusal(mina.check(&code).await),
        Refusal::SecondFactor,
        "an earlier step"
    );
}

#[tokio::test]
async fn the_code_that_confirmed_is_no_answer() {
    let mina = Mina::new().await;
    let begun = mina.begin().await.expect("begun").enrollment;
    let code = mina.code(begun.totp().expect("an app"));
    mina.confirm(begun.id, &code).await.expect("enrolled");
    assert_eq!(refusal(mina.check(&code).await), Refusal::SecondFactor);
}

#[tokio::test]
async fn of_64_with_one_code_one_is_let_in() {
    let mina = Arc::new(Mina::new().await);
    let (enrolled, secret) = mina.enroll().await;
    let recovery = enrolled.recovery_codes[0].to_shown().to_string();
    for code in [mina.code(&secret), recovery] {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let asked = mina.asked().await.expect("asked");
            let (mina, code) = (Arc::clone(&mina), code.clone());
            tasks.spawn(async move { mina.answer(asked, &code).await.is_ok() });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(outcomes.into_iter().filter(|is_in| *is_in).count(), 1);
        mina.world.clock.advance(Duration::from_secs(15 * 60));
    }
}

#[tokio::test]
async fn wrong_answers_have_one_budget_and_right_ones_cost_nothing() {
    let mina = Mina::new().await;
    let (enrolled, secret) = mina.enroll().await;
    for _ in 0..8 {
        let code = mina.code(&secret);
        mina.check(&code).await.expect("right");
        mina.world.clock.advance(STEP);
    }
    let guesses = [
        wrong(&mina.code(&secret)),
        "00000-00000".into(),
        "123".to_owned() + "4567",
        wrong(&mina.code(&secret)),
        "zzzzz-zzzzz".into(),
    ];
    for guess in guesses {
        assert_eq!(refusal(mina.check(&guess).await), Refusal::SecondFactor);
    }
    let right = mina.code(&secret);
    assert!(
        is_exhausted(&mina.check(&right).await),
        "nothing is compared"
    );
    let recovery = enrolled.recovery_codes[3].to_shown();
    assert!(is_exhausted(&mina.check(&recovery).await));
    assert_eq!(mina.recovery_codes_left().await, 10);
    mina.world.clock.advance(Duration::from_secs(15 * 60));
    let right = mina.code(&secret);
    mina.check(&right).await.expect("the window is over");
}

#[tokio::test]
async fn recovery_codes_come_with_the_first_factor_and_go_with_the_last() {
    let mina = Mina::new().await;
    let (first, _) = mina.enroll().await;
    let (second, _) = mina.enroll().await;
    assert_eq!(second.recovery_codes.len(), 0);
    let code = first.recovery_codes[0].to_shown().to_string();
    mina.check(&code.to_uppercase()).await.expect("good once");
    assert_eq!(refusal(mina.check(&code).await), Refusal::SecondFactor);
    assert_eq!(mina.recovery_codes_left().await, 9);

    mina.world.take_sent().await;
    let renewed = mina.regenerate().await.expect("new codes");
    let sent = mina.world.take_sent().await;
    let is_told = |one: &Message| matches!(one.content, Content::RecoveryCodesReplaced);
    assert!(
        matches!(sent[..], [ref one] if is_told(one) && one.locale == Locale::Korean),
        "{sent:?}"
    );
    let old = first.recovery_codes[1].to_shown();
    assert_eq!(refusal(mina.check(&old).await), Refusal::SecondFactor);
    mina.check(&renewed[9]).await.expect("a new one is good");

    mina.remove(first.factor.id).await.expect("removed");
    assert_eq!(mina.recovery_codes_left().await, 9);
    assert_eq!(refusal(mina.remove(first.factor.id).await), Refusal::Factor);
    mina.world.take_sent().await;
    mina.remove(second.factor.id).await.expect("removed");
    assert_eq!(mina.recovery_codes_left().await, 0);
    assert_eq!(refusal(mina.regenerate().await), Refusal::Factor);
    let sent = mina.world.take_sent().await;
    assert!(matches!(sent[..], [ref one] if matches!(one.content, Content::FactorRemoved)));
}

#[tokio::test]
async fn changes_need_a_sign_in_of_the_last_ten_minutes() {
    let mut mina = Mina::new().await;
    let (enrolled, _) = mina.enroll().await;
    let begun = mina.begin().await.expect("begun").enrollment;
    mina.world.clock.advance(Duration::from_secs(9 * 60));
    // A refresh makes a new token, and the sign-in no younger.
    let refreshed = mina.world.refresh(&mina.tokens.refresh_token).await;
    mina.tokens = refreshed.expect("refreshed");
    mina.world.clock.advance(Duration::from_secs(60));
    let too_old = Refusal::AuthenticationTooOld {
        max_age: Duration::from_secs(600),
    };
    let code = mina.code(begun.totp().expect("an app"));
    assert_eq!(refusal(mina.begin().await), too_old);
    assert_eq!(refusal(mina.confirm(begun.id, &code).await), too_old);
    assert_eq!(refusal(mina.remove(enrolled.factor.id).await), too_old);
    assert_eq!(refusal(mina.regenerate().await), too_old);
    assert_eq!(mina.recovery_codes_left().await, 10, "looking is allowed");
}

/// A clock that was set back makes no old sign-in a fresh one.
#[tokio::test]
async fn a_sign_in_that_lies_ahead_is_not_fresh() {
    let mut mina = Mina::new().await;
    let (enrolled, _) = mina.enroll().await;
    let an_hour_ago = mina.world.clock.now().minus(Duration::from_secs(3_600));
    mina.world.clock.jump_to(an_hour_ago);
    mina.world.read().await;
    let refreshed = mina.world.refresh(&mina.tokens.refresh_token).await;
    mina.tokens = refreshed.expect("refreshed");
    let too_old = Refusal::AuthenticationTooOld {
        max_age: Duration::from_secs(600),
    };
    assert_eq!(refusal(mina.begin().await), too_old);
    assert_eq!(refusal(mina.remove(enrolled.factor.id).await), too_old);
    assert_eq!(refusal(mina.regenerate().await), too_old);
}

#[tokio::test]
async fn an_enrolment_is_confirmed_once_by_its_own_user() {
    let mina = Mina::new().await;
    let begun = mina.begin().await.expect("begun").enrollment;
    let code = mina.code(begun.totp().expect("an app"));
    let guess = wrong(&code);
    assert_eq!(
        refusal(mina.confirm(begun.id, &guess).await),
        Refusal::SecondFactor
    );

    mina.world.user("juno@example.com", PASSWORD).await;
    let juno = mina.world.sign_in("juno@example.com", PASSWORD).await;
    let others = ConfirmEnrollment {
        access_token: juno.expect("signed in").access_token,
        enrollment_id: begun.id,
        answer: EnrollmentAnswer::Code(Code::typed(&code).expect("a code")),
        locale: Locale::English,
    };
    let others = others.execute(&mina.world.app).await;
    assert_eq!(refusal(others), Refusal::Enrollment);

    // The cooldown of the other's sign-up has passed meanwhile.
    let code = mina.code(begun.totp().expect("an app"));
    mina.confirm(begun.id, &code).await.expect("enrolled");
    mina.world.clock.advance(STEP);
    let code = mina.code(begun.totp().expect("an app"));
    assert_eq!(
        refusal(mina.confirm(begun.id, &code).await),
        Refusal::Enrollment
    );
}

#[tokio::test]
async fn guesses_at_an_enrolment_are_bounded() {
    let mina = Mina::new().await;
    let begun = mina.begin().await.expect("begun").enrollment;
    for _ in 0..5 {
        let guess = wrong(&mina.code(begun.totp().expect("an app")));
        assert_eq!(
            refusal(mina.confirm(begun.id, &guess).await),
            Refusal::SecondFactor
        );
    }
    let code = mina.code(begun.totp().expect("an app"));
    assert!(is_exhausted(&mina.confirm(begun.id, &code).await));
    for _ in 1..20 {
        mina.begin().await.expect("begun");
    }
    assert!(is_exhausted(&mina.begin().await));
}

#[tokio::test]
async fn an_enrolment_that_could_not_be_written_is_not_lost() {
    let mina = Mina::new().await;
    let begun = mina.begin().await.expect("begun").enrollment;
    let code = mina.code(begun.totp().expect("an app"));
    mina.world.store.fail_commits(true);
    let failed = mina.confirm(begun.id, &code).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    mina.world.store.fail_commits(false);
    mina.world.store.conflict(2);
    mina.confirm(begun.id, &code).await.expect("enrolled");
    let factors = mina.world.store.factors(mina.id).await.expect("an answer");
    assert_eq!(factors.len(), 1);
}

#[tokio::test]
async fn an_enrolment_begun_before_a_reset_is_worthless() {
    let mina = Mina::new().await;
    let begun = mina.begin().await.expect("begun").enrollment;
    let proof = mina.world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    reset.execute(&mina.world.app).await.expect("reset");
    let tokens = mina.world.sign_in(EMAIL, "another long phrase").await;
    let mina = Mina {
        tokens: tokens.expect("signed in"),
        ..mina
    };
    let code = mina.code(begun.totp().expect("an app"));
    assert_eq!(
        refusal(mina.confirm(begun.id, &code).await),
        Refusal::Enrollment
    );
}

#[tokio::test]
async fn a_user_has_at_most_five_factors() {
    let mina = Mina::new().await;
    for _ in 0..5 {
        mina.enroll().await;
    }
    assert_eq!(refusal(mina.begin().await), Refusal::TooManyFactors);
}

#[tokio::test]
async fn a_user_all_of_whose_factors_are_damaged_is_asked_for_one_all_the_same() {
    let mina = Mina::new().await;
    let (enrolled, _) = mina.enroll().await;
    mina.world.store.damage_factor(enrolled.factor.id);
    let listed = mina.list().await;
    assert_eq!((listed.factors.len(), listed.unreadable), (0, 1));
    let issued = sign_in(EMAIL, PASSWORD).execute(&mina.world.app).await;
    assert!(
        matches!(issued, Ok(Issued::MfaRequired(_))),
        "no password alone signs in: {issued:?}"
    );
}

#[tokio::test]
async fn a_damaged_factor_is_never_a_no_and_harms_no_other() {
    let mut mina = Mina::new().await;
    let (good, good_secret) = mina.enroll().await;
    let (bad, bad_secret) = mina.enroll().await;
    mina.world.store.damage_factor(bad.factor.id);
    let listed = mina.list().await;
    assert_eq!((listed.factors.len(), listed.unreadable), (1, 1));
    assert_eq!(listed.factors[0].factor.id, good.factor.id);
    let code = mina.code(&good_secret);
    mina.check(&code).await.expect("the other one is good");
    let recovery = good.recovery_codes[0].to_shown();
    mina.check(&recovery)
        .await
        .expect("recovery codes are good");
    // It may have been there at the sign-in, for all that can be told.
    assert_eq!(
        refusal(mina.remove(bad.factor.id).await),
        Refusal::SecondFactorRequired
    );
    let recovery = good.recovery_codes[1].to_shown().to_string();
    mina.sign_in_with(&recovery).await;

    let code = mina.code(&bad_secret);
    let answer = mina.check(&code).await;
    assert!(matches!(answer, Err(Error::Store(_))), "{answer:?}");
    // What was compared with the other one is charged: nobody guesses for nothing.
    for _ in 0..4 {
        let guess = wrong(&mina.code(&good_secret));
        assert!(matches!(mina.check(&guess).await, Err(Error::Store(_))));
    }
    assert!(is_exhausted(&mina.check("123456").await));
    mina.remove(bad.factor.id).await.expect("it can be removed");
    assert_eq!(mina.recovery_codes_left().await, 8);
}

#[tokio::test]
async fn where_the_budgets_cannot_be_asked_nothing_is_compared() {
    let mina = Mina::new().await;
    let (_, secret) = mina.enroll().await;
    mina.world.ephemeral.set_broken(true);
    let code = mina.code(&secret);
    let answer = mina.check(&code).await;
    assert!(matches!(answer, Err(Error::Ephemeral(_))), "{answer:?}");
    mina.world.ephemeral.set_broken(false);
    mina.check(&code).await.expect("the step was not taken");
}

#[tokio::test]
async fn changes_need_the_factor_that_was_there_at_the_sign_in() {
    let mut mina = Mina::new().await;
    let (enrolled, _) = mina.enroll().await;
    mina.world
        .reconfigure(|settings| settings.mfa_policy = MfaPolicy::Off);
    let tokens = mina.world.sign_in(EMAIL, PASSWORD).await;
    mina.tokens = tokens.expect("nobody is asked");
    mina.world
        .reconfigure(|settings| settings.mfa_policy = MfaPolicy::Optional);
    let missing = Refusal::SecondFactorRequired;
    assert_eq!(refusal(mina.begin().await), missing);
    assert_eq!(refusal(mina.regenerate().await), missing);
    assert_eq!(refusal(mina.remove(enrolled.factor.id).await), missing);
    let recovery = enrolled.recovery_codes[0].to_shown().to_string();
    mina.sign_in_with(&recovery).await;
    mina.begin().await.expect("it was shown");
    let codes = mina.regenerate().await;
    assert_eq!(codes.expect("it was shown").len(), 10);
}

/// Signs in with a code alone, as the caller of an MFA session may ask.
async fn with_one_code(mina: &Mina) -> Tokens {
    let code = "135790";
    let create = CreateMfaSession {
        group: GroupId::fallback(),
        user: NamedUser::Id(mina.id),
        code: MfaCode::Own(Code::parse(code.into()).expect("a code")),
        ttl: None,
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    };
    let created = create.execute(&mina.world.app).await.expect("created");
    mina.answer(created.id, code).await.expect("right")
}

/// Turns the clock, and reads the keys and the feed of then.
async fn turn(mina: &Mina, to: Timestamp) {
    mina.world.clock.jump_to(to);
    mina.world.read().await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_lets_nobody_pass_over_a_factor() {
    let day = Duration::from_secs(24 * 3_600);
    for (ahead, back) in [(day, day), (Duration::ZERO, Duration::from_secs(20 * 60))] {
        let mut mina = Mina::new().await;
        turn(&mina, mina.world.clock.now().plus(ahead)).await;
        mina.tokens = mina.world.sign_in(EMAIL, PASSWORD).await.expect("in");
        let (enrolled, _) = mina.enroll().await;
        turn(&mina, mina.world.clock.now().minus(back)).await;
        mina.tokens = with_one_code(&mina).await;
        let missing = Refusal::SecondFactorRequired;
        assert_eq!(refusal(mina.begin().await), missing);
        assert_eq!(refusal(mina.regenerate().await), missing);
        assert_eq!(refusal(mina.remove(enrolled.factor.id).await), missing);
    }
}

#[tokio::test]
async fn a_step_up_after_an_enrolment_shows_the_factor_whatever_the_clock_says() {
    let mina = Mina::new().await;
    let start = mina.world.clock.now();
    turn(&mina, start.plus(Duration::from_secs(200))).await;
    let (enrolled, _) = mina.enroll().await;
    mina.begin().await.expect("enrolled by this authentication");
    turn(&mina, start.plus(Duration::from_secs(60))).await;
    let step_up = StepUpSession {
        access_token: mina.access_token(),
        answer: StepUpAnswer::Password(password(PASSWORD)),
        client_id: "gateway".into(),
        device: DeviceClaim::Untold,
    };
    step_up.execute(&mina.world.app).await.expect("right");
    let missing = Refusal::SecondFactorRequired;
    assert_eq!(refusal(mina.remove(enrolled.factor.id).await), missing);
}
