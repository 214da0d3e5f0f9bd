//! Passkeys: enrolling them, answering MFA sessions, signing in with nothing
//! else, and whatever else may be sent in their place.

#[path = "../../../../tests/src/software_authenticator.rs"]
#[expect(
    unreachable_pub,
    reason = "it is a module of the whole-system tests, too"
)]
mod software_authenticator;

mod attacks;
mod challenges;
mod step_up;

use std::time::Duration;

use countersign_domain::application::Tokens;
use countersign_domain::model::{
    Assertion, AuthenticationMethod, ClientContext, Code, DeviceClaim, FactorId, FactorKind,
    FactorLabel, GroupId, Locale, MfaFactor, MfaPolicy, MfaSessionId, Registration, RelyingParty,
    SessionId, UserId,
};
use countersign_domain::ports::{Factors as _, Sessions as _};
use countersign_domain::testing::{World, refusal, sign_in};
use countersign_domain::use_cases::{
    BeginEnrollment, BeginMfaAssertion, BeginPasskeySignIn, ConfirmEnrollment, EnrolledFactor,
    EnrollmentAnswer, Grant, IssueTokens, Issued, ListFactors, MfaAnswer, MfaRequired,
    RemoveFactor, ValidateMfaSession,
};
use countersign_domain::{Error, Refusal};

use self::software_authenticator::{Algorithm, Ceremony, SoftwareAuthenticator};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const ORIGIN: &str = "https://id.example.com";

/// A service that takes passkeys, with people who have a password.
struct Site {
    world: World,
}

fn relying_party() -> RelyingParty {
    let origins = [ORIGIN.to_owned()];
    RelyingParty::new("example.com", "Shop", &origins).expect("a site")
}

impl Site {
    async fn new() -> Self {
        let world = World::with(|settings| settings.passkeys = Some(relying_party())).await;
        world.user(EMAIL, PASSWORD).await;
        Self { world }
    }

    async fn password(&self, email: &str) -> Issued {
        let issued = sign_in(email, PASSWORD).execute(&self.world.app).await;
        issued.expect("signed in")
    }

    async fn begin(&self, access_token: &str) -> Result<(FactorId, String), Error> {
        let begin = BeginEnrollment {
            access_token: access_token.into(),
            kind: FactorKind::Passkey,
            label: FactorLabel::parse("key").expect("a name"),
        };
        let begun = begin.execute(&self.world.app).await?;
        let options = begun.creation_options.expect("options");
        Ok((begun.enrollment.id, options))
    }

    async fn confirm(
        &self,
        access_token: &str,
        enrollment_id: FactorId,
        credential: &str,
    ) -> Result<EnrolledFactor, Error> {
        let registration = Registration::parse(credential);
        let registration = registration.map_err(|rule| Error::invalid("credential", rule))?;
        let confirm = ConfirmEnrollment {
            access_token: access_token.into(),
            enrollment_id,
            answer: EnrollmentAnswer::Passkey(Box::new(registration)),
            locale: Locale::English,
        };
        confirm.execute(&self.world.app).await
    }

    async fn enroll(&self, email: &str, algorithm: Algorithm) -> SoftwareAuthenticator {
        let token = self.password(email).await.into_tokens().access_token;
        let (id, options) = self.begin(&token).await.expect("begun");
        let (key, answer) = SoftwareAuthenticator::create(algorithm, &options, ORIGIN);
        let enrolled = self.confirm(&token, id, &answer).await.expect("enrolled");
        assert_eq!(enrolled.recovery_codes.len(), 10);
        key
    }

    async fn asked(&self, email: &str) -> MfaRequired {
        match self.password(email).await {
            Issued::MfaRequired(required) => required,
            Issued::Tokens(_) | Issued::Unlinked(_) => panic!("a second factor is not asked for"),
        }
    }

    async fn mfa_options(&self, id: &MfaSessionId) -> Result<String, Error> {
        let begin = BeginMfaAssertion {
            group: GroupId::fallback(),
            id: id.clone(),
            client_id: "gateway".into(),
        };
        Ok(begin.execute(&self.world.app).await?.options)
    }

    async fn answer(&self, id: &MfaSessionId, credential: &str) -> Result<Tokens, Error> {
        let assertion = Assertion::parse(credential);
        let assertion = assertion.map_err(|rule| Error::invalid("credential", rule))?;
        let validate = ValidateMfaSession {
            group: GroupId::fallback(),
            id: id.clone(),
            answer: MfaAnswer::Passkey(Box::new(assertion)),
            client_id: "gateway".into(),
            remember_device: false,
            locale: Locale::English,
        };
        validate.execute(&self.world.app).await
    }

