//! Keys that are rotated three times in a row, under load: no good
//! token is refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_tests::{
    Backend, Gateway, Person, Tally, World, good_is_valid, key_id, on_backends_at_once,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::{EVERY, rotate, world};

const ROTATIONS: usize = 3;
const ISSUERS: usize = 3;
/// How many of the newest tokens are asked about again.
const ASKED_AGAIN: usize = 20;
/// For how long the load goes on before and after.
const AROUND: Duration = Duration::from_secs(2);

#[test]
fn quick_rotations_refuse_no_good_token() {
    on_backends_at_once(&EVERY, rotate_under_load);
}

async fn rotate_under_load(backend: Backend) {
    // Replicas that learn of a key later than a command can be repeated.
    let world = world(backend)
        .set("validation.poll_interval", "3s")
        .set("validation.feed_bound", "6s")
        .start()
        .await;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = world.replicas().last().expect("a replica").gateway();
    let mut issuers = JoinSet::new();
    for _ in 0..ISSUERS {
        let issuer = Issuer {
            mina: world.sign_up().await,
            asked: asked.clone(),
            stop: Arc::clone(&stop),
        };
        issuers.spawn(issuer.run());
    }
    sleep(AROUND).await;
    let began = Instant::now();
    for _ in 0..ROTATIONS {
        rotate(&world).await;
    }
    let took = began.elapsed();
    sleep(AROUND).await;
    stop.store(true, Ordering::SeqCst);
    let mut answers = Tally::default();
    let mut kids = BTreeSet::new();
    for (of_one, its_kids) in issuers.join_all().await {
        answers.add_all(&of_one);
        kids.extend(its_kids);
    }
    countersign_tests::say!(
        "guarantees 11 and 24 on {backend}, {ROTATIONS} rotations within {took:?}, {} keys seen: \
         good tokens refused {} of {} ({answers})",
        kids.len(),
        answers.total() - answers.count("OK"),
        answers.total()
    );
    assert!(kids.len() > 1, "{backend}: another key has signed");
    answers.assert_only(&["OK"]);
    listed(&world).await;
}

/// What is published is what is used.
async fn listed(world: &World) {
    for replica in world.replicas() {
        let request = countersign_proto::v1::ListSigningKeysRequest {};
        let keys = replica.gateway().auth().list_signing_keys(request).await;
        let keys = keys.expect("keys").into_inner().signing_keys;
        assert!(keys.len() >= 3, "{} keys are listed", keys.len());
    }
}

/// Signs in on one replica, and asks another about the tokens at once and again.
struct Issuer {
    mina: Person,
    asked: Gateway,
    stop: Arc<AtomicBool>,
}

impl Issuer {
    async fn run(self) -> (Tally, Vec<String>) {
        let mut answers = Tally::default();
        let mut kids = Vec::new();
        let mut tokens = Vec::new();
        while !self.stop.load(Ordering::SeqCst) {
            let token = self.mina.sign_in().await.access_token;
            answers.add(&good_is_valid(self.asked.judge(&token).await));
            let kid = key_id(&token);
            if !kids.contains(&kid) {
                kids.push(kid);
            }
            tokens.push(token);
            let newest = &tokens[tokens.len().saturating_sub(ASKED_AGAIN)..];
            for word in self.asked.judge_all(newest).await {
                answers.add(&good_is_valid(word));
            }
        }
        (answers, kids)
    }
}
