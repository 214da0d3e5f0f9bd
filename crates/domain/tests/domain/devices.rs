//! Known devices: what they are good for, what they are not, and what keeps
//! others from having any.

mod codes;
mod second_factors;

use std::time::Duration;

use countersign_domain::application::Tokens;
use countersign_domain::model::{
    Code, Device, DeviceClaim, DeviceDigest, DeviceToken, FactorKind, FactorLabel, GroupId, Locale,
    MfaPolicy, Purpose, TotpSecret, UserId,
};
use countersign_domain::ports::{Clock as _, Content, Devices as _, Users as _};
use countersign_domain::testing::{World, address, password, refusal, sign_in};
use countersign_domain::use_cases::{
    Actor, BeginEnrollment, ChangePassword, ConfirmEnrollment, EnrollmentAnswer, Grant,
    IssueTokens, Issued, ListFactors, MfaAnswer, MfaRequired, RegenerateRecoveryCodes,
    RemoveFactor, ResetPassword, RevokeUserSessions, ValidateMfaSession,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const OTHER: &str = "juno@example.com";
const PASSWORD: &str = "a long enough phrase";
const WRONG: &str = "another long phrase";
const DAY: Duration = Duration::from_secs(86_400);

/// What a gateway tells of the token that it was given.
fn claim(token: &DeviceToken) -> DeviceClaim {
    DeviceClaim::Token(token.digest())
}

async fn try_on(
    world: &World,
    email: &str,
    text: &str,
    device: DeviceClaim,
) -> Result<Issued, Error> {
    let sign_in = IssueTokens {
        device,
        ..sign_in(email, text)
    };
    sign_in.execute(&world.app).await
}

async fn sign_in_on(world: &World, email: &str, device: DeviceClaim) -> Tokens {
    let issued = try_on(world, email, PASSWORD, device).await;
    issued.expect("signed in").into_tokens()
}

/// A token of a device on which somebody signs in first.
async fn new_device(world: &World, email: &str) -> DeviceToken {
    token(&sign_in_on(world, email, DeviceClaim::Unknown).await)
}

fn token(tokens: &Tokens) -> DeviceToken {
    let device = tokens.device.clone().expect("the device is known");
    device.token.expect("a token")
}

/// Tries a wrong password until no more are compared.
async fn exhaust(world: &World, email: &str, device: DeviceClaim) -> u32 {
    for tried in 0..500 {
        match try_on(world, email, WRONG, device).await {
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            }) => return tried,
            other => assert_eq!(refusal(other), Refusal::SignIn),
        }
    }
    panic!("there is no end to the tries");
}

fn is_exhausted<T>(result: &Result<T, Error>) -> bool {
    let limit = Limit::Attempts;
    matches!(result, Err(Error::Exhausted { limit: l, .. }) if *l == limit)
}

async fn notices(world: &World) -> usize {
    let sent = world.take_sent().await;
    let new_device = sent
        .iter()
        .filter(|m| matches!(m.content, Content::NewDevice));
    new_device.count()
}

async fn stored(world: &World, digest: DeviceDigest) -> Option<Device> {
    world.store.device(&digest).await.expect("readable")
}

#[tokio::test]
async fn a_device_token_is_given_once_and_stays_good() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let untold = sign_in_on(&world, EMAIL, DeviceClaim::Untold).await;
    assert!(untold.device.is_none(), "the gateway keeps none");
    let token = new_device(&world, EMAIL).await;
    world.clock.advance(DAY);
    let again = sign_in_on(&world, EMAIL, claim(&token)).await;
    let known = again.device.expect("it is known");
    assert!(known.token.is_none(), "it stays as it is");
    assert_eq!(known.expires_at, world.app.clock.now().plus(180 * DAY));
    let refreshed = world.refresh(&again.refresh_token).await;
    assert!(refreshed.expect("refreshed").device.is_none());
    assert_eq!(
        format!("{token:?}{:?}", claim(&token))
            .matches("csd_")
            .count(),
        0
    );
}