    fn sign_in_options(&self) -> Result<String, Error> {
        let begin = BeginPasskeySignIn {
            group: GroupId::fallback(),
            client_id: "gateway".into(),
        };
        Ok(begin.execute(&self.world.app)?.options)
    }

    async fn sign_in_as(
        &self,
        group: GroupId,
        client_id: &str,
        credential: &str,
    ) -> Result<Tokens, Error> {
        let client = ClientContext::default();
        self.sign_in_by(group, client_id, client, credential).await
    }

    async fn sign_in_by(
        &self,
        group: GroupId,
        client_id: &str,
        client: ClientContext,
        credential: &str,
    ) -> Result<Tokens, Error> {
        let assertion = Assertion::parse(credential);
        let assertion = assertion.map_err(|rule| Error::invalid("credential", rule))?;
        let issue = IssueTokens {
            group,
            grant: Grant::Passkey(Box::new(assertion)),
            audience: "shop".into(),
            scopes: Vec::new(),
            client_id: client_id.into(),
            client,
            device: DeviceClaim::Untold,
            locale: Locale::English,
        };
        Ok(issue.execute(&self.world.app).await?.into_tokens())
    }

    async fn sign_in(&self, credential: &str) -> Result<Tokens, Error> {
        self.sign_in_as(GroupId::fallback(), "gateway", credential)
            .await
    }

    async fn methods(&self, session: SessionId) -> Vec<AuthenticationMethod> {
        let found = self.world.store.session_with_user(session).await;
        let (session, _) = found.expect("an answer").expect("a session");
        session.methods
    }
}

