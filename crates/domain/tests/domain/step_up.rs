//! Authenticating a person again in a session that goes on.

mod attacks;
mod beside_refreshes;

use std::time::Duration;

use countersign_domain::application::Tokens;
use countersign_domain::model::{
    AuthenticationMethod, Code, DeviceClaim, DeviceToken, FactorId, FactorKind, FactorLabel,
    GroupId, Locale, MfaSessionId, Password, Session, TotpSecret, UserId,
};
use countersign_domain::ports::{Clock as _, Sessions as _};
use countersign_domain::testing::{World, refusal, sign_in};
use countersign_domain::use_cases::{
    BeginEnrollment, ConfirmEnrollment, EnrolledFactor, EnrollmentAnswer, IssueTokens, Issued,
    MfaAnswer, RegenerateRecoveryCodes, RemoveFactor, StepUpAnswer, StepUpSession, SteppedUp,
    ValidateMfaSession,
};
use countersign_domain::validation::{
    NotAccepted, Question, RequiredAuthentication, TokenValidator, Validation,
};
use countersign_domain::{Error, Limit, Refusal};
use countersign_token::Acr;

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const WRONG: &str = "another long phrase";
const STEP: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Somebody who signed in with a password an hour ago.
struct Mina {
    world: World,
    id: UserId,
    tokens: Tokens,
}

/// Her authenticator app.
struct App {
    id: FactorId,
    secret: TotpSecret,
    recovery: Vec<String>,
}

impl Mina {
    async fn new() -> Self {
        let world = World::new().await;
        let id = world.user(EMAIL, PASSWORD).await;
        let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        let mut mina = Self { world, id, tokens };
        mina.pass(HOUR).await;
        mina
    }

    /// Somebody with an app, and a session that knows nothing of it.
    async fn with_app() -> (Self, App) {
        let mut mina = Self::new().await;
        let app = mina.enroll(PASSWORD).await;
        mina.pass(HOUR).await;
        (mina, app)
    }

    /// Lets time pass, and refreshes.
    async fn pass(&mut self, time: Duration) {
        self.world.clock.advance(time);
        let refreshed = self.world.refresh(&self.tokens.refresh_token).await;
        self.tokens = refreshed.expect("refreshed");
    }

    /// Enrols an app, by another session.
    async fn enroll(&self, password: &str) -> App {
        let other = self.world.sign_in(EMAIL, password).await;
        let access_token = other.expect("signed in").access_token;
        let (enrolled, secret) = self.enroll_with(&access_token).await.expect("enrolled");
        let shown = enrolled.recovery_codes.iter();
        App {
            id: enrolled.factor.id,
            secret,
            recovery: shown.map(|code| code.to_shown().to_string()).collect(),
        }
    }

    async fn enroll_with(&self, access_token: &str) -> Result<(EnrolledFactor, TotpSecret), Error> {
        let begin = BeginEnrollment {
            access_token: access_token.to_owned(),
            kind: FactorKind::Totp,
            label: FactorLabel::parse("phone").expect("a name"),
        };
        let begun = begin.execute(&self.world.app).await?.enrollment;
        let secret = begun.totp().expect("an app").clone();
        let code = secret.code_at(self.world.app.clock.now());
        let confirm = ConfirmEnrollment {
            access_token: access_token.to_owned(),
            enrollment_id: begun.id,
            answer: EnrollmentAnswer::Code(Code::typed(&code).expect("a code")),
            locale: Locale::English,
        };
        let enrolled = confirm.execute(&self.world.app).await?;
        self.world.clock.advance(STEP);
        Ok((enrolled, secret))
    }

    fn code(&self, app: &App) -> StepUpAnswer {
        code(&app.secret.code_at(self.world.app.clock.now()))
    }

    async fn show(&self, answer: StepUpAnswer) -> Result<SteppedUp, Error> {
        self.show_on(DeviceClaim::Untold, answer).await
    }

    async fn show_on(&self, device: DeviceClaim, answer: StepUpAnswer) -> Result<SteppedUp, Error> {
        let step_up = StepUpSession {
            access_token: self.tokens.access_token.clone(),
            answer,
            client_id: "gateway".into(),
            device,
        };
        step_up.execute(&self.world.app).await
    }

    async fn session(&self) -> Session {
        let found = self.world.store.session(self.tokens.session_id).await;
        found.expect("readable").expect("it is there")
    }

    async fn remove(&self, access_token: &str, factor: FactorId) -> Result<(), Error> {
        let remove = RemoveFactor {
            access_token: access_token.to_owned(),
            factor_id: factor,
            locale: Locale::English,
        };
        remove.execute(&self.world.app).await
    }