#[tokio::test]
async fn strangers_who_use_up_all_tries_do_not_keep_a_known_device_out() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    assert_eq!(exhaust(&world, EMAIL, DeviceClaim::Untold).await, 10);
    let unknown = try_on(&world, EMAIL, PASSWORD, DeviceClaim::Unknown).await;
    assert!(is_exhausted(&unknown));
    for _ in 0..20 {
        sign_in_on(&world, EMAIL, claim(&token)).await;
    }
    let unknown = try_on(&world, EMAIL, PASSWORD, DeviceClaim::Unknown).await;
    assert!(is_exhausted(&unknown), "strangers have no new tries");
}

#[tokio::test]
async fn a_password_that_is_locked_to_strangers_is_not_to_a_known_device() {
    let mut world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    // From as many sources as it takes.
    world.reconfigure(|settings| {
        settings.source_attempts.clear();
        settings.password_attempts = 7;
    });
    for _ in 0..10 {
        let wrong = try_on(&world, EMAIL, WRONG, DeviceClaim::Untold).await;
        assert_eq!(refusal(wrong), Refusal::SignIn);
    }
    for _ in 0..3 {
        sign_in_on(&world, EMAIL, claim(&token)).await;
        let right = try_on(&world, EMAIL, PASSWORD, DeviceClaim::Untold).await;
        assert_eq!(refusal(right), Refusal::SignIn, "it stays locked");
    }
    // Its own tries in a row have the same end, and spend nobody else's.
    for _ in 0..7 {
        let wrong = try_on(&world, EMAIL, WRONG, claim(&token)).await;
        assert_eq!(refusal(wrong), Refusal::SignIn);
    }
    let right = try_on(&world, EMAIL, PASSWORD, claim(&token)).await;
    assert_eq!(refusal(right), Refusal::SignIn);
}

#[tokio::test]
async fn a_good_sign_in_on_a_known_device_clears_a_few_failures_of_others() {
    let world = World::new().await;
    let user = world.user(EMAIL, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    let failures = async || {
        let account = world.store.account(user).await.expect("readable");
        let credential = account.and_then(|account| account.credential);
        credential.expect("a password").failures
    };
    for _ in 0..3 {
        try_on(&world, EMAIL, WRONG, DeviceClaim::Untold).await.ok();
    }
    try_on(&world, EMAIL, WRONG, claim(&token)).await.ok();
    assert_eq!(failures().await, 3, "those of a device are its own");
    sign_in_on(&world, EMAIL, claim(&token)).await;
    assert_eq!(failures().await, 0);
    let device = stored(&world, token.digest()).await.expect("a device");
    assert_eq!(device.failures, 0);
}

#[tokio::test]
async fn the_tries_of_a_device_spend_nobody_elses() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let [token, second] = [
        new_device(&world, EMAIL).await,
        new_device(&world, EMAIL).await,
    ];
    assert_eq!(exhaust(&world, EMAIL, claim(&token)).await, 10);
    sign_in_on(&world, EMAIL, claim(&second)).await;
    sign_in_on(&world, EMAIL, DeviceClaim::Untold).await;
}

#[tokio::test]
async fn a_device_that_has_no_attempts_left_is_as_good_as_none() {
    let world = World::with(|settings| settings.password_attempts = 8).await;
    world.user(EMAIL, PASSWORD).await;
    let device = claim(&new_device(&world, EMAIL).await);
    for _ in 0..8 {
        let wrong = try_on(&world, EMAIL, WRONG, device).await;
        assert_eq!(refusal(wrong), Refusal::SignIn);
    }
    let signed_in = try_on(&world, EMAIL, PASSWORD, device).await;
    signed_in.expect("as from a device that is not known");
}