#[tokio::test]
async fn a_passkey_of_each_algorithm_is_a_second_and_the_only_factor() {
    use AuthenticationMethod::{MultiFactor, Password, ProofOfPossession, UserPresence};
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let site = Site::new().await;
        let key = site.enroll(EMAIL, algorithm).await;
        let asked = site.asked(EMAIL).await;
        assert_eq!(asked.factors, [MfaFactor::RecoveryCode, MfaFactor::Passkey]);
        let options = site.mfa_options(&asked.id).await.expect("options");
        assert!(options.contains(&software_authenticator::encoded(&key.id)));
        let tokens = site.answer(&asked.id, &key.get(&options, ORIGIN)).await;
        let tokens = tokens.expect("signed in");
        let all = [Password, ProofOfPossession, UserPresence, MultiFactor];
        assert_eq!(site.methods(tokens.session_id).await, all);

        let options = site.sign_in_options().expect("options");
        assert!(options.contains(r#""allowCredentials":[]"#), "{options}");
        assert!(options.contains(r#""userVerification":"required""#));
        let tokens = site.sign_in(&key.get(&options, ORIGIN)).await;
        let tokens = tokens.expect("signed in");
        assert_eq!(site.methods(tokens.session_id).await, all[1..]);
    }
}

/// One that cannot verify the person is a second factor, and no only one.
#[tokio::test]
async fn a_key_that_does_not_verify_the_person_is_a_second_factor_alone() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let unverified = |options: &str| {
        let mut ceremony = Ceremony::of(options, ORIGIN);
        ceremony.flags = software_authenticator::USER_PRESENT;
        key.assert(&ceremony).to_string()
    };
    let asked = site.asked(EMAIL).await;
    let options = site.mfa_options(&asked.id).await.expect("options");
    let answered = site.answer(&asked.id, &unverified(&options)).await;
    answered.expect("signed in");
    let options = site.sign_in_options().expect("options");
    let answered = site.sign_in(&unverified(&options)).await;
    assert_eq!(refusal(answered), Refusal::SignIn);
}

/// Both the counter and what becomes of a copy that lags behind.
#[tokio::test]
async fn a_counter_must_grow_once_it_counts() {
    let site = Site::new().await;
    let mut key = site.enroll(EMAIL, Algorithm::Es256).await;
    let mut outcomes = Vec::new();
    for counter in [0, 0, 5, 5, 4, 0, 6, u32::MAX, u32::MAX] {
        key.counter = counter;
        let options = site.sign_in_options().expect("options");
        outcomes.push(site.sign_in(&key.get(&options, ORIGIN)).await.is_ok());
    }
    let expected = [true, true, true, false, false, false, true, true, false];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn without_its_settings_no_passkey_is_taken() {
    let mut site = Site::new().await;
    let token = site.password(EMAIL).await.into_tokens().access_token;
    let (id, options) = site.begin(&token).await.expect("begun");
    let (_, late_answer) = SoftwareAuthenticator::create(Algorithm::EdDsa, &options, ORIGIN);
    let (enrolled, options) = site.begin(&token).await.expect("begun");
    let (key, answer) = SoftwareAuthenticator::create(Algorithm::Es256, &options, ORIGIN);
    let confirmed = site.confirm(&token, enrolled, &answer).await;
    confirmed.expect("enrolled");
    let asked = site.asked(EMAIL).await;
    let (mfa, alone) = (
        site.mfa_options(&asked.id).await.expect("options"),
        site.sign_in_options().expect("options"),
    );

    site.world.reconfigure(|settings| settings.passkeys = None);
    assert_eq!(refusal(site.begin(&token).await), Refusal::PasskeysOff);
    assert_eq!(
        refusal(site.confirm(&token, id, &late_answer).await),
        Refusal::PasskeysOff
    );
    assert_eq!(
        refusal(site.mfa_options(&asked.id).await),
        Refusal::PasskeysOff
    );
    assert_eq!(refusal(site.sign_in_options()), Refusal::PasskeysOff);
    let answered = site.answer(&asked.id, &key.get(&mfa, ORIGIN)).await;
    assert_eq!(refusal(answered), Refusal::PasskeysOff);
    let answered = site.sign_in(&key.get(&alone, ORIGIN)).await;
    assert_eq!(refusal(answered), Refusal::PasskeysOff);
    // It is asked for all the same: a recovery code is left.
    assert_eq!(site.asked(EMAIL).await.factors, [MfaFactor::RecoveryCode]);
    site.world
        .reconfigure(|settings| settings.mfa_policy = MfaPolicy::Off);
    let issued = site.password(EMAIL).await;
    assert!(matches!(issued, Issued::Tokens(_)), "{issued:?}");

    // With another domain, none of the old ones is good.
    site.world.reconfigure(|settings| {
        let origins = ["https://example.org".to_owned()];
        let site = RelyingParty::new("example.org", "", &origins).expect("a site");
        settings.passkeys = Some(site);
        settings.mfa_policy = MfaPolicy::Optional;
    });
    let options = site.sign_in_options().expect("options");
    for origin in [ORIGIN, "https://example.org"] {
        let mut ceremony = Ceremony::of(&options, origin);
        ceremony.rp_id = "example.com".into();
        let answered = site.sign_in(&key.assert(&ceremony).to_string()).await;
        assert_eq!(refusal(answered), Refusal::SignIn);
    }
}

#[tokio::test]
async fn a_passkey_that_was_removed_is_not_good() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let options = site.sign_in_options().expect("options");
    let tokens = site.sign_in(&key.get(&options, ORIGIN)).await;
    let access_token = tokens.expect("signed in").access_token;
    let list = ListFactors {
        access_token: access_token.clone(),
    };
    let listed = list.execute(&site.world.app).await.expect("listed").factors;
    assert_eq!(listed[0].factor.kind, FactorKind::Passkey);
    let remove = RemoveFactor {
        access_token,
        factor_id: listed[0].factor.id,
        locale: Locale::English,
    };
    remove.execute(&site.world.app).await.expect("removed");
    let options = site.sign_in_options().expect("options");
    let answered = site.sign_in(&key.get(&options, ORIGIN)).await;
    assert_eq!(refusal(answered), Refusal::SignIn);
}

/// "I could not tell" is never "no", nor a yes.
#[tokio::test]
async fn what_cannot_be_read_is_an_error() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let asked = site.asked(EMAIL).await;
    let (mfa, alone) = (
        site.mfa_options(&asked.id).await.expect("options"),
        site.sign_in_options().expect("options"),
    );
    site.world.ephemeral.set_broken(true);
    let is_error = |answer: Result<Tokens, Error>| !answer.expect_err("no").is_an_answer();
    assert!(is_error(site.sign_in(&key.get(&alone, ORIGIN)).await));
    assert!(is_error(
        site.answer(&asked.id, &key.get(&mfa, ORIGIN)).await
    ));
    site.world.ephemeral.set_broken(false);

    let mina = UserId::from_bytes(key.user_handle.clone().try_into().expect("an id"));
    let factors = site.world.store.factors(mina).await;
    let factor = factors.expect("an answer").remove(0).expect("readable");
    site.world.store.damage_factor(factor.id);
    assert!(is_error(site.sign_in(&key.get(&alone, ORIGIN)).await));
    assert!(is_error(
        site.answer(&asked.id, &key.get(&mfa, ORIGIN)).await
    ));
    let options = site.mfa_options(&asked.id).await;
    assert!(!options.expect_err("no").is_an_answer());
    assert_eq!(site.asked(EMAIL).await.factors[0], MfaFactor::Totp);
}

/// Neither when the damaged one is the only one, nor when it cannot be told
/// whether another was made on the same authenticator.
#[tokio::test]
async fn a_damaged_passkey_keeps_nobody_from_enrolling_another() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let mina = UserId::from_bytes(key.user_handle.clone().try_into().expect("an id"));
    let alone = site.sign_in_options().expect("options");
    let tokens = site.sign_in(&key.get(&alone, ORIGIN)).await;
    let token = tokens.expect("signed in").access_token;
    let excluded = |options: &str| {
        let options: serde_json::Value = serde_json::from_str(options).expect("JSON");
        options["excludeCredentials"].as_array().map_or(0, Vec::len)
    };
    let (_, options) = site.begin(&token).await.expect("begun");
    assert_eq!(excluded(&options), 1);
    let factors = site.world.store.factors(mina).await.expect("an answer");
    let only = factors[0].as_ref().expect("readable").id;
    site.world.store.damage_factor(only);
    let (id, options) = site.begin(&token).await.expect("begun all the same");
    assert_eq!(excluded(&options), 0);
    let (second, answer) = SoftwareAuthenticator::create(Algorithm::EdDsa, &options, ORIGIN);
    let enrolled = site.confirm(&token, id, &answer).await;
    enrolled.expect("enrolled");
    let alone = site.sign_in_options().expect("options");
    let tokens = site.sign_in(&second.get(&alone, ORIGIN)).await;
    tokens.expect("the new one is good");
}

