//! Guarantee 13: replicas are restarted one after another, under load, and no
//! call is answered other than with OK. In front of them is what is in front of
//! them in production: a balancer that goes by their health.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_proto::v1;
use countersign_tests::{
    Backend, Balancer, Metrics, PASSWORD, PATIENCE, Tally, World, email, eventually, on_a_backend,
    on_every_shared_backend, reason, say,
};
use tokio::task::JoinSet;

on_every_shared_backend!(a_restart_drops_no_call);

const WORKERS: usize = 12;

async fn a_restart_drops_no_call(backend: Backend) {
    restart(backend, 4).await;
}

#[test]
#[ignore = "twenty restarts: some minutes"]
fn twenty_restarts_drop_no_call() {
    for backend in [Backend::Postgres, Backend::MariaDb] {
        on_a_backend(backend, |backend| restart(backend, 20));
    }
}

async fn restart(backend: Backend, restarts: usize) {
    let mut builder = World::on(backend)
        .replicas(2)
        .set("server.drain_delay", "1s");
    for replica in 0..2 {
        // An address of its own, to be found there again.
        let address = Metrics::somewhere().await.listen();
        builder = builder.set_at(replica, "server.listen", address);
    }
    let world = builder.start().await;
    let load = Arc::new(Load::default());
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (address, load) = (world.sign_up().await.email, Arc::clone(&load));
        workers.spawn(async move { load.call(&address).await });
    }
    // Connections that carry a call before the restarts, and the next after them.
    let idle = world.gateways_of_replicas();
    for gateway in &idle {
        load.note(&reason(&gateway.validate("garbage").await));
    }

    let restarting = async {
        for number in 0..restarts {
            load.all_serve().await;
            load.goes_on().await;
            let replica = world.replica(number % 2);
            replica.terminate().await;
            assert!(replica.wait().await.success());
            replica.start().await;
        }
        load.all_serve().await;
        load.is_over.store(true, Ordering::Relaxed);
        workers.join_all().await;
    };
    tokio::select! {
        () = restarting => {}
        () = load.balancer.follow(&world) => unreachable!("it follows for ever"),
    }
    for gateway in &idle {
        load.note(&reason(&gateway.validate("garbage").await));
    }

    let outcomes = load.outcomes();
    let other = outcomes.total() - outcomes.count("OK");
    let total = outcomes.total();
    say!("{backend}: {restarts} restarts: answers other than OK: {other} of {total}");
    outcomes.assert_only(&["OK"]);
}

/// Calls through a balancer, and what came of them.
#[derive(Default)]
struct Load {
    balancer: Balancer,
    outcomes: Mutex<Tally>,
    is_over: AtomicBool,
}

impl Load {
    /// Signs in, validates and refreshes in turn until it is over.
    async fn call(&self, address: &str) {
        let mut tokens: Option<v1::Tokens> = None;
        let mut turn = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let gateway = self.balancer.next().await;
            turn += 1;
            match tokens.take() {
                Some(held) if turn % 8 != 0 && turn % 2 == 0 => {
                    let judged = gateway.judge(&held.access_token).await;
                    self.note(if judged == "VALID" { "OK" } else { &judged });
                    tokens = Some(held);
                }
                Some(held) if turn % 8 != 0 => {
                    let refreshed = gateway.refresh(&held.refresh_token).await;
                    self.note(&reason(&refreshed));
                    tokens = refreshed.ok();
                }
                _ => {
                    let signed_in = gateway.sign_in(email(address), PASSWORD).await;
                    self.note(&reason(&signed_in));
                    tokens = signed_in.ok();
                }
            }
        }
    }

    fn note(&self, outcome: &str) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.add(outcome);
    }

    fn outcomes(&self) -> Tally {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.clone()
    }

    async fn all_serve(&self) {
        let all = || async { (self.balancer.len() == 2).then_some(()) };
        eventually("both replicas serve", PATIENCE, all).await;
    }

    /// Waits until everybody has called some more times.
    async fn goes_on(&self) {
        let until = self.outcomes().total() + WORKERS * 10;
        let reached = || async { (self.outcomes().total() >= until).then_some(()) };
        eventually("calls are answered", PATIENCE, reached).await;
    }
}