#[tokio::test]
async fn a_token_that_is_not_the_accounts_gives_nothing_and_charges_only_its_bearer() {
    let world = World::new().await;
    let mina = world.user(EMAIL, PASSWORD).await;
    world.user(OTHER, PASSWORD).await;
    let theirs = new_device(&world, OTHER).await;
    let removed = new_device(&world, EMAIL).await;
    for _ in 0..Device::PER_USER {
        new_device(&world, EMAIL).await;
        notices(&world).await;
    }
    assert_eq!(
        stored(&world, removed.digest()).await,
        None,
        "the oldest goes"
    );
    let of_mina = new_device(&world, EMAIL).await;
    let row = stored(&world, of_mina.digest()).await.expect("a device");
    assert_eq!(row.user_id, mina);
    // Whoever reads the database has digests, of which no token can be made.
    let from_row = format!("csd_{}", row.digest.to_text());
    let from_row = DeviceToken::parse(from_row).expect("it has the form");
    let invented = DeviceClaim::Token(DeviceDigest::from_bytes([7; 32]));
    let elsewhere = IssueTokens {
        group: world.group("elsewhere").await,
        device: claim(&of_mina),
        ..sign_in(EMAIL, PASSWORD)
    };
    assert_eq!(
        refusal(elsewhere.execute(&world.app).await),
        Refusal::SignIn
    );

    exhaust(&world, EMAIL, DeviceClaim::Untold).await;
    for bad in [claim(&theirs), claim(&removed), claim(&from_row), invented] {
        for text in [PASSWORD, WRONG] {
            let refused = try_on(&world, EMAIL, text, bad).await;
            assert!(is_exhausted(&refused), "{bad:?}");
        }
    }
    let device = stored(&world, theirs.digest()).await.expect("a device");
    assert_eq!(device.failures, 0, "nothing is charged to it");
    sign_in_on(&world, OTHER, claim(&theirs)).await;
    sign_in_on(&world, EMAIL, claim(&of_mina)).await;
}

/// The account is read before its charge for a device that is there alone: an
/// invented token does not make an exhausted source dear.
#[tokio::test]
async fn an_exhausted_source_with_an_invented_token_reads_no_account() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.user(OTHER, PASSWORD).await;
    let theirs = new_device(&world, OTHER).await;
    exhaust(&world, EMAIL, DeviceClaim::Untold).await;
    let invented = DeviceClaim::Token(DeviceDigest::from_bytes([7; 32]));
    let reads = async |device| {
        world.store.take_accounts_read();
        let refused = try_on(&world, EMAIL, PASSWORD, device).await;
        assert!(is_exhausted(&refused), "{device:?}");
        world.store.take_accounts_read()
    };
    assert_eq!(reads(DeviceClaim::Untold).await, 0);
    assert_eq!(reads(DeviceClaim::Unknown).await, 0);
    assert_eq!(reads(invented).await, 0);
    assert_eq!(reads(claim(&theirs)).await, 1, "it may be the account's");
}

#[tokio::test]
async fn a_token_that_is_not_known_is_replaced() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.user(OTHER, PASSWORD).await;
    let theirs = new_device(&world, OTHER).await;
    let mine = token(&sign_in_on(&world, EMAIL, claim(&theirs)).await);
    assert_ne!(mine.digest(), theirs.digest());
    let still = sign_in_on(&world, OTHER, claim(&theirs)).await;
    assert!(
        still.device.expect("known").token.is_none(),
        "it is theirs still"
    );
}

#[tokio::test]
async fn an_unknown_user_with_a_token_is_read_as_one_without() {
    let world = World::new().await;
    world.user(OTHER, PASSWORD).await;
    let theirs = new_device(&world, OTHER).await;
    world.hasher.take_count();
    for device in [DeviceClaim::Untold, DeviceClaim::Unknown, claim(&theirs)] {
        let refused = try_on(&world, "nobody@example.com", PASSWORD, device).await;
        assert_eq!(refusal(refused), Refusal::SignIn);
        assert_eq!(world.hasher.take_count(), 1, "one hash on each path");
    }
}

#[tokio::test]
async fn no_device_outlives_a_new_password_or_a_revocation_of_all() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let is_known = async |token: &DeviceToken| {
        exhaust(&world, EMAIL, DeviceClaim::Untold).await;
        let issued = try_on(&world, EMAIL, PASSWORD, claim(token)).await;
        world.clock.advance(DAY);
        issued.is_ok()
    };

    let token = new_device(&world, EMAIL).await;
    assert!(is_known(&token).await, "the control");
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("proved"),
        new: password(PASSWORD),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    assert!(!is_known(&token).await, "after a reset");

    let tokens = sign_in_on(&world, EMAIL, claim(&token)).await;
    assert_eq!(notices(&world).await, 1, "what was known before is new");
    let token = self::token(&tokens);
    let change = ChangePassword {
        access_token: tokens.access_token,
        current: password(PASSWORD),
        new: password(PASSWORD),
        locale: Locale::English,
    };
    change.execute(&world.app).await.expect("changed");
    assert!(!is_known(&token).await, "after a change");

    let tokens = sign_in_on(&world, EMAIL, DeviceClaim::Unknown).await;
    let token = self::token(&tokens);
    let revoke = RevokeUserSessions {
        actor: Actor::Person(tokens.access_token),
        keep_current: true,
    };
    revoke.execute(&world.app).await.expect("revoked");
    assert!(!is_known(&token).await, "after a revocation");
}