/// Whether there is a user with a passkey is not told by the options.
#[tokio::test]
async fn options_of_nobody_look_like_those_of_somebody() {
    use countersign_domain::use_cases::{CreateMfaSession, MfaCode};
    let site = Site::new().await;
    site.enroll(EMAIL, Algorithm::Es256).await;
    site.world.user("juno@example.com", PASSWORD).await;
    let mut shapes = Vec::new();
    for email in [EMAIL, "juno@example.com", "nobody@example.com"] {
        let address = countersign_domain::testing::address(email);
        let create = CreateMfaSession {
            group: GroupId::fallback(),
            user: countersign_domain::model::NamedUser::Identifier(address.into()),
            code: MfaCode::Enrolled,
            ttl: None,
            audience: "shop".into(),
            scopes: Vec::new(),
            client_id: "gateway".into(),
            locale: Locale::English,
            client: ClientContext::default(),
        };
        let id = create.execute(&site.world.app).await.expect("created").id;
        let ids = async || {
            let options = site.mfa_options(&id).await.expect("options");
            let options: serde_json::Value = serde_json::from_str(&options).expect("JSON");
            options["allowCredentials"].clone()
        };
        let (first, second) = (ids().await, ids().await);
        assert_eq!(first, second, "the same each time");
        let lengths: Vec<_> = first
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| it["id"].as_str().map(str::len))
            .collect();
        shapes.push(lengths);
    }
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[0], shapes[2]);
}

#[tokio::test]
async fn a_challenge_is_good_for_five_minutes() {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    for (seconds, is_good) in [(299, true), (300, false)] {
        let asked = site.asked(EMAIL).await;
        let mfa = site.mfa_options(&asked.id).await.expect("options");
        let alone = site.sign_in_options().expect("options");
        site.world.clock.advance(Duration::from_secs(seconds));
        let answered = site.sign_in(&key.get(&alone, ORIGIN)).await;
        assert_eq!(answered.is_ok(), is_good, "{seconds}");
        let answered = site.answer(&asked.id, &key.get(&mfa, ORIGIN)).await;
        assert_eq!(answered.is_ok(), is_good, "{seconds}");
    }
}

/// The kind of answer must be that of the enrolment, and costs no try.
#[tokio::test]
async fn an_enrolment_takes_its_own_kind_of_answer() {
    let site = Site::new().await;
    let token = site.password(EMAIL).await.into_tokens().access_token;
    let (id, options) = site.begin(&token).await.expect("begun");
    for _ in 0..9 {
        let confirm = ConfirmEnrollment {
            access_token: token.clone(),
            enrollment_id: id,
            answer: EnrollmentAnswer::Code(Code::typed("123456").expect("a code")),
            locale: Locale::English,
        };
        let refused = confirm.execute(&site.world.app).await;
        let Err(Error::Invalid(violations)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(violations[0].field, "credential");
    }
    let (_, answer) = SoftwareAuthenticator::create(Algorithm::Es256, &options, ORIGIN);
    site.confirm(&token, id, &answer).await.expect("enrolled");
    let again = site.confirm(&token, id, &answer).await;
    assert_eq!(refusal(again), Refusal::Enrollment);
}
