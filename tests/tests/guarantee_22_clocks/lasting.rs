//! Clocks that are wrong and stay wrong, from the start on or from some moment
//! on: every replica judges and stamps by the database's time.

use std::time::Duration;

use countersign_tests::{
    Gateway, PASSWORD, Person, ShiftedClock, Tally, World, email, on_backends_at_once, reason,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::{Answers, BOUND, IMPRECISION, LEEWAY, ROUNDING, SHARED, ask_for};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

/// By how many milliseconds each replica's clock is wrong, and whether it is so
/// from the start on.
const SHIFTS: [(i64, bool); 9] = [
    // Shorter than tokens live: what has expired would pass as young.
    (-7 * SECOND, false),
    (-SECOND, false),
    (SECOND, false),
    (-40 * SECOND, false),
    (40 * SECOND, false),
    (-130 * SECOND, false),
    (130 * SECOND, false),
    (HOUR, true),
    (-24 * HOUR, true),
];

/// `tokens.access_ttl`.
const LIFETIME: Duration = Duration::from_secs(20);

#[test]
fn replicas_with_wrong_clocks_judge_by_the_databases_time() {
    on_backends_at_once(&SHARED, async |backend| {
        let mut builder = World::on(backend)
            .replicas(SHIFTS.len() + 1)
            .set("database.max_connections", 4)
            .set("tokens.access_ttl", "20s")
            .set("tokens.leeway", "1s");
        let mut clocks = Vec::new();
        for (index, (shift, at_start)) in SHIFTS.into_iter().enumerate() {
            let Some(clock) = ShiftedClock::shifted_by(if at_start { shift } else { 0 }) else {
                return;
            };
            builder = builder.clock_at(index + 1, &clock);
            clocks.push(clock);
        }
        let world = builder.start().await;
        for (clock, (shift, _)) in clocks.iter().zip(SHIFTS) {
            clock.shift_by(shift);
        }
        let mut replicas = JoinSet::new();
        for (index, (shift, at_start)) in SHIFTS.into_iter().enumerate() {
            let pair = Pair {
                mina: world.sign_up().await,
                right: world.replica(0).gateway(),
                wrong: world.replica(index + 1).gateway(),
            };
            replicas.spawn(async move { (shift, at_start, pair.work().await) });
        }
        let mut found = replicas.join_all().await;
        found.sort_by_key(|(shift, ..)| *shift);
        for (shift, at_start, (answers, tabs)) in &found {
            let since = if *at_start {
                "from its start on"
            } else {
                "while it ran"
            };
            countersign_tests::say!(
                "guarantee 22 on {backend}, a clock wrong by {} s {since}: {answers}; a second \
                 tab within the grace time: {tabs}",
                shift / SECOND
            );
        }
        for (shift, _, (answers, tabs)) in &found {
            answers.assert_right(&format!("{backend}, {} s", shift / SECOND));
            tabs.assert_only(&["OK"]);
        }
    });
}

/// A replica whose clock is right, one whose clock is wrong, and somebody who
/// calls both.
struct Pair {
    mina: Person,
    right: Gateway,
    wrong: Gateway,
}

impl Pair {
    async fn work(&self) -> (Answers, Tally) {
        let issuing = Instant::now();
        let mut tokens = Vec::new();
        for gateway in [&self.right, &self.wrong] {
            for _ in 0..3 {
                tokens.push(self.sign_in(gateway).await);
            }
        }
        let issued = Instant::now();
        let mut answers = Answers::default();
        answers.add_all(&self.ask_about_good(&tokens, issuing).await);
        let tabs = self.refresh_in_two_tabs().await;
        answers.add_all(&self.revoke().await);

        sleep_until(issuing + LIFETIME - ROUNDING - IMPRECISION * 6).await;
        answers.add_all(&self.ask_about_good(&tokens, issuing).await);
        sleep_until(issued + LIFETIME + LEEWAY + IMPRECISION).await;
        let lasting = Duration::from_secs(2);
        let (by_right, by_wrong) = tokio::join!(
            ask_for(&self.right, &tokens, lasting),
            ask_for(&self.wrong, &tokens, lasting)
        );
        answers.expired.add_all(&by_right);
        answers.expired.add_all(&by_wrong);
        (answers, tabs)
    }

    /// On both, as far as they answer while the tokens surely live.
    async fn ask_about_good(&self, tokens: &[String], issuing: Instant) -> Answers {
        let until = issuing + LIFETIME - ROUNDING - IMPRECISION;
        let mut answers = Answers::default();
        for gateway in [&self.right, &self.wrong] {
            let words = gateway.judge_all(tokens).await;
            if Instant::now() < until {
                words.iter().for_each(|word| answers.good.add(word));
            }
        }
        answers
    }

    /// Each refreshes what the other has just exchanged: that is a second tab,
    /// and the session goes on.
    async fn refresh_in_two_tabs(&self) -> Tally {
        let mut outcomes = Tally::default();
        for (first, second) in [(&self.right, &self.wrong), (&self.wrong, &self.right)] {
            let signed_in = self.right.sign_in(email(&self.mina.email), PASSWORD).await;
            let tokens = signed_in.expect("tokens");
            let of_one_tab = first.refresh(&tokens.refresh_token).await;
            let of_the_other = second.refresh(&tokens.refresh_token).await;
            outcomes.add(&reason(&of_one_tab));
            outcomes.add(&reason(&of_the_other));
            let newest = of_one_tab.map_or(tokens.refresh_token, |tokens| tokens.refresh_token);
            outcomes.add(&reason(&self.right.refresh(&newest).await));
        }
        outcomes
    }

    /// Each revokes what the other issued, and both are asked for as long as the
    /// tokens live.
    async fn revoke(&self) -> Answers {
        let mut revoked = Vec::new();
        for (issuing, revoking) in [(&self.right, &self.wrong), (&self.wrong, &self.right)] {
            for _ in 0..2 {
                let token = self.sign_in(issuing).await;
                revoking.revoke(&token).await.expect("revoked");
                revoked.push(token);
            }
        }
        tokio::time::sleep(BOUND).await;
        let lasting = Duration::from_secs(4);
        let (by_right, by_wrong) = tokio::join!(
            ask_for(&self.right, &revoked, lasting),
            ask_for(&self.wrong, &revoked, lasting)
        );
        let mut answers = Answers::default();
        answers.revoked.add_all(&by_right);
        answers.revoked.add_all(&by_wrong);
        answers
    }

    async fn sign_in(&self, gateway: &Gateway) -> String {
        let signed_in = gateway.sign_in(email(&self.mina.email), PASSWORD).await;
        signed_in.expect("tokens").access_token
    }
}
