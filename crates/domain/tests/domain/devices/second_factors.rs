//! Known devices and second factors: whose tries are spent, and where nobody is
//! asked again.

use super::*;

/// Somebody with an authenticator app.
struct Mina {
    world: World,
    id: UserId,
    secret: TotpSecret,
    recovery: Vec<String>,
}

impl Mina {
    /// Where a device is remembered for so long.
    async fn new(remembered: Duration) -> Self {
        let world = World::with(|settings| {
            settings.devices.remembered = remembered;
            // Tests go on for days.
            settings.tokens.session_ttl = 400 * DAY;
        })
        .await;
        let id = world.user(EMAIL, PASSWORD).await;
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
        world.take_sent().await;
        let shown = enrolled.recovery_codes.iter();
        Self {
            world,
            id,
            secret,
            recovery: shown.map(|code| code.to_shown().to_string()).collect(),
        }
    }

    async fn enroll_another(&self, access_token: &str) {
        let begin = BeginEnrollment {
            access_token: access_token.to_owned(),
            kind: FactorKind::Totp,
            label: FactorLabel::parse("another").expect("a name"),
        };
        let begun = begin
            .execute(&self.world.app)
            .await
            .expect("begun")
            .enrollment;
        let secret = begun.totp().expect("an app");
        let code = secret.code_at(self.world.app.clock.now());
        let confirm = ConfirmEnrollment {
            access_token: access_token.to_owned(),
            enrollment_id: begun.id,
            answer: EnrollmentAnswer::Code(Code::typed(&code).expect("a code")),
            locale: Locale::English,
        };
        confirm.execute(&self.world.app).await.expect("enrolled");
    }

    async fn begin(&self, device: DeviceClaim) -> MfaRequired {
        match try_on(&self.world, EMAIL, PASSWORD, device).await {
            Ok(Issued::MfaRequired(required)) => required,
            other => panic!("expected a question for a second factor, got {other:?}"),
        }
    }

    async fn answer(
        &self,
        asked: &MfaRequired,
        code: &str,
        remember_device: bool,
    ) -> Result<Tokens, Error> {
        let answer = ValidateMfaSession {
            group: GroupId::fallback(),
            id: asked.id.clone(),
            answer: MfaAnswer::Code(Code::typed(code).expect("a code")),
            client_id: "gateway".into(),
            remember_device,
            locale: Locale::English,
        };
        answer.execute(&self.world.app).await
    }

    fn code(&self) -> String {
        self.secret.code_at(self.world.app.clock.now())
    }

    /// Signs in with both.
    async fn sign_in(&self, device: DeviceClaim, remember: bool) -> Tokens {
        self.world.clock.advance(Duration::from_secs(30));
        let asked = self.begin(device).await;
        let answer = self.answer(&asked, &self.code(), remember).await;
        answer.expect("signed in")
    }

    async fn is_asked(&self, device: DeviceClaim) -> bool {
        let issued = try_on(&self.world, EMAIL, PASSWORD, device).await;
        match issued.expect("the password is right") {
            Issued::MfaRequired(_) => true,
            Issued::Tokens(_) | Issued::Unlinked(_) => false,
        }
    }
}

#[tokio::test]
async fn who_knows_the_password_spends_no_tries_of_a_known_device() {
    let mina = Mina::new(Duration::ZERO).await;
    let token = token(&mina.sign_in(DeviceClaim::Unknown, false).await);
    for tried in 0..7 {
        let asked = mina.begin(DeviceClaim::Untold).await;
        let answer = mina.answer(&asked, "0000-000-000", false).await;
        match tried {
            0..5 => assert_eq!(refusal(answer), Refusal::SecondFactor),
            _ => assert!(is_exhausted(&answer)),
        }
    }
    let asked = mina.begin(DeviceClaim::Untold).await;
    assert!(is_exhausted(
        &mina.answer(&asked, &mina.recovery[0], false).await
    ));
    let signed_in = mina.sign_in(claim(&token), false).await;
    assert!(signed_in.device.expect("known").token.is_none());
    // What a device spends of its own is nobody else's either.
    for tried in 0..6 {
        let asked = mina.begin(claim(&token)).await;
        let answer = mina.answer(&asked, "0000-000-000", false).await;
        assert_eq!(is_exhausted(&answer), tried == 5, "{answer:?}");
    }
    mina.world.clock.advance(Duration::from_secs(15 * 60));
    mina.sign_in(DeviceClaim::Untold, false).await;
}

