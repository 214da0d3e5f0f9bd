//! A clock that jumps ten minutes for two and a half seconds, and back: nothing
//! that was revoked is forgotten, and what is issued meanwhile lives as long as
//! any other token.

use std::time::Duration;

use countersign_tests::{
    Gateway, PASSWORD, Person, ShiftedClock, Tally, World, email, on_backends_at_once,
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Answers, BOUND, IMPRECISION, LEEWAY, ROUNDING, SHARED, ask_for};

const JUMP: i64 = 600_000;
const FOR: Duration = Duration::from_millis(2_500);
/// `tokens.access_ttl`.
const LIFETIME: Duration = Duration::from_secs(20);

#[test]
fn a_jump_of_seconds_forgets_nothing() {
    on_backends_at_once(&SHARED, async |backend| {
        let (Some(ahead), Some(behind)) =
            (ShiftedClock::shifted_by(0), ShiftedClock::shifted_by(0))
        else {
            return;
        };
        let world = World::on(backend)
            .replicas(3)
            .clock_at(1, &ahead)
            .clock_at(2, &behind)
            .set("tokens.access_ttl", "20s")
            .set("tokens.leeway", "1s")
            .start()
            .await;
        let (forward, back) = tokio::join!(
            jump(&world, 1, &ahead, JUMP),
            jump(&world, 2, &behind, -JUMP)
        );
        for (answers, way) in [(&forward, "forward"), (&back, "back")] {
            countersign_tests::say!(
                "guarantee 22 on {backend}, a clock that jumps ten minutes {way} for {FOR:?}: \
                 {answers}"
            );
        }
        forward.assert_right(&format!("{backend}, forward"));
        back.assert_right(&format!("{backend}, back"));
    });
}

async fn jump(world: &World, replica: usize, clock: &ShiftedClock, millis: i64) -> Answers {
    let mina = world.sign_up().await;
    let (right, wrong) = (world.replica(0).gateway(), world.replica(replica).gateway());
    let both = [&right, &wrong];
    let mut answers = Answers::default();
    let issuing = Instant::now();
    let mut good = vec![sign_in(&mina, &right).await, sign_in(&mina, &wrong).await];
    let (mut revoked, mut to_revoke) = (Vec::new(), Vec::new());
    for gateway in both.repeat(4) {
        revoked.push(sign_in(&mina, gateway).await);
        to_revoke.push(sign_in(&mina, gateway).await);
    }
    for token in &revoked {
        right.revoke(token).await.expect("revoked");
    }
    for token in &revoked {
        // Known to both before the jump.
        while wrong.judge(token).await == "VALID" {
            sleep(Duration::from_millis(20)).await;
        }
    }

    let jumping = Instant::now();
    clock.shift_by(millis);
    for gateway in both.repeat(2) {
        good.push(sign_in(&mina, gateway).await);
    }
    for (index, token) in to_revoke.into_iter().enumerate() {
        both[index % 2].revoke(&token).await.expect("revoked");
        revoked.push(token);
    }
    answers.add_all(&ask_about_good(both, &good, issuing).await);
    sleep_until(jumping + FOR).await;
    clock.shift_by(0);
    let issued = Instant::now();

    answers.add_all(&ask_about_good(both, &good, issuing).await);
    sleep(BOUND).await;
    let left = (issuing + LIFETIME).saturating_duration_since(Instant::now());
    for tally in ask_both(both, &revoked, left).await {
        answers.revoked.add_all(&tally);
    }
    sleep_until(issued + LIFETIME + LEEWAY + IMPRECISION).await;
    for tally in ask_both(both, &good, Duration::from_secs(2)).await {
        answers.expired.add_all(&tally);
    }
    answers
}

/// What both say at once, as far as they answer while the tokens surely live.
async fn ask_about_good(gateways: [&Gateway; 2], good: &[String], issuing: Instant) -> Answers {
    let mut answers = Answers::default();
    for gateway in gateways {
        let words = gateway.judge_all(good).await;
        if issuing.elapsed() < LIFETIME - ROUNDING - IMPRECISION {
            words.iter().for_each(|word| answers.good.add(word));
        }
    }
    answers
}

async fn ask_both(gateways: [&Gateway; 2], tokens: &[String], lasting: Duration) -> [Tally; 2] {
    let (one, other) = tokio::join!(
        ask_for(gateways[0], tokens, lasting),
        ask_for(gateways[1], tokens, lasting)
    );
    [one, other]
}

async fn sign_in(mina: &Person, gateway: &Gateway) -> String {
    let signed_in = gateway.sign_in(email(&mina.email), PASSWORD).await;
    signed_in.expect("tokens").access_token
}
