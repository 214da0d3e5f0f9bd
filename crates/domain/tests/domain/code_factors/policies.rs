//! Who is asked for a second factor, and that nobody is locked out by it.

use countersign_domain::model::{DeviceClaim, GroupPolicy, MfaPolicy};
use countersign_domain::use_cases::{SignUp, SignedUp};

use super::*;

const REQUIRED: MfaPolicy = MfaPolicy::Required;
const UNKNOWN: MfaPolicy = MfaPolicy::RequiredForUnknownDevices;

async fn under(policy: MfaPolicy) -> Mina {
    Mina::with(|settings| settings.mfa_policy = policy).await
}

fn on(device: DeviceClaim) -> IssueTokens {
    IssueTokens {
        device,
        ..sign_in(EMAIL, PASSWORD)
    }
}

fn known(tokens: Tokens) -> DeviceClaim {
    let token = tokens.device.and_then(|device| device.token);
    DeviceClaim::Token(token.expect("a new device").digest())
}

#[tokio::test]
async fn who_has_enrolled_nothing_answers_with_a_code_to_a_verified_address() {
    for policy in [REQUIRED, UNKNOWN] {
        let mina = under(policy).await;
        let asked = mina.asked().await;
        assert_eq!(asked.factors, [MfaFactor::Email, MfaFactor::Sms]);
        for (offered, amr) in asked.codes.iter().zip(["otp", "sms"]) {
            let asked = mina.asked().await;
            let code = mina.code(&asked.id, offered.id).await;
            let tokens = mina.answer(&asked.id, &code).await.expect("signed in");
            assert_eq!(mina.methods(&tokens).await, ["pwd", amr, "mfa"]);
        }
        // There are no recovery codes to be guessed.
        let asked = mina.asked().await;
        let refused = mina.answer(&asked.id, "0000-000-000").await;
        assert_eq!(refusal(refused), Refusal::SecondFactor);
    }
}

#[tokio::test]
async fn who_knows_the_password_alone_enrols_nothing() {
    for policy in [REQUIRED, UNKNOWN] {
        let mut mina = under(MfaPolicy::Optional).await;
        let thief = mina.tokens().await;
        mina.world
            .reconfigure(|settings| settings.mfa_policy = policy);
        // From before the policy, and a moment old.
        let begun = mina.begin(&thief, Channel::Phone, None).await;
        assert_eq!(refusal(begun), Refusal::SecondFactorRequired);
        let asked = mina.asked().await;
        let code = mina.code(&asked.id, asked.codes[0].id).await;
        let owner = mina.answer(&asked.id, &code).await.expect("signed in");
        mina.enroll(&owner.access_token, Channel::Phone).await;
        // What is enrolled counts from then on, and no other address.
        let asked = mina.asked().await;
        assert_eq!(asked.factors, [MfaFactor::RecoveryCode, MfaFactor::Sms]);
    }
}

#[tokio::test]
async fn an_address_stands_in_no_longer_once_something_is_enrolled() {
    let mina = under(REQUIRED).await;
    let before = mina.asked().await;
    let stand_in = before.codes[0].id;
    let code = mina.code(&before.id, stand_in).await;
    let asked = mina.asked().await;
    let shown = mina.code(&asked.id, asked.codes[0].id).await;
    let tokens = mina.answer(&asked.id, &shown).await.expect("signed in");
    mina.enroll(&tokens.access_token, Channel::Phone).await;
    let refused = mina.answer(&before.id, &code).await;
    assert_eq!(refusal(refused), Refusal::SecondFactor);
    let refused = mina.send(&before.id, stand_in).await;
    assert_eq!(refusal(refused), Refusal::Factor);
}

#[tokio::test]
async fn who_has_proved_the_only_address_is_let_in_and_who_has_a_password_alone_is_not() {
    let world = World::with(|settings| settings.mfa_policy = REQUIRED).await;
    let id = world.user(EMAIL, PASSWORD).await;
    let mina = Mina { world, id };
    let tokens = mina.sign_in_by(address(EMAIL)).await.expect("let in");
    let tokens = tokens.into_tokens();
    assert_eq!(mina.methods(&tokens).await, ["otp"]);
    mina.enroll_app(&tokens.access_token).await;
    mina.world.clock.advance(Duration::from_secs(60));
    let asked = required(mina.sign_in_by(address(EMAIL)).await);
    assert_eq!(asked.factors, [MfaFactor::Totp, MfaFactor::RecoveryCode]);

    // A number that gets no messages is as good as none.
    let mut settings = None;
    let world = World::with(|given| {
        given.mfa_policy = REQUIRED;
        settings = Some(given.password_attempts);
    })
    .await;
    let id = phone_only(&world).await;
    let mut mina = Mina { world, id };
    mina.world.reconfigure(|settings| {
        let japan = countersign_domain::model::Region::parse("JP");
        settings.verification.countries = vec![japan.expect("a country")];
    });
    // The password is right: however often, it is not locked by that.
    for _ in 0..=settings.expect("given") {
        let refused = by_phone().execute(&mina.world.app).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorMissing);
    }
    mina.world
        .reconfigure(|settings| settings.verification.countries = Vec::new());
    required(by_phone().execute(&mina.world.app).await);
}