#[tokio::test]
async fn a_token_of_somebody_else_has_no_tries_at_the_second_factor() {
    let mina = Mina::new(30 * DAY).await;
    mina.world.user(OTHER, PASSWORD).await;
    let theirs = new_device(&mina.world, OTHER).await;
    for tried in 0..7 {
        let asked = mina.begin(claim(&theirs)).await;
        let answer = mina.answer(&asked, "0000-000-000", true).await;
        assert_eq!(is_exhausted(&answer), tried >= 5, "{answer:?}");
    }
}

#[tokio::test]
async fn a_remembered_device_is_not_asked_again_in_its_time() {
    let mut mina = Mina::new(30 * DAY).await;
    let token = token(&mina.sign_in(DeviceClaim::Unknown, true).await);
    let unasked = token_of_another(&mina).await;
    assert!(!mina.is_asked(claim(&token)).await);
    assert!(
        mina.is_asked(claim(&unasked)).await,
        "nobody wanted that there"
    );
    assert!(mina.is_asked(DeviceClaim::Unknown).await);
    assert!(mina.is_asked(DeviceClaim::Untold).await);
    let tokens = sign_in_on(&mina.world, EMAIL, claim(&token)).await;
    assert!(tokens.device.expect("known").token.is_none());
    mina.world.clock.advance(29 * DAY);
    assert!(!mina.is_asked(claim(&token)).await);
    // Signing in does not lengthen it.
    mina.world.clock.advance(DAY);
    assert!(mina.is_asked(claim(&token)).await);
    mina.sign_in(claim(&token), true).await;
    assert!(!mina.is_asked(claim(&token)).await);

    // The policy of today counts.
    mina.world
        .reconfigure(|settings| settings.devices.remembered = Duration::ZERO);
    assert!(mina.is_asked(claim(&token)).await);
    mina.world
        .reconfigure(|settings| settings.devices.remembered = 30 * DAY);
    assert!(!mina.is_asked(claim(&token)).await);
    mina.world
        .reconfigure(|settings| settings.mfa_policy = MfaPolicy::Off);
    assert!(!mina.is_asked(DeviceClaim::Untold).await);
}

async fn token_of_another(mina: &Mina) -> DeviceToken {
    token(&mina.sign_in(DeviceClaim::Unknown, false).await)
}

