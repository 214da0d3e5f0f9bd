//! Guarantee 4, in its short form: what was acknowledged outlives `kill -9` of a
//! server, of its database and of Redis, and a lost database. Workers keep a log of what they were told; the check at the
//! end holds the service to it. An outcome that nobody was told stays unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use countersign_proto::v1;
use countersign_tests::{
    Backend, DatabaseServer, Gateway, Mode, PASSWORD, PATIENCE, Person, RedisServer, Replica,
    World, email, eventually, on_every_backend, reason,
};
use tokio::task::JoinSet;
use tonic::Status;

on_every_backend!(nothing_acknowledged_is_lost);

const WORKERS: usize = 8;
const ACCIDENTS: usize = 12;
const OPERATIONS_BETWEEN: usize = 60;

async fn nothing_acknowledged_is_lost(backend: Backend) {
    // A long grace time: a repeat must yield the same successor even after a
    // restart on a slow machine.
    let mut builder = World::on(backend)
        .replicas(backend.replicas())
        .with_lines()
        .set("tokens.refresh_grace", "5m");
    let mut database = None;
    if backend != Backend::Sqlite {
        let Some(server) = DatabaseServer::start(backend).await else {
            return;
        };
        builder = builder.on_server(&server);
        database = Some(server);
    }
    let redis = RedisServer::start().await;
    if let Some(redis) = redis.as_ref().filter(|_| backend != Backend::Sqlite) {
        builder = builder.redis(redis.url());
    }
    let world = builder.start().await;
    let world = Arc::new(world);
    let progress = Arc::new(Progress::default());
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let worker = Worker {
            mina: world.sign_up().await,
            world: Arc::clone(&world),
            progress: Arc::clone(&progress),
            turn: number,
            told: Told::default(),
        };
        workers.spawn(worker.run());
    }

    let (mut kills, mut cuts, mut crashes) = (0, 0, 0);
    for accident in 0..ACCIDENTS {
        let until = progress.acknowledged() + OPERATIONS_BETWEEN;
        let reached = || async { (progress.acknowledged() >= until).then_some(()) };
        eventually("work goes on", PATIENCE, reached).await;
        match (&database, &redis, accident % 4) {
            (Some(_), _, 1) => {
                cut_the_database(&world).await;
                cuts += 1;
            }
            (Some(database), _, 2) => {
                database.crash().await;
                crashes += 1;
            }
            (Some(_), Some(redis), 3) => {
                redis.crash().await;
                crashes += 1;
            }
            _ => {
                let replicas = world.replicas();
                replicas[accident / 4 % replicas.len()].restart().await;
                kills += 1;
            }
        }
    }
    progress.stop.store(true, Ordering::SeqCst);
    let told = workers.join_all().await;

    for replica in world.replicas() {
        replica.restart().await;
    }
    let mut sum = Findings::default();
    for told in &told {
        sum.add(&told.check(&world.gateway()).await);
    }
    countersign_tests::say!(
        "guarantee 4 on {backend}, {} replica(s): {} operations acknowledged, {} unknown, {kills} \
         kills of a server, {crashes} of its database and Redis, {cuts} cuts of its database: lost {}, double-spent {}, revoked but \
         accepted {}, of {} sessions that live and {} that were ended",
        world.replicas().len(),
        progress.acknowledged(),
        progress.unknown.load(Ordering::SeqCst),
        sum.lost,
        sum.double_spent,
        sum.accepted,
        sum.live,
        sum.ended,
    );
    assert_eq!((sum.lost, sum.double_spent, sum.accepted), (0, 0, 0));
    assert!(
        sum.live > 0 && sum.ended > 0,
        "there was something to check"
    );
    assert!(
        progress.unknown.load(Ordering::SeqCst) > 0,
        "the accidents were felt"
    );
}

/// Cuts the first replica's line to the database until that is felt.
async fn cut_the_database(world: &World) {
    let (gateway, nobody) = (world.gateway(), email("nobody@example.com"));
    world.database_line().set(Mode::Cut);
    let felt = || async {
        let outcome = gateway.sign_in(nobody.clone(), PASSWORD).await;
        (reason(&outcome) == "DEPENDENCY_UNAVAILABLE").then_some(())
    };
    eventually("the cut is felt", PATIENCE, felt).await;
    world.database_line().set(Mode::Pass);
}

#[derive(Default)]
struct Progress {
    acknowledged: AtomicUsize,
    unknown: AtomicUsize,
    stop: AtomicBool,
}