    /// A sign-in up to the question for a second factor, answered with this.
    async fn sign_in_with(&self, code: &str, device: DeviceClaim) -> Result<Tokens, Error> {
        let asked = self.begin_sign_in(device).await?;
        self.answer(asked, code).await
    }

    async fn begin_sign_in(&self, device: DeviceClaim) -> Result<MfaSessionId, Error> {
        let sign_in = IssueTokens {
            device,
            ..sign_in(EMAIL, PASSWORD)
        };
        match sign_in.execute(&self.world.app).await? {
            Issued::MfaRequired(asked) => Ok(asked.id),
            Issued::Tokens(_) | Issued::Unlinked(_) => {
                panic!("expected a question for a second factor")
            }
        }
    }

    async fn answer(&self, id: MfaSessionId, code: &str) -> Result<Tokens, Error> {
        let validate = ValidateMfaSession {
            group: GroupId::fallback(),
            id,
            answer: MfaAnswer::Code(Code::typed(code).expect("a code")),
            client_id: "gateway".into(),
            remember_device: false,
            locale: Locale::English,
        };
        validate.execute(&self.world.app).await
    }
}

fn password(text: &str) -> StepUpAnswer {
    let password = Password::to_compare(text.to_owned());
    StepUpAnswer::Password(password.expect("a password"))
}

fn code(text: &str) -> StepUpAnswer {
    StepUpAnswer::Code(Code::typed(text).expect("a code"))
}

fn is_exhausted<T>(result: &Result<T, Error>) -> bool {
    let limit = Limit::Attempts;
    matches!(result, Err(Error::Exhausted { limit: l, .. }) if *l == limit)
}

/// What a token lacks of what is required; nothing if it is good.
fn lacking(
    validator: &TokenValidator,
    token: &str,
    max_age: Option<Duration>,
    acr: Option<Acr>,
) -> Option<RequiredAuthentication> {
    let question = Question {
        token,
        audience: "",
        scopes: &[],
        authentication: Some(RequiredAuthentication { max_age, acr }),
    };
    match validator.validate(question) {
        Validation::Valid(_) => None,
        Validation::Rejected(NotAccepted::InsufficientAuthentication(lacking)) => Some(lacking),
        other => panic!("expected an answer about the authentication, got {other:?}"),
    }
}

#[tokio::test]
async fn the_password_renews_the_authentication_of_the_same_session() {
    let mut mina = Mina::new().await;
    let before = mina.session().await;
    assert_eq!(before.authenticated_at, before.created_at);
    let shown = mina.show(password(PASSWORD)).await.expect("right");
    let now = mina.world.app.clock.now();
    let after = mina.session().await;
    assert_eq!(after, shown.session);
    assert_eq!(after.authenticated_at, now);
    assert_eq!(after.methods, [AuthenticationMethod::Password]);
    let chain = |session: &Session| (session.generation, session.parent, session.minted_at);
    assert_eq!(chain(&after), chain(&before), "nothing is exchanged");
    assert_eq!((after.id, after.created_at), (before.id, before.created_at));
    assert!(after.access_expires_at >= shown.access.expires_at);

    let validator = mina.world.validator();
    mina.world.read().await;
    let minute = Some(Duration::from_secs(60));
    assert_eq!(lacking(&validator, &shown.access.token, minute, None), None);
    // The token that was sent, and the refresh token, are as good as before.
    assert!(lacking(&validator, &mina.tokens.access_token, minute, None).is_some());
    assert_eq!(
        lacking(&validator, &mina.tokens.access_token, None, None),
        None
    );
    mina.pass(STEP).await;
    mina.world.read().await;
    let refreshed = &mina.tokens.access_token;
    assert_eq!(lacking(&validator, refreshed, minute, None), None);
    assert_eq!(
        lacking(&validator, refreshed, Some(STEP / 2), None),
        Some(RequiredAuthentication {
            max_age: Some(STEP / 2),
            acr: None,
        })
    );
}