#[tokio::test]
async fn where_the_policy_does_not_allow_it_nothing_is_remembered_for_later() {
    let mut mina = Mina::new(Duration::ZERO).await;
    let token = token(&mina.sign_in(DeviceClaim::Unknown, true).await);
    mina.sign_in(claim(&token), true).await;
    mina.world
        .reconfigure(|settings| settings.devices.remembered = 30 * DAY);
    assert!(mina.is_asked(claim(&token)).await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_remembers_no_longer() {
    let mina = Mina::new(30 * DAY).await;
    let token = token(&mina.sign_in(DeviceClaim::Unknown, true).await);
    let row = stored(&mina.world, token.digest()).await.expect("a device");
    let shown = row.factor_shown_at.expect("it was shown");
    let just_before = shown.minus(Duration::from_millis(1));
    assert!(row.is_remembered(shown, 30 * DAY));
    assert!(!row.is_remembered(just_before, 30 * DAY));
    assert!(!row.is_remembered(shown.minus(400 * DAY), 30 * DAY));
    // But it is known still, so that its owner is not kept out.
    assert!(row.is_alive(shown.minus(400 * DAY), 180 * DAY));
}

#[tokio::test]
async fn a_remembered_device_does_not_outlive_a_new_password() {
    let mina = Mina::new(30 * DAY).await;
    let token = token(&mina.sign_in(DeviceClaim::Unknown, true).await);
    let proof = mina.world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password(PASSWORD),
        locale: Locale::English,
    };
    reset.execute(&mina.world.app).await.expect("reset");
    assert!(mina.is_asked(claim(&token)).await);
    assert!(mina.is_asked(DeviceClaim::Unknown).await);
}

#[tokio::test]
async fn people_are_told_of_a_new_device_once_the_second_factor_is_shown() {
    let mina = Mina::new(Duration::ZERO).await;
    mina.sign_in(DeviceClaim::Unknown, false).await;
    assert_eq!(notices(&mina.world).await, 0, "the first one");
    mina.world.clock.advance(Duration::from_secs(30));
    let asked = mina.begin(DeviceClaim::Unknown).await;
    assert_eq!(notices(&mina.world).await, 0, "nobody is signed in yet");
    let answered = mina.answer(&asked, &mina.code(), false).await;
    assert!(answered.expect("signed in").device.is_some());
    let sent = mina.world.take_sent().await;
    assert!(
        matches!(&sent[..], [one] if matches!(one.content, Content::NewDevice)
            && one.to == address(EMAIL)),
        "{sent:?}"
    );
    assert!(
        mina.world
            .store
            .has_devices(mina.id)
            .await
            .expect("readable")
    );
}

#[tokio::test]
async fn no_device_is_remembered_after_the_factor_shown_on_it_is_removed() {
    for is_removed in [true, false] {
        let mina = Mina::new(DAY).await;
        let asked = mina.begin(DeviceClaim::Unknown).await;
        let tokens = mina.answer(&asked, &mina.code(), true).await;
        let tokens = tokens.expect("right");
        let token = tokens.device.and_then(|device| device.token);
        let device = claim(&token.expect("a device token"));
        let remembered = try_on(&mina.world, EMAIL, PASSWORD, device).await;
        assert!(matches!(remembered, Ok(Issued::Tokens(_))));
        if is_removed {
            let list = ListFactors {
                access_token: tokens.access_token.clone(),
            };
            let factors = list.execute(&mina.world.app).await.expect("listed").factors;
            // Another one is there, so that somebody is asked.
            mina.enroll_another(&tokens.access_token).await;
            let remove = RemoveFactor {
                access_token: tokens.access_token,
                factor_id: factors[0].factor.id,
                locale: Locale::English,
            };
            remove.execute(&mina.world.app).await.expect("removed");
        } else {
            let regenerate = RegenerateRecoveryCodes {
                access_token: tokens.access_token,
                locale: Locale::English,
            };
            regenerate.execute(&mina.world.app).await.expect("made");
        }
        mina.begin(device).await;
    }
}

/// What was shown there stands for the factors of then.
#[tokio::test]
async fn no_device_is_remembered_after_another_factor_is_enrolled() {
    let mina = Mina::new(DAY).await;
    let tokens = mina.sign_in(DeviceClaim::Unknown, true).await;
    let device = claim(&token(&tokens));
    assert!(!mina.is_asked(device).await);
    mina.enroll_another(&tokens.access_token).await;
    assert!(mina.is_asked(device).await);
    mina.sign_in(device, true).await;
    assert!(!mina.is_asked(device).await);
}

#[tokio::test]
async fn all_known_devices_share_one_budget_of_second_factors() {
    let mina = Mina::new(Duration::ZERO).await;
    let mut devices = Vec::new();
    for _ in 0..2 {
        let asked = mina.begin(DeviceClaim::Unknown).await;
        let tokens = mina.answer(&asked, &mina.code(), false).await;
        let known = tokens.expect("right").device.and_then(|known| known.token);
        devices.push(claim(&known.expect("a device token")));
        mina.world.clock.advance(Duration::from_secs(30));
    }
    let mut compared = 0;
    for turn in 0..20 {
        let asked = mina.begin(devices[turn % devices.len()]).await;
        match mina.answer(&asked, "00000-00000", false).await {
            Err(Error::Exhausted { .. }) => {}
            answer => {
                assert_eq!(refusal(answer), Refusal::SecondFactor);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 5);
}

#[tokio::test]
async fn it_is_told_for_how_long_a_device_may_be_remembered() {
    let day = Duration::from_secs(24 * 3600);
    for (offered, device, told) in [
        (day, DeviceClaim::Unknown, Some(day)),
        (day, DeviceClaim::Untold, None),
        (Duration::ZERO, DeviceClaim::Unknown, None),
    ] {
        let mina = Mina::new(offered).await;
        mina.world.clock.advance(Duration::from_secs(30));
        assert_eq!(mina.begin(device).await.remembered, told);
    }
}
