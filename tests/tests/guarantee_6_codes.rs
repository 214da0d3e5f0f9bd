//! Guarantee 6, over many codes: only a real comparison is a try, the right code
//! gives back no more than its own, and an address has ten a day, whatever the
//! purpose, the group and the number of codes.
//!
//! A code cannot expire sooner than after half a minute, so that is left to
//! `cargo test -p countersign-tests --test guarantee_6_codes -- --ignored`.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PASSWORD, Person, Tally, World, crowd, email, on_a_backend, on_every_backend,
    reason,
};
use tokio::time::sleep;

on_every_backend!(
    guesses_at_a_dead_code_are_no_tries,
    parallel_guesses_beyond_the_fifth_are_no_tries,
    right_codes_do_not_renew_the_tries_of_an_address,
    many_groups_do_not_multiply_the_tries_of_an_address,
    new_mfa_sessions_bring_no_new_tries,
);

const CODE: &str = "424242";
const TRIES_OF_A_CODE: usize = 5;
const TRIES_OF_AN_ADDRESS: usize = 10;
const GUESSES: usize = 500;
/// Each guess at an MFA session takes a transaction, and on SQLite they wait in one line:
/// an unoptimised server must get through it while the last one waits.
const GUESSES_IN_LINE: usize = 200;

/// How a code dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    Used,
    Replaced,
    Cancelled,
    Exhausted,
    NeverMade,
    Expired,
}

async fn guesses_at_a_dead_code_are_no_tries(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mut left = Tally::default();
    for death in [
        Death::Used,
        Death::Replaced,
        Death::Cancelled,
        Death::Exhausted,
        Death::NeverMade,
    ] {
        let (compared, expected) = tries_after_guessing_at_a_dead_code(&world, death).await;
        left.add(if compared == expected {
            "all left"
        } else {
            "spent"
        });
    }
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): {GUESSES} guesses each at a used, replaced, \
         cancelled, exhausted and unknown code: the tries of the addresses are {left}",
        world.replicas().len(),
    );
    left.assert_only(&["all left"]);
}

#[test]
#[ignore = "waits for half a minute"]
fn guesses_at_an_expired_code_are_no_tries() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let counted = tries_after_guessing_at_a_dead_code(&world, Death::Expired).await;
        countersign_tests::say!(
            "guarantee 6 on {backend}: {GUESSES} guesses at an expired code: tries left {} of {}",
            counted.0,
            counted.1,
        );
        assert_eq!(counted.0, counted.1);
    });
}

