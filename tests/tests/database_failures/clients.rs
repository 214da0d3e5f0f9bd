//! Clients, each with a session that it refreshes again and again: what fails is
//! tried again at once with the token that was not exchanged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{Gateway, Tally, Times, World, reason};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::{ALL_WITHIN, FIRST_WITHIN};

/// How many sessions there are: as many as connections, and some more.
pub(crate) const SESSIONS: usize = 24;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// How long it is tried at all.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(90);

/// The clients' newest tokens, one for each session.
#[derive(Debug)]
pub(crate) struct Clients {
    tokens: Vec<v1::Tokens>,
}

/// How it went on after the database was back.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// When each session was refreshed for the first time.
    pub(crate) times: Times,
    pub(crate) first: Duration,
    outcomes: Tally,
    sessions: usize,
    /// How many were never refreshed.
    given_up: usize,
}

impl Clients {
    /// Signs people in on the first replica.
    pub(crate) async fn begin(world: &World) -> Self {
        let mina = world.sign_up().await;
        let mut tokens = Vec::new();
        for _ in 0..SESSIONS {
            tokens.push(mina.sign_in().await);
        }
        Self { tokens }
    }

    /// Refreshes all sessions at once, so that many connections are open.
    pub(crate) async fn warm_up(&mut self, gateway: &Gateway) {
        for _ in 0..3 {
            let mut refreshing = JoinSet::new();
            for tokens in self.tokens.drain(..) {
                let gateway = gateway.clone();
                refreshing.spawn(async move {
                    let refreshed = gateway.refresh(&tokens.refresh_token).await;
                    refreshed.expect("the database is there")
                });
            }
            self.tokens = refreshing.join_all().await;
        }
    }

    /// Leaves so many sessions, and forgets the others.
    pub(crate) fn keep(&mut self, sessions: usize) {
        self.tokens.truncate(sessions);
    }

    /// Whether a session can be refreshed.
    pub(crate) async fn refresh_one(&self, gateway: &Gateway) -> bool {
        let refreshed = gateway.refresh(&self.tokens[0].refresh_token).await;
        refreshed.is_ok()
    }

    /// Goes on refreshing while the database is away, until told to stop.
    /// Nothing may be refused.
    pub(crate) fn go_on(&self, world: &World) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for tokens in &self.tokens {
            let gateway = world.gateway();
            let (token, stop) = (tokens.refresh_token.clone(), Arc::clone(&stop));
            callers.spawn(async move {
                let mut outcomes = Tally::default();
                while !stop.load(Ordering::SeqCst) {
                    outcomes.add(&reason(&gateway.refresh(&token).await));
                    sleep(BETWEEN_TRIES).await;
                }
                outcomes
            });
        }
        Load { stop, callers }
    }

    /// Refreshes each session until that succeeds, by way of new connections to
    /// the server. The sessions that were never refreshed are forgotten.
    pub(crate) async fn recover(&mut self, world: &World, healed: Instant) -> Recovery {
        let sessions = self.tokens.len();
        let mut waiting = JoinSet::new();
        for tokens in self.tokens.drain(..) {
            let gateway = world.gateway();
            waiting.spawn(async move {
                let mut outcomes = Tally::default();
                let refreshing = async {
                    loop {
                        let refreshed = gateway.refresh(&tokens.refresh_token).await;
                        outcomes.add(&reason(&refreshed));
                        if let Ok(next) = refreshed {
                            return (healed.elapsed(), next);
                        }
                        sleep(BETWEEN_TRIES).await;
                    }
                };
                let took = timeout(GIVEN_UP_AFTER, refreshing).await.ok();
                (took, outcomes)
            });
        }
        let mut took = Vec::new();
        let mut outcomes = Tally::default();
        for (refreshed, of_one) in waiting.join_all().await {
            if let Some((after, next)) = refreshed {
                took.push(after);
                self.tokens.push(next);
            }
            outcomes.add_all(&of_one);
        }
        Recovery {
            first: took.iter().min().copied().unwrap_or(GIVEN_UP_AFTER),
            given_up: sessions - took.len(),
            sessions,
            times: Times::of(took),
            outcomes,
        }
    }
}

/// Calls while the database is away.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<Tally>,
}

impl Load {
    /// Lets no new call begin. Those in flight go on.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// What the calls came to.
    pub(crate) async fn outcomes(self) -> Tally {
        let mut sum = Tally::default();
        for outcomes in self.callers.join_all().await {
            sum.add_all(&outcomes);
        }
        sum
    }
}

impl Recovery {
    /// Asserts that it was quick, and that nobody was refused.
    pub(crate) fn assert_quick(&self, what: &str) {
        assert_eq!(
            self.given_up, 0,
            "{what}: sessions that were never refreshed"
        );
        assert!(self.first <= FIRST_WITHIN, "{what}: {:?}", self.first);
        assert!(self.times.max() <= ALL_WITHIN, "{what}: {}", self.times);
        for refused in [
            "REFRESH_TOKEN_INVALID",
            "REFRESH_TOKEN_REUSED",
            "SESSION_ENDED",
        ] {
            assert_eq!(self.outcomes.count(refused), 0, "{what}: {refused}");
        }
    }
}

impl std::fmt::Display for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, given_up, sessions) = (self.first, self.given_up, self.sessions);
        let (times, outcomes) = (&self.times, &self.outcomes);
        write!(
            f,
            "first refresh after {first:?}, all: {times}, never {given_up} of {sessions} \
             ({outcomes})"
        )
    }
}
