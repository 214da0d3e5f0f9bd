//! Links: good once, worth what a code is worth, and nobody's to spend but those
//! who have the whole of it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::model::{Code, GroupId, Link, LinkToken, Purpose, VerificationId};
use countersign_domain::ports::EphemeralStore as _;
use countersign_domain::testing::{World, address, refusal, send_code, send_link};
use countersign_domain::use_cases::{
    CancelVerification, CheckCode, CheckLink, CheckedCode, GetVerification, GetVerificationOfLink,
    SendCode, Which,
};
use countersign_domain::{Error, Refusal};
use futures_util::future::join_all;

mod proofs;
mod sending;

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

/// Sends a link and takes it out of the mail.
async fn link(world: &World, purpose: Purpose) -> (VerificationId, Link) {
    let sent = send_link(EMAIL, purpose).execute(&world.app).await;
    let id = sent.expect("sent").record.id;
    let link = world.take_link().await;
    world
        .clock
        .advance(world.app.settings.verification.cooldown);
    (id, link)
}

async fn open(world: &World, token: &LinkToken) -> Result<CheckedCode, Error> {
    let token = token.clone();
    CheckLink { token }.execute(&world.app).await
}

async fn look(world: &World, token: &LinkToken) -> Result<u32, Error> {
    let token = token.clone();
    let shown = GetVerificationOfLink { token }.execute(&world.app).await?;
    Ok(shown.remaining_attempts)
}

/// The same verification, and another secret.
fn forged(token: &LinkToken) -> LinkToken {
    let mut bytes = URL_SAFE_NO_PAD.decode(&*token.expose()).expect("base64url");
    bytes[31] ^= 1;
    LinkToken::parse(&URL_SAFE_NO_PAD.encode(bytes)).expect("a token")
}

#[tokio::test]
async fn of_64_who_open_a_link_at_once_one_gets_a_proof() {
    let world = World::new().await;
    let (_, link) = link(&world, Purpose::SignUp).await;
    let opened = join_all((0..64).map(|_| open(&world, &link.token))).await;
    let (right, wrong): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(right.len(), 1);
    for late in wrong {
        assert_eq!(refusal(late), Refusal::Verification);
    }
}

