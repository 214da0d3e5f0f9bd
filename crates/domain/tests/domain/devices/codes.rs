//! Known devices and codes: strangers neither use up what an owner may ask for
//! there, nor end it.

use countersign_domain::testing::send_code;
use countersign_domain::use_cases::{CheckCode, CheckedCode, SendCode, SentCode, Which};

use super::*;

/// More than the pause between two messages.
const PAUSE: Duration = Duration::from_secs(61);
/// Messages of an address, and wrong codes, in a day.
const CAP: usize = 10;

async fn ask(world: &World, device: DeviceClaim) -> Result<SentCode, Error> {
    let send = SendCode {
        device,
        ..send_code(EMAIL, Purpose::SignIn)
    };
    send.execute(&world.app).await
}

async fn check(world: &World, which: Which, code: Code) -> Result<CheckedCode, Error> {
    CheckCode { which, code }.execute(&world.app).await
}

fn latest() -> Which {
    Which::Latest(GroupId::fallback(), address(EMAIL), Purpose::SignIn)
}

fn wrong(code: &Code) -> Code {
    let other = if code.expose() == "111111" {
        "222222"
    } else {
        "111111"
    };
    Code::typed(other).expect("a code")
}

fn says<T>(result: &Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "OK",
        Err(Error::Exhausted { .. }) => "exhausted",
        Err(Error::Refused(_)) => "refused",
        Err(_) => "failed",
    }
}

/// Strangers send what can be sent, and guess until nothing is compared any more.
async fn attack(world: &World) -> (usize, usize) {
    let (mut sent, mut compared) = (0, 0);
    while ask(world, DeviceClaim::Untold).await.is_ok() {
        sent += 1;
        let code = world.take_code().await;
        while says(&check(world, latest(), wrong(&code)).await) == "refused" && compared < 500 {
            compared += 1;
        }
        world.clock.advance(PAUSE);
    }
    (sent, compared)
}

#[tokio::test]
async fn strangers_use_up_nothing_of_a_known_device() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.user(OTHER, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    let others = new_device(&world, OTHER).await;
    world.clock.advance(DAY);
    let (sent, _) = attack(&world).await;
    assert_eq!(sent, CAP);
    assert_eq!(says(&ask(&world, DeviceClaim::Unknown).await), "exhausted");
    assert_eq!(says(&ask(&world, claim(&others)).await), "exhausted");
    for turn in 0..CAP {
        world.clock.advance(PAUSE);
        let asked = ask(&world, claim(&token)).await.expect("a code");
        let code = world.take_code().await;
        let checked = check(&world, Which::Id(asked.record.id), code).await;
        let checked = checked.unwrap_or_else(|error| panic!("{turn}: {error:?}"));
        let sign_in = IssueTokens {
            grant: Grant::VerifiedCode(checked.proof),
            ..sign_in(EMAIL, PASSWORD)
        };
        sign_in.execute(&world.app).await.expect("signed in");
    }
    // It has as many as the address, and no more.
    world.clock.advance(PAUSE);
    assert_eq!(says(&ask(&world, claim(&token)).await), "exhausted");
}

#[tokio::test]
async fn a_code_of_a_known_device_is_found_and_ended_there_alone() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let (token, second) = (
        new_device(&world, EMAIL).await,
        new_device(&world, EMAIL).await,
    );
    let asked = ask(&world, claim(&token)).await.expect("a code");
    let code = world.take_code().await;
    assert_eq!(
        says(&check(&world, latest(), code.clone()).await),
        "refused"
    );
    for device in [DeviceClaim::Untold, claim(&second)] {
        ask(&world, device).await.expect("another code");
        world.take_code().await;
    }
    let checked = check(&world, Which::Id(asked.record.id), code).await;
    assert_eq!(says(&checked), "OK");

    world.clock.advance(PAUSE);
    let earlier = ask(&world, claim(&token)).await.expect("a code");
    let code = world.take_code().await;
    world.clock.advance(PAUSE);
    ask(&world, claim(&token)).await.expect("its successor");
    let checked = check(&world, Which::Id(earlier.record.id), code).await;
    assert_eq!(says(&checked), "refused");
}

#[tokio::test]
async fn a_device_from_before_a_new_password_has_no_codes_of_its_own() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let token = new_device(&world, EMAIL).await;
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    let reset = ResetPassword {
        proof: proof.expect("a proof"),
        new: password(WRONG),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("set anew");
    attack(&world).await;
    world.clock.advance(PAUSE);
    assert_eq!(says(&ask(&world, claim(&token)).await), "exhausted");
}