impl Progress {
    fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// Somebody who signs in, refreshes and signs out, without end.
struct Worker {
    mina: Person,
    world: Arc<World>,
    progress: Arc<Progress>,
    turn: usize,
    told: Told,
}

/// What a worker was told.
#[derive(Default)]
struct Told {
    /// The newest tokens of each session that nobody has tried to end.
    live: BTreeMap<String, v1::Tokens>,
    /// The last tokens of sessions whose end was acknowledged.
    ended: Vec<v1::Tokens>,
    /// The successors that each refresh token yielded.
    successors: BTreeMap<String, BTreeSet<String>>,
    /// Sessions that were refused though nothing had ended them.
    lost: usize,
}

#[derive(Default)]
struct Findings {
    lost: usize,
    double_spent: usize,
    accepted: usize,
    live: usize,
    ended: usize,
}

impl Worker {
    async fn run(mut self) -> Told {
        while !self.progress.stop.load(Ordering::SeqCst) {
            self.turn += 1;
            match self.turn % 8 {
                0 | 4 => self.sign_in().await,
                7 => self.sign_out().await,
                _ => self.refresh().await,
            }
        }
        self.told
    }

    async fn sign_in(&mut self) {
        let who = email(&self.mina.email);
        if let Some(tokens) = self.answer(self.gateway().await.sign_in(who, PASSWORD).await) {
            self.told.live.insert(tokens.session_id.clone(), tokens);
        }
    }

    /// Presents the newest refresh token of some session, again if there is no
    /// answer, and sometimes again though there was one.
    async fn refresh(&mut self) {
        let sessions = self.told.live.len().max(1);
        let Some(tokens) = self.told.live.values().nth(self.turn % sessions).cloned() else {
            return;
        };
        let outcome = self.gateway().await.refresh(&tokens.refresh_token).await;
        if is_refusal(&outcome) {
            self.told.lost += 1;
            self.told.live.remove(&tokens.session_id);
        }
        let Some(next) = self.answer(outcome) else {
            return;
        };
        self.told.note(&tokens, &next);
        if self.turn.is_multiple_of(3) {
            let again = self.gateway().await.refresh(&tokens.refresh_token).await;
            if let Some(again) = self.answer(again) {
                self.told.note(&tokens, &again);
            }
        }
        self.told.live.insert(next.session_id.clone(), next);
    }

    async fn sign_out(&mut self) {
        let Some((_, tokens)) = self.told.live.pop_first() else {
            return;
        };
        let outcome = self.gateway().await.revoke(&tokens.access_token).await;
        if self.answer(outcome).is_some() {
            self.told.ended.push(tokens);
        }
    }

    /// What was acknowledged; anything else is not known to have happened.
    fn answer<T>(&self, outcome: Result<T, Status>) -> Option<T> {
        let count = match &outcome {
            Ok(_) => &self.progress.acknowledged,
            Err(_) => &self.progress.unknown,
        };
        count.fetch_add(1, Ordering::SeqCst);
        outcome.ok()
    }

    /// A connection to a replica that runs.
    async fn gateway(&self) -> Gateway {
        let replicas = self.world.replicas();
        let running = || async {
            let found = replicas.iter().cycle().skip(self.turn % replicas.len());
            let mut found = found.take(replicas.len());
            found.find_map(Replica::try_address)
        };
        let (address, _) = eventually("a replica runs", PATIENCE, running).await;
        Gateway::to(address)
    }
}

/// Whether the service said no. Being unreachable, or unavailable, is not that.
fn is_refusal<T>(outcome: &Result<T, Status>) -> bool {
    let reason = reason(outcome);
    reason != "OK" && reason != "DEPENDENCY_UNAVAILABLE" && !reason.starts_with("no answer")
}

impl Told {
    fn note(&mut self, presented: &v1::Tokens, successor: &v1::Tokens) {
        let successors = self
            .successors
            .entry(presented.refresh_token.clone())
            .or_default();
        successors.insert(successor.refresh_token.clone());
    }

    /// Holds the service to what it told.
    async fn check(&self, gateway: &Gateway) -> Findings {
        let double_spent = self.successors.values().filter(|all| all.len() > 1).count();
        let mut findings = Findings {
            lost: self.lost,
            double_spent,
            live: self.live.len(),
            ended: self.ended.len(),
            ..Findings::default()
        };
        for tokens in self.live.values() {
            let is_valid = gateway.judge(&tokens.access_token).await == "VALID";
            let is_refreshed = gateway.refresh(&tokens.refresh_token).await.is_ok();
            findings.lost += usize::from(!is_valid || !is_refreshed);
        }
        for tokens in &self.ended {
            let is_rejected = gateway.judge(&tokens.access_token).await == "REVOKED";
            let refreshed = gateway.refresh(&tokens.refresh_token).await;
            let is_over = reason(&refreshed) == "SESSION_ENDED";
            findings.accepted += usize::from(!is_rejected || !is_over);
        }
        findings
    }
}

impl Findings {
    fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.double_spent += other.double_spent;
        self.accepted += other.accepted;
        self.live += other.live;
        self.ended += other.ended;
    }
}