#[tokio::test]
async fn a_scanner_that_looks_a_hundred_times_spends_nothing() {
    let world = World::new().await;
    let (id, link) = link(&world, Purpose::SignUp).await;
    for _ in 0..100 {
        assert_eq!(look(&world, &link.token).await.expect("shown"), 1);
    }
    let shown = GetVerification { id }.execute(&world.app).await;
    assert_eq!(shown.expect("shown").remaining_attempts, 1);
    open(&world, &link.token).await.expect("right");
    assert_eq!(
        refusal(look(&world, &link.token).await),
        Refusal::Verification
    );
    assert_eq!(
        refusal(open(&world, &link.token).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn a_code_kills_an_earlier_link_and_a_link_an_earlier_code() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let (_, first) = link(&world, Purpose::SignUp).await;
    let sent = send_code(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let which = || Which::Latest(GroupId::fallback(), address(EMAIL), Purpose::SignUp);
    let code = world.take_code().await;
    world
        .clock
        .advance(world.app.settings.verification.cooldown);
    assert_eq!(
        refusal(open(&world, &first.token).await),
        Refusal::Verification
    );
    // One of another purpose kills nothing.
    let (_, other) = link(&world, Purpose::SignIn).await;
    let shown = GetVerification {
        id: sent.expect("sent").record.id,
    };
    shown.execute(&world.app).await.expect("it is alive");

    let (id, second) = link(&world, Purpose::SignUp).await;
    for which in [which(), Which::Id(id)] {
        let code = code.clone();
        let late = CheckCode { which, code }.execute(&world.app).await;
        assert_eq!(refusal(late), Refusal::Verification);
    }
    let (_, third) = link(&world, Purpose::SignUp).await;
    assert_eq!(
        refusal(open(&world, &second.token).await),
        Refusal::Verification
    );
    open(&world, &third.token).await.expect("the latest");
    open(&world, &other.token).await.expect("the other");
}

/// A world in which a link was opened after so many wrong tokens.
async fn after_wrong_tokens(count: usize) -> World {
    let world = World::new().await;
    let (_, link) = link(&world, Purpose::SignUp).await;
    for _ in 0..count {
        let forged = forged(&link.token);
        assert_eq!(refusal(open(&world, &forged).await), Refusal::Verification);
        assert_eq!(refusal(look(&world, &forged).await), Refusal::Verification);
        let invented = LinkToken::generate(&*world.app.random);
        assert_eq!(
            refusal(open(&world, &invented).await),
            Refusal::Verification
        );
    }
    open(&world, &link.token).await.expect("right");
    world
}

#[tokio::test]
async fn wrong_tokens_charge_nobody_and_spend_nothing() {
    let world = after_wrong_tokens(1_000).await;
    let budgets = after_wrong_tokens(0).await.ephemeral.budgets();
    assert_eq!(world.ephemeral.budgets(), budgets, "nothing is counted");
    // The owner of the address has all tries of codes.
    let sent = send_code(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let wrong = CheckCode {
        which: Which::Id(sent.expect("sent").record.id),
        code: Code::parse("nope".into()).expect("a code"),
    };
    let refused = refusal(wrong.execute(&world.app).await);
    assert_eq!(refused, Refusal::Code { remaining: 4 });
}

#[tokio::test]
async fn a_code_is_no_token_and_the_id_of_a_link_takes_no_code() {
    let world = World::new().await;
    let (id, link) = link(&world, Purpose::SignUp).await;
    for which in [
        Which::Id(id),
        Which::Latest(GroupId::fallback(), address(EMAIL), Purpose::SignUp),
    ] {
        let code = Code::parse(link.token.expose()[..40].replace(['-', '_'], "x")).expect("a code");
        let checked = CheckCode { which, code }.execute(&world.app).await;
        assert_eq!(refusal(checked), Refusal::Verification);
    }
    open(&world, &link.token).await.expect("it was not spent");
}

#[tokio::test]
async fn a_link_expires_by_the_clock_of_all_though_it_is_still_kept() {
    let world = World::new().await;
    let sent = send_link(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let record = sent.expect("sent").record;
    let link = world.take_link().await;
    world.clock.jump_to(record.expires_at);
    world.read().await;
    assert_eq!(
        refusal(look(&world, &link.token).await),
        Refusal::Verification
    );
    assert_eq!(
        refusal(open(&world, &link.token).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn a_link_whose_time_is_over_is_gone() {
    let world = World::new().await;
    let sent = SendCode {
        ttl: Some(Duration::from_secs(3_600)),
        ..send_link(EMAIL, Purpose::SignUp)
    };
    sent.execute(&world.app).await.expect("sent");
    let link = world.take_link().await;
    world.clock.advance(Duration::from_secs(3_599));
    look(&world, &link.token).await.expect("still good");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        refusal(open(&world, &link.token).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn a_cancelled_link_is_dead() {
    let world = World::new().await;
    let (id, link) = link(&world, Purpose::SignUp).await;
    for _ in 0..2 {
        let cancelled = CancelVerification { id }.execute(&world.app).await;
        cancelled.expect("cancelled");
    }
    assert_eq!(
        refusal(open(&world, &link.token).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn a_damaged_link_is_an_error_and_no_answer() {
    let world = World::new().await;
    let (id, link) = link(&world, Purpose::SignUp).await;
    let key = format!("link:{id}");
    let kept = world.ephemeral.get(&key).await.expect("the store works");
    let mut kept = kept.expect("it is kept");
    kept[40] ^= 1;
    let put = world.ephemeral.put(&key, &kept, Duration::from_secs(60));
    put.await.expect("the store works");
    for outcome in [
        open(&world, &link.token).await.map(drop),
        look(&world, &link.token).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::Internal(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_answer_and_spends_no_link() {
    let world = World::new().await;
    let (_, link) = link(&world, Purpose::SignUp).await;
    world.ephemeral.set_broken(true);
    for _ in 0..3 {
        for outcome in [
            open(&world, &link.token).await.map(drop),
            look(&world, &link.token).await.map(drop),
        ] {
            let error = outcome.expect_err("nobody can tell");
            assert!(!error.is_an_answer(), "{error}");
        }
    }
    world.ephemeral.set_broken(false);
    open(&world, &link.token).await.expect("right");
}