/// Kills a code, guesses at it, and counts how many tries the address has left,
/// and how many it must have.
async fn tries_after_guessing_at_a_dead_code(world: &World, death: Death) -> (usize, usize) {
    let gateways = world.gateways(2);
    let (gateway, address) = (&gateways[0], world.new_email());
    let mut id = send(gateway, &address, "").await;
    let mut spent = 0;
    match death {
        Death::Used => drop(gateway.check_code(&id, CODE).await.expect("a proof")),
        Death::Replaced => drop(send(gateway, &address, "").await),
        Death::Cancelled => gateway.cancel(&id).await.expect("cancelled"),
        Death::Exhausted => spent = guess_wrong(gateway, &id, TRIES_OF_A_CODE).await,
        Death::NeverMade => id = "01890a5d-ac96-774b-bcce-b302099a8057".into(),
        // The shortest life that a code may have is 30 seconds.
        Death::Expired => {
            let request = v1::SendCodeRequest {
                identifier: Some(email(&address)),
                purpose: v1::Purpose::SignUp.into(),
                code: CODE.into(),
                ttl: Some(Duration::from_secs(30).try_into().expect("a duration")),
                ..Default::default()
            };
            id = gateway.ask_for_code(request).await.expect("a code is sent");
            sleep(Duration::from_secs(31)).await;
        }
    }
    let outcomes = crowd(GUESSES, |turn| {
        let (gateway, id) = (gateways[turn % gateways.len()].clone(), id.clone());
        async move { gateway.check_code(&id, &format!("{turn:06}")).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    assert_eq!(
        tally.count("VERIFICATION_NOT_FOUND"),
        GUESSES,
        "{death:?}: {tally}"
    );
    let right = gateway.check_code(&id, CODE).await;
    assert_eq!(reason(&right), "VERIFICATION_NOT_FOUND", "{death:?}");
    let left = tries_left(&gateways, &address).await;
    (left, TRIES_OF_AN_ADDRESS - spent)
}

async fn new_mfa_sessions_bring_no_new_tries(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let (gateways, mina) = (world.gateways(2), world.sign_up().await);
    let nobody = world.new_email();
    let guesses = match backend {
        Backend::Sqlite => GUESSES_IN_LINE,
        _ => GUESSES,
    };
    for (who, address) in [("a user", &mina.email), ("nobody", &nobody)] {
        let mut compared = Vec::new();
        for _ in 0..3 {
            let created = gateways[0].create_mfa(email(address), CODE).await;
            let id = created.expect("an MFA session");
            let outcomes = crowd(guesses, |turn| {
                let (gateway, id) = (gateways[turn % gateways.len()].clone(), id.clone());
                async move { gateway.validate_mfa(&id, &format!("{turn:06}")).await }
            })
            .await;
            let tally = Tally::of(&outcomes);
            tally.assert_only(&["CODE_WRONG", "MFA_SESSION_NOT_FOUND", "TOO_MANY_ATTEMPTS"]);
            compared.push(tally.count("CODE_WRONG"));
        }
        countersign_tests::say!(
            "guarantee 6 on {backend}, {} replica(s): {guesses} parallel guesses at each of three \
             MFA sessions of {who}: compared {compared:?}",
            world.replicas().len(),
        );
        assert_eq!(compared, [TRIES_OF_A_CODE, TRIES_OF_A_CODE, 0]);
    }
}

async fn parallel_guesses_beyond_the_fifth_are_no_tries(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(2);
    let address = world.new_email();
    let id = send(&gateways[0], &address, "").await;
    let outcomes = crowd(GUESSES, |turn| {
        let (gateway, id) = (gateways[turn % gateways.len()].clone(), id.clone());
        async move { gateway.check_code(&id, &format!("{turn:06}")).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    let id = send(&gateways[0], &address, "").await;
    let owner = gateways[0].check_code(&id, CODE).await;
    let left = tries_left(&gateways, &address).await;
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): {GUESSES} parallel guesses of one code: {tally}; \
         the owner's next code: {}; tries left {left}",
        world.replicas().len(),
        reason(&owner),
    );
    assert_eq!(tally.count("CODE_WRONG"), TRIES_OF_A_CODE, "{tally}");
    assert_eq!(reason(&owner), "OK");
    assert_eq!(left, TRIES_OF_AN_ADDRESS - TRIES_OF_A_CODE);
}

async fn right_codes_do_not_renew_the_tries_of_an_address(backend: Backend) {
    const ROUNDS: usize = 4;
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    world.make_groups(&["other"]).await;
    let (mut wrong, mut right) = (Tally::default(), Tally::default());
    for _ in 0..ROUNDS {
        for purpose in [v1::Purpose::SignIn, v1::Purpose::SignUp] {
            for group in ["", "other"] {
                let request = request(&mina.email, purpose, group);
                let sent = mina.gateway.ask_for_code(request).await;
                let id = sent.expect("a code is sent");
                guess(&mina, &id, CODE, &mut wrong, &mut right).await;
            }
        }
        let id = mina.forget_password().await.expect("a code is sent");
        let code = world.read_code(&mina.email).await;
        guess(&mina, &id, &code, &mut wrong, &mut right).await;
        let pending = mina.gateway.sign_up_unproven(&mina.email, PASSWORD).await;
        let id = pending.expect("it answers as for anybody").verification_id;
        for _ in 1..TRIES_OF_A_CODE {
            wrong.add(&reason(&mina.gateway.confirm(&id, "000000").await));
        }
    }
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): codes to sign in, sign up, reset and confirm of \
         one address, in two groups: wrong ones {wrong}; right ones in between {right}",
        world.replicas().len(),
    );
    assert_eq!(
        wrong.count("CODE_WRONG"),
        TRIES_OF_AN_ADDRESS,
        "compared: {wrong}"
    );
}

async fn many_groups_do_not_multiply_the_tries_of_an_address(backend: Backend) {
    const GROUPS: usize = 8;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(1);
    let address = world.new_email();
    let groups: Vec<_> = (0..GROUPS)
        .map(|number| format!("group-{number}"))
        .collect();
    let ids: Vec<_> = groups.iter().map(String::as_str).collect();
    world.make_groups(&ids).await;
    let mut compared = 0;
    for (number, group) in groups.iter().enumerate() {
        let gateway = &gateways[number % gateways.len()];
        let id = send(gateway, &address, group).await;
        compared += guess_wrong(gateway, &id, TRIES_OF_A_CODE).await;
    }
    countersign_tests::say!(
        "guarantee 6 on {backend}, {} replica(s): codes of one address in {GROUPS} groups: compared {compared}",
        world.replicas().len(),
    );
    assert_eq!(compared, TRIES_OF_AN_ADDRESS);
}

/// All tries of a code but one wrong, and the last one right.
async fn guess(mina: &Person, id: &str, code: &str, wrong: &mut Tally, right: &mut Tally) {
    for _ in 1..TRIES_OF_A_CODE {
        wrong.add(&reason(&mina.gateway.check_code(id, "000000").await));
    }
    right.add(&reason(&mina.gateway.check_code(id, code).await));
}

/// Guesses until the address has no tries left, and counts the comparisons.
async fn tries_left(gateways: &[Gateway], address: &str) -> usize {
    let mut compared = 0;
    for turn in 0..TRIES_OF_AN_ADDRESS / TRIES_OF_A_CODE + 1 {
        let gateway = &gateways[turn % gateways.len()];
        let id = send(gateway, address, "").await;
        compared += guess_wrong(gateway, &id, TRIES_OF_A_CODE).await;
    }
    compared
}

/// How many of so many wrong guesses were compared.
async fn guess_wrong(gateway: &Gateway, id: &str, times: usize) -> usize {
    let mut compared = 0;
    for _ in 0..times {
        let guessed = reason(&gateway.check_code(id, "000000").await);
        compared += usize::from(guessed == "CODE_WRONG");
    }
    compared
}

async fn send(gateway: &Gateway, address: &str, group: &str) -> String {
    let request = request(address, v1::Purpose::SignUp, group);
    gateway.ask_for_code(request).await.expect("a code is sent")
}

fn request(address: &str, purpose: v1::Purpose, group: &str) -> v1::SendCodeRequest {
    v1::SendCodeRequest {
        group_id: group.into(),
        identifier: Some(email(address)),
        purpose: purpose.into(),
        code: CODE.into(),
        ..Default::default()
    }
}