#[tokio::test]
async fn a_shorter_lifetime_ends_what_was_known_before_it() {
    let mut world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    world.clock.advance(2 * DAY);
    world.reconfigure(|settings| settings.devices.lifetime = DAY);
    exhaust(&world, EMAIL, DeviceClaim::Untold).await;
    assert!(is_exhausted(
        &try_on(&world, EMAIL, PASSWORD, claim(&token)).await
    ));
    world.reconfigure(|settings| settings.devices.lifetime = 3 * DAY);
    sign_in_on(&world, EMAIL, claim(&token)).await;
}

#[tokio::test]
async fn people_are_told_of_a_device_that_is_new_but_not_of_the_first() {
    let mut world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    let token = new_device(&world, EMAIL).await;
    assert_eq!(notices(&world).await, 0, "the first one");
    sign_in_on(&world, EMAIL, claim(&token)).await;
    sign_in_on(&world, EMAIL, DeviceClaim::Untold).await;
    try_on(&world, EMAIL, WRONG, DeviceClaim::Unknown)
        .await
        .ok();
    assert_eq!(notices(&world).await, 0, "known, untold, refused");
    new_device(&world, EMAIL).await;
    assert_eq!(notices(&world).await, 1);
    world.store.fail_commits(true);
    try_on(&world, EMAIL, PASSWORD, DeviceClaim::Unknown)
        .await
        .ok();
    world.store.fail_commits(false);
    assert_eq!(notices(&world).await, 0, "there was no sign-in");
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let with_code = IssueTokens {
        grant: Grant::VerifiedCode(proof),
        device: DeviceClaim::Unknown,
        ..sign_in(EMAIL, PASSWORD)
    };
    let issued = with_code.execute(&world.app).await.expect("signed in");
    assert!(issued.into_tokens().device.is_some());
    assert_eq!(notices(&world).await, 1, "by a code too");
    world.reconfigure(|settings| settings.devices.notices = false);
    new_device(&world, EMAIL).await;
    assert_eq!(notices(&world).await, 0, "they are turned off");
}

#[tokio::test]
async fn an_outage_between_the_comparison_and_the_commit_makes_nothing_known() {
    let world = World::new().await;
    let user = world.user(EMAIL, PASSWORD).await;
    world.store.fail_commits(true);
    let failed = try_on(&world, EMAIL, PASSWORD, DeviceClaim::Unknown).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    assert!(!world.store.has_devices(user).await.expect("readable"));
    world.store.fail_commits(false);
    let token = new_device(&world, EMAIL).await;
    world.store.fail_commits(true);
    for _ in 0..15 {
        let failed = try_on(&world, EMAIL, PASSWORD, claim(&token)).await;
        assert!(matches!(failed, Err(Error::Store(_))), "no budget is spent");
    }
    world.store.fail_commits(false);
    sign_in_on(&world, EMAIL, claim(&token)).await;
    let device = stored(&world, token.digest()).await.expect("a device");
    assert_eq!(device.failures, 0);
}

#[tokio::test]
async fn sixty_four_sign_ins_at_once_are_of_one_device() {
    let world = World::with(|settings| settings.source_attempts.clear()).await;
    let user = world.user(EMAIL, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    let sign_ins = (0..64).map(|_| sign_in_on(&world, EMAIL, claim(&token)));
    let tokens = futures_util::future::join_all(sign_ins).await;
    for tokens in tokens {
        assert!(tokens.device.expect("known").token.is_none());
    }
    let device = stored(&world, token.digest()).await.expect("a device");
    assert_eq!((device.user_id, device.failures), (user, 0));
}