/// A user with a password, and no address but a number.
async fn phone_only(world: &World) -> UserId {
    let send = countersign_domain::use_cases::SendCode {
        address: phone(PHONE),
        ..countersign_domain::testing::send_code(EMAIL, Purpose::SignUp)
    };
    let sent = send.execute(&world.app).await.expect("sent");
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: world.take_code().await,
    };
    let proof = check.execute(&world.app).await.expect("checked").proof;
    let signed_up = SignUp {
        address: phone(PHONE),
        ..world.sign_up_proven(EMAIL, Some(PASSWORD), proof)
    };
    match signed_up.execute(&world.app).await.expect("signed up") {
        SignedUp::Active(id) => id,
        other @ SignedUp::Pending { .. } => panic!("expected a user, got {other:?}"),
    }
}

fn by_phone() -> IssueTokens {
    IssueTokens {
        grant: Grant::Password {
            identifier: phone(PHONE).into(),
            password: countersign_domain::testing::password(PASSWORD),
        },
        ..sign_in(EMAIL, PASSWORD)
    }
}

#[tokio::test]
async fn a_known_device_is_let_in_once_a_second_factor_was_shown_on_it() {
    let mina = under(UNKNOWN).await;
    let asked = required(on(DeviceClaim::Unknown).execute(&mina.world.app).await);
    let code = mina.code(&asked.id, asked.codes[0].id).await;
    let device = known(mina.answer(&asked.id, &code).await.expect("signed in"));
    let issued = on(device).execute(&mina.world.app).await.expect("let in");
    let tokens = issued.into_tokens();
    assert_eq!(mina.methods(&tokens).await, ["pwd"]);
    // Which is not enough to enrol anything.
    let begun = mina.begin(&tokens.access_token, Channel::Phone, None).await;
    assert_eq!(refusal(begun), Refusal::SecondFactorRequired);
    // On another device, and where the gateway tells of none, one is asked for.
    required(on(DeviceClaim::Unknown).execute(&mina.world.app).await);
    mina.asked().await;
}

#[tokio::test]
async fn a_device_that_knew_the_password_before_the_policy_is_asked() {
    let mut mina = under(MfaPolicy::Off).await;
    let issued = on(DeviceClaim::Unknown).execute(&mina.world.app).await;
    let thief = known(issued.expect("signed in").into_tokens());
    mina.world
        .reconfigure(|settings| settings.mfa_policy = UNKNOWN);
    let asked = required(on(thief).execute(&mina.world.app).await);
    let refused = mina.answer(&asked.id, "123456").await;
    assert_eq!(refusal(refused), Refusal::SecondFactor);
    required(on(thief).execute(&mina.world.app).await);
    // Under `required` a device that was shown one is asked as well.
    let code = mina.code(&asked.id, asked.codes[0].id).await;
    mina.answer(&asked.id, &code).await.expect("signed in");
    let let_in = on(thief).execute(&mina.world.app).await.expect("let in");
    drop(let_in.into_tokens());
    mina.world
        .reconfigure(|settings| settings.mfa_policy = REQUIRED);
    required(on(thief).execute(&mina.world.app).await);
}

#[tokio::test]
async fn open_mfa_sessions_outlive_a_change_of_the_policy() {
    let mut mina = under(REQUIRED).await;
    let all = [MfaPolicy::Off, MfaPolicy::Optional, REQUIRED, UNKNOWN];
    for before in all {
        for after in all {
            mina.world
                .reconfigure(|settings| settings.mfa_policy = before);
            let Ok(Issued::MfaRequired(asked)) =
                sign_in(EMAIL, PASSWORD).execute(&mina.world.app).await
            else {
                assert!(!before.is_for_everybody());
                continue;
            };
            let code = mina.code(&asked.id, asked.codes[0].id).await;
            mina.world
                .reconfigure(|settings| settings.mfa_policy = after);
            let refused = mina.answer(&asked.id, &wrong(&code)).await;
            assert_eq!(refusal(refused), Refusal::SecondFactor, "{after:?}");
            let tokens = mina.answer(&asked.id, &code).await.expect("signed in");
            assert_eq!(mina.methods(&tokens).await, ["pwd", "otp", "mfa"]);
            mina.world.clock.advance(Duration::from_secs(24 * 60 * 60));
        }
    }
}

#[tokio::test]
async fn a_group_has_a_policy_of_its_own() {
    let mina = Mina::with(|settings| {
        settings.mfa_policy = REQUIRED;
        let staff = GroupId::parse("staff").expect("a group");
        let own = [(GroupId::fallback(), MfaPolicy::Off), (staff, UNKNOWN)];
        settings.mfa_policy_of_groups = own.into();
    })
    .await;
    mina.tokens().await;
    mina.world.group("guests").await;
    let own = GroupPolicy {
        mfa: Some(MfaPolicy::Optional),
        ..GroupPolicy::default()
    };
    mina.world.group_with("visitors", own).await;
    let groups = &mina.world.app.groups;
    let of = |group| {
        let rules = groups.named(&GroupId::parse(group).expect("a group"));
        rules.expect("a group").mfa_policy()
    };
    assert_eq!(of("staff"), UNKNOWN);
    assert_eq!(of("guests"), REQUIRED);
    assert_eq!(of("visitors"), MfaPolicy::Optional);
}