#[tokio::test]
async fn a_second_factor_makes_two_of_one() {
    use AuthenticationMethod::{MultiFactor, OneTimeCode, Password};
    for by_recovery_code in [false, true] {
        let (mina, app) = Mina::with_app().await;
        assert_eq!(mina.session().await.acr(), Acr::Aal1);
        let answer = match by_recovery_code {
            true => code(&app.recovery[0]),
            false => mina.code(&app),
        };
        let shown = mina.show(answer).await.expect("right");
        let session = mina.session().await;
        assert_eq!(session.methods, [Password, OneTimeCode, MultiFactor]);
        assert_eq!(session.acr(), Acr::Aal2);
        let (validator, aal2) = (mina.world.validator(), Some(Acr::Aal2));
        mina.world.read().await;
        assert_eq!(lacking(&validator, &shown.access.token, None, aal2), None);
        // One is never remembered as a no, nor as a yes.
        for _ in 0..2 {
            let before = lacking(&validator, &mina.tokens.access_token, Some(HOUR), aal2);
            assert_eq!(before.and_then(|lacking| lacking.acr), aal2);
        }
    }
}

#[tokio::test]
async fn an_answer_changes_with_the_time_and_never_for_those_who_do_not_ask() {
    let mina = Mina::new().await;
    let shown = mina.show(password(PASSWORD)).await.expect("right");
    let token = &shown.access.token;
    let validator = mina.world.validator();
    mina.world.read().await;
    let minute = Some(Duration::from_secs(60));
    assert_eq!(lacking(&validator, token, minute, None), None);
    mina.world.clock.advance(Duration::from_secs(60));
    mina.world.read().await;
    assert_eq!(lacking(&validator, token, minute, None), None);
    mina.world.clock.advance(Duration::from_secs(1));
    mina.world.read().await;
    let none = RequiredAuthentication {
        max_age: minute,
        acr: None,
    };
    assert_eq!(lacking(&validator, token, minute, None), Some(none));
    assert_eq!(
        lacking(&validator, token, minute.map(|age| age * 2), None),
        None
    );
    assert_eq!(lacking(&validator, token, None, None), None);
    // What is wrong with the token itself comes first.
    mina.world.clock.advance(HOUR);
    mina.world.read().await;
    let question = Question {
        token,
        audience: "",
        scopes: &[],
        authentication: Some(none),
    };
    assert!(matches!(
        validator.validate(question),
        Validation::Rejected(NotAccepted::Token(_))
    ));
}

#[tokio::test]
async fn factors_are_changed_after_it() {
    let mina = Mina::new().await;
    let token = &mina.tokens.access_token;
    let too_old = mina.enroll_with(token).await.map(drop);
    assert!(matches!(
        refusal(too_old),
        Refusal::AuthenticationTooOld { .. }
    ));
    mina.show(password(PASSWORD)).await.expect("right");
    let (enrolled, secret) = mina.enroll_with(token).await.expect("enrolled");
    mina.world.clock.advance(Duration::from_secs(240));

    // From now on the password is not enough.
    mina.show(password(PASSWORD)).await.expect("right");
    let removed = mina.remove(token, enrolled.factor.id).await;
    assert_eq!(refusal(removed), Refusal::SecondFactorRequired);
    let typed = code(&secret.code_at(mina.world.app.clock.now()));
    mina.show(typed).await.expect("right");
    let regenerate = RegenerateRecoveryCodes {
        access_token: token.clone(),
        locale: Locale::English,
    };
    let codes = regenerate.execute(&mina.world.app).await;
    assert_eq!(codes.expect("made").len(), 10);
    let removed = mina.remove(token, enrolled.factor.id).await;
    removed.expect("removed");
}

#[tokio::test]
async fn the_password_alone_renews_no_second_factor() {
    let (mina, app) = Mina::with_app().await;
    mina.show(mina.code(&app)).await.expect("right");
    mina.world.clock.advance(STEP);
    let before = mina.session().await;
    mina.world.hasher.take_count();
    for text in [PASSWORD, WRONG].iter().cycle().take(30) {
        let refused = mina.show(password(text)).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
    }
    assert_eq!(mina.world.hasher.take_count(), 0, "nothing is compared");
    assert_eq!(mina.session().await, before);
    // Nor makes less of the session once there is no factor left.
    let shown = mina.show(mina.code(&app)).await.expect("right");
    let removed = mina.remove(&shown.access.token, app.id).await;
    removed.expect("removed");
    let refused = mina.show(password(PASSWORD)).await;
    assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
    assert_eq!(mina.session().await, shown.session);
}

async fn failures(mina: &Mina) -> u32 {
    let account = mina.world.app.store.account(mina.id).await;
    let account = account.expect("readable").expect("it is there");
    account.credential.expect("a password").failures
}

fn device_of(tokens: &Tokens) -> DeviceToken {
    let device = tokens.device.clone().expect("the device is known");
    device.token.expect("a token")
}

fn claim(token: &DeviceToken) -> DeviceClaim {
    DeviceClaim::Token(token.digest())
}
