//! People who have an account, and come back while a flood goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{Details, Gateway, PASSWORD, Tally, World, device, email, reason};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tonic::Status;

use crate::SENDS_PER_SOURCE;

const PEOPLE: usize = 6;
/// How often a person tries again who is told that the machine is busy.
const REPEATS: usize = 5;

/// People who sign in, by password and by code, until they are told to stop.
pub(crate) struct People {
    stop: Arc<AtomicBool>,
    visits: Arc<AtomicUsize>,
    tasks: JoinSet<Served>,
}

#[derive(Debug, Default)]
pub(crate) struct Served {
    sign_ins: Tally,
    codes: Tally,
    repeats: usize,
}

impl People {
    pub(crate) async fn of(world: &World, pause: Duration) -> Self {
        let mut people = Self {
            stop: Arc::default(),
            visits: Arc::default(),
            tasks: JoinSet::new(),
        };
        for number in 0..PEOPLE {
            let person = LawfulPerson {
                gateway: world.gateway(),
                address: world.sign_up().await.email,
                source: format!("198.51.100.{number}"),
            };
            let (stop, visits) = (Arc::clone(&people.stop), Arc::clone(&people.visits));
            let coming = async move { person.come_and_go(pause, &stop, &visits).await };
            people.tasks.spawn(coming);
        }
        people
    }

    /// How often they came so far.
    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }

    /// Lets them come ten times more, and tells how all was answered.
    pub(crate) async fn end(self, store: &str) -> Served {
        self.stop.store(true, Ordering::SeqCst);
        let mut sum = Served::default();
        for served in self.tasks.join_all().await {
            sum.sign_ins.add_all(&served.sign_ins);
            sum.codes.add_all(&served.codes);
            sum.repeats += served.repeats;
        }
        countersign_tests::say!(
            "guarantee 23 {store}: meanwhile and afterwards, people's sign-ins: {}; codes sent, \
             checked and used: {}; tries repeated because the machine was busy: {}",
            sum.sign_ins,
            sum.codes,
            sum.repeats,
        );
        sum
    }
}

impl Served {
    pub(crate) fn check(&self) {
        for tally in [&self.sign_ins, &self.codes] {
            assert!(tally.total() >= 100, "enough to tell: {tally}");
            assert!(tally.count("OK") * 100 >= tally.total() * 99, "{tally}");
        }
    }
}

struct LawfulPerson {
    gateway: Gateway,
    address: String,
    source: String,
}

impl LawfulPerson {
    async fn come_and_go(self, pause: Duration, stop: &AtomicBool, visits: &AtomicUsize) -> Served {
        const AFTERWARDS: usize = 10;
        let mut served = Served::default();
        // Within the budgets of a source.
        let (mut meanwhile, mut afterwards) = (SENDS_PER_SOURCE - AFTERWARDS, AFTERWARDS);
        while afterwards > 0 {
            let has_stopped = stop.load(Ordering::SeqCst);
            let left = if has_stopped {
                &mut afterwards
            } else {
                &mut meanwhile
            };
            if *left > 0 {
                *left -= 1;
                let signed_in = self.sign_in(&mut served.repeats).await;
                served.sign_ins.add(&reason(&signed_in));
                served.codes.add(&reason(&self.use_a_code().await));
                visits.fetch_add(1, Ordering::SeqCst);
            }
            let began = Instant::now();
            while began.elapsed() < pause && has_stopped == stop.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(50)).await;
                if has_stopped {
                    break;
                }
            }
        }
        served
    }

    /// Signs in, and tries again a few times if the machine is busy.
    async fn sign_in(&self, repeats: &mut usize) -> Result<(), Status> {
        let mut wait = Duration::from_millis(50);
        for _ in 0..REPEATS {
            let tried = self.try_to_sign_in().await;
            let Err(status) = &tried else { return tried };
            let details = Details::of(status);
            if details.reason != "OVERLOADED" {
                return tried;
            }
            *repeats += 1;
            sleep(wait.max(details.retry_after.unwrap_or_default())).await;
            wait *= 2;
        }
        self.try_to_sign_in().await
    }

    async fn try_to_sign_in(&self) -> Result<(), Status> {
        let who = email(&self.address);
        let tried = self.gateway.sign_in_from(&self.source, who, PASSWORD);
        tried.await.map(drop)
    }

    async fn use_a_code(&self) -> Result<(), Status> {
        let request = v1::SendCodeRequest {
            identifier: Some(email(&self.address)),
            purpose: v1::Purpose::SignIn.into(),
            code: "135790".into(),
            client_context: device(&self.source),
            ..Default::default()
        };
        let id = self.gateway.ask_for_code(request).await?;
        let proof = self.gateway.check_code(&id, "135790").await?;
        self.gateway.sign_in_proven(&proof).await.map(drop)
    }
}
